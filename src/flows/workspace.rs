//! Making another workspace, and deleting one with all its sites.

use crate::accounts::{self, Account, Accounts, Shown};
use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::WorkspaceId;
use crate::members::{self, Member, Role};
use crate::sites;
use crate::storage::{Store, Tx};
use crate::workspaces;

/// Makes a workspace that the account owns.
///
/// # Errors
/// A name that is empty or too long; `Conflict` for somebody with 100 workspaces.
pub async fn create_workspace(store: &Store, by: &By, account: &Account, asked: &str) -> Result<WorkspaceId> {
    let name = workspaces::name(asked)?;
    let (by, account) = (by.clone(), account.id);
    let act = move |tx: &mut Tx| {
        let workspace = workspaces::add(tx, &name)?;
        members::add_owner(tx, workspace.id, account)?;
        audit::record(tx, &by.clone().in_workspace(workspace.id), Action::WorkspaceCreated, None, &name)?;
        Ok(workspace.id)
    };
    store.write(act).await
}

/// Deletes a workspace with its sites, for an owner who shows who they are and types its name. Conversations and images are
/// purged afterwards.
///
/// # Errors
/// `Invalid` when the name is another; `NotFound`; see [`accounts::write_confirmed`].
pub async fn delete_workspace(
    accounts: &Accounts,
    by: &By,
    (account, member): (&Account, &Member),
    shown: Shown<'_>,
    typed: &str,
) -> Result<()> {
    let (writer, workspace, typed) = (by.clone(), member.workspace_id, typed.to_owned());
    let owner = account.id;
    let act = move |tx: &mut Tx| {
        members::standing(tx, workspace, owner)?.check_role(Role::Owner)?;
        delete_typed(tx, &writer, workspace, &typed)
    };
    accounts::write_confirmed(accounts, by, account, shown, act).await
}

/// The same, for the operator of the machine, who types the name.
///
/// # Errors
/// `Invalid` when the name is another; `NotFound`.
pub async fn remove_workspace(store: &Store, by: &By, workspace: WorkspaceId, typed: &str) -> Result<()> {
    let (by, typed) = (by.clone(), typed.to_owned());
    store.write(move |tx| delete_typed(tx, &by, workspace, &typed)).await
}

fn delete_typed(tx: &mut Tx, by: &By, workspace: WorkspaceId, typed: &str) -> Result<()> {
    let found = workspaces::store::by_id_in(tx, workspace)?.ok_or(Error::NotFound)?;
    if found.name != typed.trim() {
        return Err(Error::invalid("name", "type the name of the workspace as it is written"));
    }
    delete_in(tx, by, workspace, &found.name)
}

/// The same, in a transaction that has proved who asks.
pub(super) fn delete_in(tx: &mut Tx, by: &By, workspace: WorkspaceId, name: &str) -> Result<()> {
    let by = by.clone().in_workspace(workspace);
    sites::delete_all_of(tx, &by, workspace)?;
    members::remove_all(tx, workspace)?;
    workspaces::store::delete(tx, workspace)?;
    audit::record(tx, &by, Action::WorkspaceDeleted, None, name)
}
