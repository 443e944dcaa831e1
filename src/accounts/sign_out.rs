//! Leaving.

use crate::audit::{self, Action, By};
use crate::error::Result;
use crate::id::{AccountId, SessionId};
use crate::storage::Tx;

use super::{Accounts, session, store};

/// Ends a session; what is open under it closes.
///
/// # Errors
/// When the database fails. A session that is over already is fine.
pub async fn sign_out(accounts: &Accounts, by: &By, account: AccountId, session: SessionId) -> Result<()> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        if store::end_session(tx, account, session)? {
            audit::record(tx, &by, Action::SignedOut, None, "")?;
        }
        session::tell_ended(tx, vec![session]);
        Ok(())
    };
    accounts.store.write(act).await
}
