//! Making an account with a workspace of its own.

use crate::accounts::{self, Account, Accounts, NewAccount, Place, SignedIn};
use crate::error::Result;
use crate::members::{self, Member, Role, SiteScope};
use crate::storage::Tx;
use crate::workspaces;

/// Makes an account with a workspace that it owns, and signs it in.
///
/// # Errors
/// See [`accounts::sign_up`].
pub async fn sign_up(accounts: &Accounts, new: NewAccount, place: Place) -> Result<SignedIn> {
    accounts::sign_up(accounts, new, place, add_workspace).await
}

/// Makes an account with a workspace that it owns, on the word of the machine's operator.
///
/// # Errors
/// See [`accounts::add_account`].
pub async fn add_account(accounts: &Accounts, new: NewAccount) -> Result<Account> {
    accounts::add_account(accounts, new, add_workspace).await
}

fn add_workspace(tx: &mut Tx, account: &Account) -> Result<()> {
    let workspace = workspaces::add(tx, &account.name)?;
    let owner = Member {
        workspace_id: workspace.id,
        account_id: account.id,
        role: Role::Owner,
        sites: SiteScope::All,
        version: 1,
        created_at: workspace.created_at,
    };
    members::store::insert(tx, &owner)
}
