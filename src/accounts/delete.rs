//! Leaving for good: the account goes, with its sessions.

use crate::audit::{self, Action, By};
use crate::error::Result;
use crate::events::{self, Effect};
use crate::storage::Tx;

use super::{Account, Accounts, Shown, store, write_confirmed};

/// Deletes an account whose owner shows who they are. `remove_owned` removes what belongs to the account, in the same
/// transaction. Everything happens, or nothing.
///
/// # Errors
/// See [`write_confirmed`]; what `remove_owned` returns.
pub async fn delete(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    shown: Shown<'_>,
    mut remove_owned: impl FnMut(&mut Tx) -> Result<()> + Send + 'static,
) -> Result<()> {
    let (writer, deleted) = (by.clone(), account.id);
    let act = move |tx: &mut Tx| {
        // First: who has no account is told so, and not that the workspace is gone.
        events::effect(tx, Effect::AccountEnded(deleted));
        remove_owned(tx)?;
        store::delete(tx, deleted)?;
        audit::record(tx, &writer, Action::AccountDeleted, None, "")
    };
    write_confirmed(accounts, by, account, shown, act).await
}
