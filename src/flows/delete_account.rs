//! Deletes an account with the workspaces that nobody else is in.

use crate::accounts::{self, Account, Accounts, Shown};
use crate::audit::By;
use crate::error::Result;
use crate::members;
use crate::storage::Tx;

use super::{photo, workspace};

/// Deletes an account in one transaction, with the workspaces of which it is the only member, their sites and messages. In other
/// workspaces it leaves.
///
/// # Errors
/// `LastOwner` where others work in a workspace that only this account owns; see [`accounts::write_confirmed`].
pub async fn delete_account(accounts: &Accounts, by: &By, account: &Account, shown: Shown<'_>) -> Result<()> {
    let (id, writer) = (account.id, by.clone());
    let remove = move |tx: &mut Tx| {
        photo::replace_in(tx, id, None)?;
        for (workspace, name) in members::workspaces_of(tx, id)? {
            if members::is_only_member(tx, workspace, id)? {
                workspace::delete_in(tx, &writer, workspace, &name)?;
            } else {
                members::remove_account(tx, &writer, workspace, id)?;
            }
        }
        Ok(())
    };
    accounts::delete(accounts, by, account, shown, remove).await
}
