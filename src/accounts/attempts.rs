//! Guessing passwords is slow: tries are counted for the account and for the network they come from, before they are
//! made.

use std::time::Instant;

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::digest;

/// A try that was counted. Dropped, it stays counted; [`Attempt::succeeded`] takes it back.
pub(super) struct Attempt<'a> {
    app: &'a App,
    account: [u8; 32],
    network: Option<u128>,
}

/// Counts a try for this address, whether or not it has an account, and for this network.
///
/// `known_place`: the account was signed in from there before. Strangers who guess at an account make its owner wait
/// everywhere else, but not where the owner works; the network's own count goes on.
pub(super) fn attempt<'a>(app: &'a App, email: &str, network: Option<u128>, known_place: bool) -> Result<Attempt<'a>> {
    let (account, now) = (digest(email), Instant::now());
    let refuse = |retry_after_s| Error::TooManyRequests { retry_after_s };
    if let Some(network) = network {
        app.limits.passwords_by_network.take(network, now).map_err(refuse)?;
    }
    if let Err(wait) = app.limits.passwords_by_account.take(account, now)
        && !known_place
    {
        if let Some(network) = network {
            // Nothing was tried: it is not held against the network.
            app.limits.passwords_by_network.forgive(&network);
        }
        return Err(refuse(wait));
    }
    Ok(Attempt { app, account, network })
}

impl Attempt<'_> {
    /// The password was right.
    pub(super) fn succeeded(self) {
        self.app.limits.passwords_by_account.clear(&self.account);
        if let Some(network) = self.network {
            self.app.limits.passwords_by_network.forgive(&network);
        }
    }
}
