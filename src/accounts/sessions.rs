//! Where somebody is signed in, and ending that from afar.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{AccountId, SessionId};
use crate::storage::Tx;

use super::{Account, Accounts, Session, session, store};

/// The sessions of an account, the one used last first.
///
/// # Errors
/// When the database fails.
pub async fn sessions(accounts: &Accounts, account: AccountId) -> Result<Vec<Session>> {
    store::sessions(&accounts.store, account, session::alive(accounts.store.now())).await
}

/// Ends one of the account's own sessions; what is open under it closes.
///
/// # Errors
/// `NotFound`.
pub async fn end_session(accounts: &Accounts, by: &By, account: AccountId, session: SessionId) -> Result<()> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        if !store::end_session(tx, account, session)? {
            return Err(Error::NotFound);
        }
        session::tell_ended(tx, vec![session]);
        audit::record(tx, &by, Action::SessionEnded, None, "")
    };
    accounts.store.write(act).await
}

/// Every account of this server, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_accounts(accounts: &Accounts) -> Result<Vec<Account>> {
    store::all(&accounts.store).await
}

/// Whether anybody has an account on this server.
///
/// # Errors
/// When the database fails.
pub async fn any_account(accounts: &Accounts) -> Result<bool> {
    store::any(&accounts.store).await
}
