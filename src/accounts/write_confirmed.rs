//! Acts for which the password is shown every time, and a code where two-factor authentication is on.

use crate::audit::By;
use crate::error::Result;
use crate::storage::Tx;

use super::attempts::{Attempt, Source, code_attempt};
use super::change_password::confirm;
use super::{Account, Accounts, second_factor};

/// What is shown every time.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The password, in clear.
    pub password: &'a str,
    /// A code of the second factor, or a recovery code.
    pub code: Option<&'a str>,
}

/// Runs `act` in a write transaction for somebody who shows who they are.
///
/// # Errors
/// `WrongPassword`, `SecondFactorRequired`, `WrongCode`, `TooManyRequests`; what `act` returns.
pub async fn write_confirmed<T: Send + 'static>(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    shown: Shown<'_>,
    act: impl FnMut(&mut Tx) -> Result<T> + Send + 'static,
) -> Result<T> {
    confirm(accounts, account, shown.password).await?;
    let attempt = shown.code.map(|_| code_attempt(&accounts.attempts, &account.email, Source::Session)).transpose()?;
    let done = second_factor::write(accounts, by, account.id, shown.code, act).await?;
    attempt.into_iter().for_each(Attempt::succeeded);
    Ok(done)
}
