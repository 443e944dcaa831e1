//! Leaving for good: the account goes, with its sessions.

use crate::audit::{self, Action, By};
use crate::error::Result;
use crate::events::{self, Effect};
use crate::storage::Tx;

use super::attempts::{Attempt, Source, code_attempt};
use super::change_password::confirm;
use super::{Account, Accounts, second_factor, store};

/// Deletes an account whose owner shows the password once more, and a code where two-factor authentication is on.
/// `remove_owned` removes what belongs to the account, in the same transaction. Everything happens, or nothing.
///
/// # Errors
/// `WrongPassword`, `SecondFactorRequired`, `WrongCode`, `TooManyRequests`.
pub async fn delete(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    (password, code): (&str, Option<&str>),
    mut remove_owned: impl FnMut(&mut Tx) -> Result<()> + Send + 'static,
) -> Result<()> {
    confirm(accounts, account, password).await?;
    let attempt = code.map(|_| code_attempt(&accounts.attempts, &account.email, Source::Session)).transpose()?;
    let (writer, account) = (by.clone(), account.id);
    let act = move |tx: &mut Tx| {
        remove_owned(tx)?;
        store::delete(tx, account)?;
        events::effect(tx, Effect::AccountEnded(account));
        audit::record(tx, &writer, Action::AccountDeleted, None, "")
    };
    second_factor::write(accounts, by, account, code, act).await?;
    attempt.into_iter().for_each(Attempt::succeeded);
    Ok(())
}
