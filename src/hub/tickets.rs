//! One-time tickets. A console opens its socket with one, so that no lasting secret is in a URL.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::events::Holder;
use crate::id::{AccountId, SessionId, WorkspaceId};
use crate::members::{Role, SiteScope};
use crate::secret;

use super::subscriber::Principal;

/// A ticket is valid for this long, and once.
const LIFETIME: Duration = Duration::from_secs(30);
/// Maximum valid tickets of one account. A further one replaces the account's oldest; other accounts are not affected.
const TICKETS_PER_ACCOUNT: usize = 20;
/// Number of accounts above which accounts without a valid ticket are removed.
const ACCOUNTS: usize = 1_000;

/// The operator whom a ticket admits.
#[derive(Debug, Clone)]
pub struct OperatorPass {
    /// The workspace that the console shows.
    pub workspace: WorkspaceId,
    /// What the member may do in it.
    pub role: Role,
    /// Its sites that the member may see.
    pub sites: SiteScope,
    /// The state of the membership that this was issued for.
    pub version: i64,
    /// The account.
    pub account: AccountId,
    /// The session that requested it.
    pub session: SessionId,
    /// Its display name, for typing signals.
    pub name: String,
}

impl OperatorPass {
    /// Whose cursors its console has.
    pub fn cursor_holder(&self) -> Holder {
        self.sites.cursor_holder(self.workspace, self.version)
    }

    /// Who subscribes with it.
    pub(crate) fn principal(&self) -> Principal {
        let OperatorPass { workspace, role, sites, account, session, .. } = self.clone();
        Principal::Operator { workspace, role, sites, account, session }
    }
}

/// The issued tickets, oldest first per account. A ticket begins with its account's number.
#[derive(Default)]
pub struct Tickets(Mutex<HashMap<AccountId, VecDeque<Issued>>>);

struct Issued {
    digest: [u8; 32],
    pass: OperatorPass,
    issued_at: Instant,
}

impl Issued {
    fn is_valid(&self) -> bool {
        self.issued_at.elapsed() < LIFETIME
    }
}

impl Tickets {
    /// Issues a ticket.
    pub fn issue(&self, pass: OperatorPass) -> String {
        let ticket = format!("{}.{}", pass.account, secret::random_text(24));
        let mut all = self.all();
        if all.len() >= ACCOUNTS {
            all.retain(|_, issued| issued.iter().any(Issued::is_valid));
        }
        let issued = all.entry(pass.account).or_default();
        if issued.len() >= TICKETS_PER_ACCOUNT {
            issued.pop_front();
        }
        issued.push_back(Issued { digest: secret::digest(&ticket), pass, issued_at: Instant::now() });
        ticket
    }

    /// Redeems a ticket; `None` when it is unknown, expired or already used.
    pub fn redeem(&self, ticket: &str) -> Option<OperatorPass> {
        let account = AccountId(ticket.split_once('.')?.0.parse().ok()?);
        let digest = secret::digest(ticket);
        let mut all = self.all();
        let issued = all.get_mut(&account)?;
        let index = issued.iter().position(|one| one.digest == digest)?;
        issued.remove(index).filter(Issued::is_valid).map(|one| one.pass)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<AccountId, VecDeque<Issued>>> {
        // Every change is complete, so a poisoned map is still valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(account: i64) -> OperatorPass {
        OperatorPass {
            workspace: WorkspaceId(70 + account),
            role: Role::Owner,
            sites: SiteScope::All,
            version: 1,
            account: AccountId(account),
            session: SessionId(1),
            name: String::new(),
        }
    }

    #[test]
    fn many_tickets_of_one_account_leave_those_of_others() {
        let tickets = Tickets::default();
        let quiet = tickets.issue(pass(1));
        let first = tickets.issue(pass(2));
        let many: Vec<String> = (0..50_000).map(|_| tickets.issue(pass(2))).collect();
        assert!(tickets.redeem(&first).is_none(), "the oldest made room");
        assert!(tickets.redeem(many.last().expect("many")).is_some());
        assert!(tickets.redeem(&tickets.issue(pass(1))).is_some(), "a new one of another is good");
        assert!(tickets.redeem(&quiet).is_some());
        assert!(tickets.redeem(&quiet).is_none(), "once");
        assert!(tickets.all().values().map(VecDeque::len).sum::<usize>() <= 2 * TICKETS_PER_ACCOUNT);
    }

    #[test]
    fn an_invalid_ticket_is_refused() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(pass(1));
        let borrowed = ticket.replacen('1', "2", 1);
        for text in ["", ".", "1.", "x.y", "99999999999999999999.x", &borrowed] {
            assert!(tickets.redeem(text).is_none(), "{text}");
        }
        assert!(tickets.redeem(&ticket).is_some());
    }
}
