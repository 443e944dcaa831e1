//! Deletes an account with its sites and their messages.

use crate::accounts::{self, Account, Accounts};
use crate::audit::By;
use crate::error::Result;
use crate::members;
use crate::sites;
use crate::storage::Tx;

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
    let own = members::store::of_account(&accounts.store, account.id).await?;
    let (own, writer) = (own.into_iter().map(|member| member.workspace_id).collect::<Vec<_>>(), by.clone());
    let remove = move |tx: &mut Tx| own.iter().try_for_each(|workspace| sites::delete_all_of(tx, &writer, *workspace));
    accounts::delete(accounts, by, account, shown, remove).await
}
