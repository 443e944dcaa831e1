//! One-time tickets: how a console opens its socket without a secret in an address.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::id::{AccountId, SessionId};
use crate::secret;

/// A ticket is good for this long, and once.
const LIFETIME: Duration = Duration::from_secs(30);
/// Tickets that may be out at once.
const OUT: usize = 10_000;

/// Who a ticket lets in.
#[derive(Debug, Clone)]
pub struct OperatorPass {
    /// The account.
    pub account: AccountId,
    /// The session that asked.
    pub session: SessionId,
    /// Its display name, for typing signals.
    pub name: String,
}

/// The tickets that are out.
#[derive(Default)]
pub struct Tickets(Mutex<HashMap<[u8; 32], (OperatorPass, Instant)>>);

impl Tickets {
    /// Makes a ticket.
    pub fn issue(&self, pass: OperatorPass) -> String {
        let ticket = secret::random_text(24);
        let mut out = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if out.len() >= OUT {
            out.retain(|_, (_, made)| made.elapsed() < LIFETIME);
        }
        if out.len() < OUT {
            out.insert(secret::digest(&ticket), (pass, Instant::now()));
        }
        ticket
    }

    /// Takes a ticket in; a second time it is worth nothing.
    pub fn redeem(&self, ticket: &str) -> Option<OperatorPass> {
        let mut out = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (pass, made) = out.remove(&secret::digest(ticket))?;
        (made.elapsed() < LIFETIME).then_some(pass)
    }
}
