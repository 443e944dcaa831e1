//! Guessing passwords and codes is slow: tries are counted for the account and for the network they come from, before they are
//! made.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::secret::digest;
use crate::sliding_window::{SlidingWindow, Throttle};

/// Counters of what people try at signing in and signing up, all in memory.
pub struct Attempts {
    /// Accounts made an hour from one network.
    pub(super) sign_ups: SlidingWindow<u128>,
    /// Wrong passwords for one account, known by the digest of its address whether or not it exists.
    passwords_by_account: Throttle<[u8; 32]>,
    /// Wrong codes for one account.
    codes_by_account: Throttle<[u8; 32]>,
    /// Wrong passwords from one network.
    passwords_by_network: Throttle<u128>,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts {
            sign_ups: SlidingWindow::new(Duration::from_secs(3_600)),
            passwords_by_account: Throttle::new(10),
            codes_by_account: Throttle::new(5),
            passwords_by_network: Throttle::new(30),
        }
    }
}

/// A try that was counted. Dropped, it stays counted; [`Attempt::succeeded`] takes it back.
pub(super) struct Attempt<'a> {
    attempts: &'a Attempts,
    by_account: &'a Throttle<[u8; 32]>,
    account: [u8; 32],
    network: Option<u128>,
}

/// Where somebody tries from. Each is counted apart: strangers who guess at an account make its owner wait everywhere
/// else, but not where the owner works.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A network in which the account was never signed in.
    Elsewhere(u128),
    /// An address in which it was.
    KnownPlace(u128),
    /// A session of the account, which is asked for the password once more.
    Session,
}

/// Counts a try of a password for this address, whether or not it has an account, and for the network.
pub(super) fn attempt<'a>(attempts: &'a Attempts, email: &str, source: Source) -> Result<Attempt<'a>> {
    count(attempts, &attempts.passwords_by_account, email, source)
}

/// Counts a try of a second factor's code. Apart from passwords, because a right password says nothing about the code.
pub(super) fn code_attempt<'a>(attempts: &'a Attempts, email: &str, source: Source) -> Result<Attempt<'a>> {
    count(attempts, &attempts.codes_by_account, email, source)
}

fn count<'a>(
    attempts: &'a Attempts,
    by_account: &'a Throttle<[u8; 32]>,
    email: &str,
    source: Source,
) -> Result<Attempt<'a>> {
    let (place, network) = match source {
        Source::Elsewhere(network) => ("elsewhere", Some(network)),
        Source::KnownPlace(network) => ("known place", Some(network)),
        Source::Session => ("session", None),
    };
    let (account, now) = (digest(&format!("{place} {email}")), Instant::now());
    let refuse = |retry_after_s| Error::TooManyRequests { retry_after_s };
    if let Some(network) = network {
        attempts.passwords_by_network.take(network, now).map_err(refuse)?;
    }
    if let Err(wait) = by_account.take(account, now) {
        if let Some(network) = network {
            // Nothing was tried: it is not held against the network.
            attempts.passwords_by_network.undo(&network);
        }
        return Err(refuse(wait));
    }
    Ok(Attempt { attempts, by_account, account, network })
}

impl Attempt<'_> {
    /// It was right.
    pub(super) fn succeeded(self) {
        self.by_account.clear(&self.account);
        if let Some(network) = self.network {
            self.attempts.passwords_by_network.undo(&network);
        }
    }
}
