//! File descriptor limit: each connection takes one descriptor, and a process has a limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Descriptors reserved for the database, stored images, logs and commands; at most half of all.
const RESERVED: usize = 128;

/// Raises the descriptor limit to the allowed maximum and returns how many connections fit: `wanted`, or fewer. Fewer than a
/// configured number is logged as a warning, fewer than the default as information.
pub fn connection_limit(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // If refused, the old limit stays.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let descriptors =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let possible = descriptors - RESERVED.min(descriptors / 2);
    let says = || {
        format!(
            "the system allows this process {descriptors} open files: max_connections is {possible} instead of {wanted}; raise the \
             limit (`ulimit -n`, or LimitNOFILE= in the unit file) to {} or more",
            wanted + RESERVED
        )
    };
    // A tenth less than the default is the usual limit of a system, and no reason to warn at every start.
    if possible < wanted && wanted == Config::default().max_connections && possible >= wanted / 10 * 9 {
        tracing::info!(descriptors, "{}", says());
    } else if possible < wanted {
        tracing::warn!(descriptors, "{}", says());
    } else {
        tracing::info!(connection_limit = wanted, descriptors, "open files suffice for max_connections");
    }
    wanted.min(possible)
}
