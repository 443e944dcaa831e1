//! Deletes an account with its sites and their messages.

use crate::accounts::{self, Account, Accounts};
use crate::audit::By;
use crate::error::Result;
use crate::sites;

/// Deletes an account with its sites, in one transaction. The owner gives the password again, and a code when two-factor
/// authentication is on.
///
/// # Errors
/// `WrongCredentials`, `SecondFactorRequired`, `WrongCode`, `TooManyRequests`.
pub async fn delete_account(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    shown: (&str, Option<&str>),
) -> Result<()> {
    let (owner, writer) = (account.id, by.clone());
    accounts::delete(accounts, by, account, shown, move |tx| sites::delete_all_of(tx, &writer, owner)).await
}
