//! One-time tickets: how a console opens its socket without a secret in an address.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::id::{AccountId, SessionId};
use crate::secret;

/// A ticket is good for this long, and once.
const LIFETIME: Duration = Duration::from_secs(30);
/// Tickets of one account that may be out at once; the oldest makes room, and nobody else's does.
const OUT_OF_ACCOUNT: usize = 20;
/// Accounts remembered before those are forgotten whose tickets are over.
const ACCOUNTS: usize = 1_000;

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

/// The tickets that are out, the oldest of an account first. A ticket begins with its account's number.
#[derive(Default)]
pub struct Tickets(Mutex<HashMap<AccountId, VecDeque<Out>>>);

struct Out {
    digest: [u8; 32],
    pass: OperatorPass,
    made: Instant,
}

impl Out {
    fn is_good(&self) -> bool {
        self.made.elapsed() < LIFETIME
    }
}

impl Tickets {
    /// Makes a ticket.
    pub fn issue(&self, pass: OperatorPass) -> String {
        let ticket = format!("{}.{}", pass.account, secret::random_text(24));
        let mut all = self.all();
        if all.len() >= ACCOUNTS {
            all.retain(|_, out| out.iter().any(Out::is_good));
        }
        let out = all.entry(pass.account).or_default();
        if out.len() >= OUT_OF_ACCOUNT {
            out.pop_front();
        }
        out.push_back(Out { digest: secret::digest(&ticket), pass, made: Instant::now() });
        ticket
    }

    /// Takes a ticket in; a second time it is worth nothing.
    pub fn redeem(&self, ticket: &str) -> Option<OperatorPass> {
        let account = AccountId(ticket.split_once('.')?.0.parse().ok()?);
        let digest = secret::digest(ticket);
        let mut all = self.all();
        let out = all.get_mut(&account)?;
        let place = out.iter().position(|one| one.digest == digest)?;
        out.remove(place).filter(Out::is_good).map(|one| one.pass)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<AccountId, VecDeque<Out>>> {
        // Every change is whole, so a poisoned map is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(account: i64) -> OperatorPass {
        OperatorPass { account: AccountId(account), session: SessionId(1), name: String::new() }
    }

    #[test]
    fn who_asks_for_many_tickets_takes_nobody_elses() {
        let tickets = Tickets::default();
        let quiet = tickets.issue(pass(1));
        let first = tickets.issue(pass(2));
        let many: Vec<String> = (0..50_000).map(|_| tickets.issue(pass(2))).collect();
        assert!(tickets.redeem(&first).is_none(), "the oldest made room");
        assert!(tickets.redeem(many.last().expect("many")).is_some());
        assert!(tickets.redeem(&tickets.issue(pass(1))).is_some(), "a new one of another is good");
        assert!(tickets.redeem(&quiet).is_some());
        assert!(tickets.redeem(&quiet).is_none(), "once");
        assert!(tickets.all().values().map(VecDeque::len).sum::<usize>() <= 2 * OUT_OF_ACCOUNT);
    }

    #[test]
    fn what_is_no_ticket_opens_nothing() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(pass(1));
        let borrowed = ticket.replacen('1', "2", 1);
        for text in ["", ".", "1.", "x.y", "99999999999999999999.x", &borrowed] {
            assert!(tickets.redeem(text).is_none(), "{text}");
        }
        assert!(tickets.redeem(&ticket).is_some());
    }
}
