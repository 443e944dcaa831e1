//! Another address to sign in with.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::storage::Tx;

use super::{Account, Accounts, Shown, email, store, write_confirmed};

/// Changes the address of somebody who shows who they are. A link to set a new password, if there is one, works no longer.
///
/// # Errors
/// `EmailTaken`; an address that is none; see [`write_confirmed`].
pub async fn change_email(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    shown: Shown<'_>,
    asked: &str,
) -> Result<Account> {
    let (writer, id, new) = (by.clone(), account.id, email::normalise(asked)?);
    let act = move |tx: &mut Tx| {
        store::set_email(tx, id, &new)?;
        store::remove_reset(tx, id)?;
        audit::record(tx, &writer, Action::EmailChanged, None, &new)
    };
    write_confirmed(accounts, by, account, shown, act).await?;
    store::by_id(&accounts.store, id).await?.ok_or(Error::NotFound)
}
