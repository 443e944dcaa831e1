//! Becoming a member through an invitation.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{AccountId, WorkspaceId};
use crate::secret::digest;
use crate::storage::{Store, Tx};

use super::actor::standing;
use super::{MOST_MEMBERS, MOST_WORKSPACES, Member, Role, SiteScope, store};

/// Makes a signed-in person a member. The invitation is used up.
///
/// # Errors
/// `NotFound` when it was used or withdrawn, or has expired; `Conflict` for somebody who is a member already, and for
/// somebody deactivated whom the inviter may not change.
pub async fn join(store: &Store, by: &By, account: AccountId, token: &str) -> Result<WorkspaceId> {
    let (by, token) = (by.clone(), token.to_owned());
    store.write(move |tx| join_in(tx, &by, account, &token)).await
}

/// The same, as part of making the account.
///
/// # Errors
/// See [`join`].
pub fn join_in(tx: &mut Tx, by: &By, account: AccountId, token: &str) -> Result<WorkspaceId> {
    let invitation = store::take_invitation(tx, digest(token))?.ok_or(Error::NotFound)?;
    let workspace = invitation.workspace_id;
    // Somebody who was deactivated comes back by the word of a colleague who may change them.
    if let Some(inactive) = store::find_in(tx, workspace, account)?.filter(|member| !member.active)
        && let Some(inviter) = invitation.invited_by
        && standing(tx, workspace, inviter)?.may_manage(&inactive).is_err()
    {
        return Err(Error::Conflict("you were deactivated in this workspace; ask an admin to activate you again"));
    }
    let taken = Error::Conflict("you are a member of this workspace already");
    let email = enter(tx, (workspace, account), (invitation.role, invitation.sites), taken)?;
    audit::record(tx, &by.clone().in_workspace(workspace), Action::MemberJoined, None, &email)?;
    Ok(workspace)
}

/// Makes an account an active member, and returns its address for the audit log.
///
/// # Errors
/// `taken` when it is one already; `Conflict` when the workspace has 1,000 members, or the person 100 workspaces.
pub(super) fn enter(
    tx: &mut Tx,
    (workspace, account): (WorkspaceId, AccountId),
    (role, sites): (Role, SiteScope),
    taken: Error,
) -> Result<String> {
    let before = store::find_in(tx, workspace, account)?;
    if before.as_ref().is_some_and(|member| member.active) {
        return Err(taken);
    }
    if before.is_none() && store::count(tx, workspace)? >= MOST_MEMBERS {
        return Err(Error::Conflict("this workspace has 1,000 members; nobody can be added"));
    }
    if before.is_none() && store::count_of_account(tx, account)? >= MOST_WORKSPACES {
        return Err(Error::Conflict("nobody can be in more than 100 workspaces; leave or delete one first"));
    }
    let member = Member {
        workspace_id: workspace,
        account_id: account,
        role,
        sites,
        active: true,
        version: before.as_ref().map_or(tx.now().0, |member| member.version + 1),
        created_at: before.map_or(tx.now(), |member| member.created_at),
    };
    store::put(tx, &member)?;
    events::effect(tx, Effect::MemberChanged(workspace, account));
    store::email(tx, account)
}
