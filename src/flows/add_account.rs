//! Making an account: with a workspace of its own, or as a member of the workspace that invited it.

use crate::accounts::{self, Account, Accounts, NewAccount, Place, SignedIn};
use crate::audit::By;
use crate::config::Signup;
use crate::error::{Error, Result};
use crate::members;
use crate::storage::Tx;
use crate::workspaces;

/// Makes an account with a workspace that it owns, and signs it in. `workspace`: its name; absent or blank: the person's.
///
/// # Errors
/// `SignupClosed`; a name that is too long; see [`accounts::sign_up`].
pub async fn sign_up(accounts: &Accounts, new: NewAccount, workspace: Option<&str>, place: Place) -> Result<SignedIn> {
    if accounts.signup == Signup::Closed {
        return Err(Error::SignupClosed);
    }
    let name = workspace.filter(|name| !name.trim().is_empty()).map(workspaces::name).transpose()?;
    let add = move |tx: &mut Tx, account: &Account| add_workspace(tx, account, name.as_deref());
    accounts::sign_up(accounts, new, place, add).await
}

/// Makes an account for the holder of an invitation, also where sign-up is closed, and signs it in. It gets no workspace of
/// its own.
///
/// # Errors
/// `NotFound` when the invitation was used or withdrawn, or has expired; see [`accounts::sign_up`].
pub async fn sign_up_invited(accounts: &Accounts, new: NewAccount, place: Place, token: &str) -> Result<SignedIn> {
    // Looked at first, so that hashing passwords costs strangers an invitation.
    members::invitation(&accounts.store, token).await?;
    let (token, address) = (token.to_owned(), place.address.clone());
    let join = move |tx: &mut Tx, account: &Account| {
        members::join_in(tx, &By::at(account.id, &address), account.id, &token).map(drop)
    };
    accounts::sign_up(accounts, new, place, join).await
}

/// Makes an account with a workspace that it owns, on the word of the machine's operator.
///
/// # Errors
/// See [`accounts::add_account`].
pub async fn add_account(accounts: &Accounts, new: NewAccount) -> Result<Account> {
    accounts::add_account(accounts, new, |tx, account| add_workspace(tx, account, None)).await
}

fn add_workspace(tx: &mut Tx, account: &Account, name: Option<&str>) -> Result<()> {
    let workspace = workspaces::add(tx, name.unwrap_or(&account.name))?;
    members::add_owner(tx, workspace.id, account.id)
}
