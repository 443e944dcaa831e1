//! The `ocs` program; all code is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ocs::cli::main()
}
