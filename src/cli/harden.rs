//! Process hardening at the start.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit, umask};

/// Disables core dumps, which would contain keys and messages, and makes new files private to their owner.
pub(super) fn harden() {
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if setrlimit(Resource::Core, none).is_err() {
        eprintln!("ocs: core dumps could not be turned off; set LimitCORE=0 where this program is started");
    }
}
