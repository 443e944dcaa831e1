//! What this process gives up at its start.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit, umask};

/// No core files, which would hold keys and messages; and every file that is made is for its owner alone.
pub(super) fn harden() {
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if setrlimit(Resource::Core, none).is_err() {
        eprintln!("ocs: core dumps could not be turned off; set LimitCORE=0 where this program is started");
    }
}
