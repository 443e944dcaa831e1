//! What the program says on its standard output, in one place.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Says one line. Where nobody reads any more (`ocs … | head`), it is not said, and what is done goes on: a backup is
/// finished, a server serves.
macro_rules! outln {
    ($($word:tt)*) => { $crate::output::write_line(format_args!($($word)*)) };
}
pub(crate) use outln;

/// A number and its noun: "1 message", "13 messages". For nouns whose plural adds an s.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Writes what [`outln!`] says. Ends the program when there is a reader and it cannot be written, as on a full disk: what
/// comes after would be taken for all of it.
pub(crate) fn write_line(text: Arguments<'_>) {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("ocs: what is to be said cannot be written: {error}");
            std::process::exit(1);
        }
        _ => {}
    }
}
