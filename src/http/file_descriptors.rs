//! File descriptors: each connection takes one, and the system gives a process only so many.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept for the database, stored pictures, logs and commands; at most half of all.
const RESERVED: usize = 128;

/// Asks for as many descriptors as the system may give this process, and answers how many connections those allow: `wanted`,
/// or fewer. The log says when they are fewer.
pub fn connection_limit(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Where that is refused, it stays as it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let descriptors =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let possible = descriptors - RESERVED.min(descriptors / 2);
    if possible < wanted {
        tracing::warn!(
            descriptors,
            "the system allows this process {descriptors} open files: max_connections is {possible} instead of {wanted}; raise the \
             limit (`ulimit -n`, or LimitNOFILE= in the unit file) to {} or more",
            wanted + RESERVED
        );
    } else {
        tracing::info!(connection_limit = wanted, descriptors, "open files suffice for max_connections");
    }
    wanted.min(possible)
}
