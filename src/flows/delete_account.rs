//! Leaving for good: the account goes, and its sites with all that was said on them.

use crate::accounts::{self, Account, Accounts};
use crate::audit::By;
use crate::error::Result;
use crate::sites;

/// Deletes an account with its sites, whose owner shows the password once more, and a code where two-factor authentication
/// is on. Everything happens, or nothing.
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
