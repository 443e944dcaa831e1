//! Removing a member, and leaving.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{AccountId, WorkspaceId};
use crate::storage::{Store, Tx};

use super::change::check_owned;
use super::{Actor, Member, store};

/// Removes a member. Their open consoles of the workspace close; what they wrote stays under their name.
///
/// # Errors
/// `NotFound` for somebody whom the actor may not know of; `RoleRequired`; `LastOwner`.
pub async fn remove(store: &Store, by: &By, actor: &Actor, account: AccountId) -> Result<()> {
    let (by, actor) = (by.clone(), actor.clone());
    let act = move |tx: &mut Tx| {
        let (actor, member) = actor.with_member(tx, account)?;
        actor.may_manage(&member)?;
        let workspace = actor.workspace();
        let email = store::email(tx, account)?;
        audit::record(tx, &by, Action::MemberRemoved, None, &email)?;
        delete(tx, workspace, account)?;
        check_owned(tx, workspace)
    };
    store.write(act).await
}

/// Ends one's own membership.
///
/// # Errors
/// `LastOwner`; `NotFound` when it has ended already.
pub async fn leave(store: &Store, by: &By, member: &Member) -> Result<()> {
    let (by, workspace, account) = (by.clone(), member.workspace_id, member.account_id);
    let act = move |tx: &mut Tx| {
        let email = store::email(tx, account)?;
        audit::record(tx, &by, Action::MemberLeft, None, &email)?;
        delete(tx, workspace, account)?;
        check_owned(tx, workspace)
    };
    store.write(act).await
}

/// Ends a membership as part of deleting the account.
///
/// # Errors
/// `LastOwner`.
pub fn remove_account(tx: &mut Tx, by: &By, workspace: WorkspaceId, account: AccountId) -> Result<()> {
    let email = store::email(tx, account)?;
    audit::record(tx, &by.clone().in_workspace(workspace), Action::MemberLeft, None, &email)?;
    delete(tx, workspace, account)?;
    check_owned(tx, workspace)
}

/// Ends all memberships and invitations of a workspace, as part of deleting it.
///
/// # Errors
/// When the database fails.
pub fn remove_all(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    for account in store::accounts_of(tx, workspace)? {
        delete(tx, workspace, account)?;
    }
    Ok(())
}

/// The workspaces of a person with their names, those where they are not active included.
///
/// # Errors
/// When the database fails.
pub fn workspaces_of(tx: &mut Tx, account: AccountId) -> Result<Vec<(WorkspaceId, String)>> {
    store::workspaces_of(tx, account)
}

/// Whether nobody else is a member.
///
/// # Errors
/// When the database fails.
pub fn is_only_member(tx: &mut Tx, workspace: WorkspaceId, account: AccountId) -> Result<bool> {
    Ok(store::accounts_of(tx, workspace)? == [account])
}

fn delete(tx: &mut Tx, workspace: WorkspaceId, account: AccountId) -> Result<()> {
    if !store::delete(tx, workspace, account)? {
        return Err(Error::NotFound);
    }
    store::withdraw_invitations_by(tx, workspace, account)?;
    events::effect(tx, Effect::MemberRemoved(workspace, account));
    Ok(())
}
