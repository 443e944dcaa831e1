//! A new password. All other sessions end: whoever knew the old one is out.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{AccountId, SessionId};
use crate::storage::Tx;

use super::attempts::{Source, attempt};
use super::{Account, Accounts, session, store};

/// What somebody typed to change it.
pub struct PasswordChange {
    /// The present one.
    pub current: String,
    /// The next one.
    pub new: String,
}

/// Changes the password of somebody who knows the present one; `kept` is the session that asks.
///
/// # Errors
/// `WrongPassword`, `WeakPassword`, `TooManyRequests`.
pub async fn change_password(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    kept: SessionId,
    typed: PasswordChange,
) -> Result<()> {
    confirm(accounts, account, &typed.current).await?;
    replace(accounts, by, account.id, kept, &typed.new).await
}

/// Changes the password on the word of the machine's operator. All sessions end.
///
/// # Errors
/// `WeakPassword`, `NotFound`.
pub async fn set_password(accounts: &Accounts, account: AccountId, new: &str) -> Result<()> {
    const NONE: SessionId = SessionId(0);
    replace(accounts, &By::on_machine(account), account, NONE, new).await
}

/// Is this the account's password? Counted like a sign-in, because a borrowed browser can guess too.
pub(super) async fn confirm(accounts: &Accounts, account: &Account, password: &str) -> Result<()> {
    let attempt = attempt(&accounts.attempts, &account.email, Source::Session)?;
    let stored = store::password(&accounts.store, account.id).await?;
    if !accounts.passwords.check(password, stored.as_deref()).await? {
        return Err(Error::WrongPassword);
    }
    attempt.succeeded();
    Ok(())
}

async fn replace(accounts: &Accounts, by: &By, account: AccountId, kept: SessionId, new: &str) -> Result<()> {
    let owner = store::by_id(&accounts.store, account).await?.ok_or(Error::NotFound)?;
    let hash = accounts.passwords.hash(new, &[&owner.email, &owner.name]).await?;
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        if !store::set_password(tx, account, &hash)? {
            return Err(Error::NotFound);
        }
        session::end_others(tx, account, kept)?;
        audit::record(tx, &by, Action::PasswordChanged, None, "")
    };
    accounts.store.write(act).await
}
