//! Setting a new password by a link, for somebody who forgot the old one. The operator of the machine makes the link.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::SessionId;
use crate::secret::{Secret, digest, random_text};
use crate::storage::Tx;

use super::{Account, Accounts, Place, session, store};

/// Seconds for which a link works.
const LIFETIME_S: i64 = 24 * 60 * 60;

/// Makes the token of a link, which works once and for a day. An earlier link of the account works no longer.
///
/// # Errors
/// When the database fails.
pub async fn create_reset(accounts: &Accounts, account: &Account) -> Result<Secret> {
    let token = random_text(32);
    let (hash, id) = (digest(&token), account.id);
    let act = move |tx: &mut Tx| {
        let expires_at = tx.now().plus_seconds(LIFETIME_S);
        store::put_reset(tx, id, hash, expires_at)?;
        audit::record(tx, &By::on_machine(id), Action::PasswordResetCreated, None, "")
    };
    accounts.store.write(act).await?;
    Ok(Secret::new(token))
}

/// The account whose password a link sets.
///
/// # Errors
/// `NotFound` when the link was used or replaced, or has expired.
pub async fn find_reset(accounts: &Accounts, token: &str) -> Result<Account> {
    store::by_reset(&accounts.store, digest(token), accounts.store.now()).await?.ok_or(Error::NotFound)
}

/// Sets a new password. The link is used up and all sessions end. Two-factor authentication stays as it is.
///
/// # Errors
/// `NotFound` as above; `WeakPassword`.
pub async fn reset_password(accounts: &Accounts, token: &str, new: &str, place: &Place) -> Result<()> {
    const NONE: SessionId = SessionId(0);
    let account = find_reset(accounts, token).await?;
    let password_hash = accounts.passwords.hash(new, &[&account.email, &account.name]).await?;
    let (token_hash, by) = (digest(token), By::at(account.id, &place.address));
    let act = move |tx: &mut Tx| {
        if !store::use_reset(tx, token_hash)? || !store::set_password(tx, account.id, &password_hash)? {
            return Err(Error::NotFound);
        }
        session::end_others(tx, account.id, NONE)?;
        audit::record(tx, &by, Action::PasswordChanged, None, "")
    };
    accounts.store.write(act).await
}
