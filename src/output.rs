//! Standard output of the program.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Prints one line. A closed pipe (`ocs … | head`) is ignored, so that the command finishes: a backup completes, a
/// server keeps serving.
macro_rules! outln {
    ($($word:tt)*) => { $crate::output::write_line(format_args!($($word)*)) };
}
pub(crate) use outln;

/// A number with its noun: "1 message", "13 messages". For nouns whose plural adds an s.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Writes a line for [`outln!`]. Exits when the line cannot be written, as on a full disk, because a truncated output
/// would be taken for the whole.
pub(crate) fn write_line(text: Arguments<'_>) {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("ocs: what is to be said cannot be written: {error}");
            std::process::exit(1);
        }
        _ => {}
    }
}
