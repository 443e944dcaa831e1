//! Who changes the team.

use crate::error::{Error, Result};
use crate::id::{AccountId, WorkspaceId};
use crate::storage::Tx;

use super::{Member, Role, SiteScope, store};

/// Who changes the team of a workspace.
#[derive(Debug, Clone)]
pub enum Actor {
    /// One of its members, within their role and sites.
    Member(Member),
    /// The operator of the machine, on the command line: sees and may grant everything. The rules of the workspace hold
    /// for them too, such as that it keeps an owner.
    Machine(WorkspaceId),
}

impl Actor {
    /// The workspace.
    pub fn workspace(&self) -> WorkspaceId {
        match self {
            Actor::Member(member) => member.workspace_id,
            Actor::Machine(workspace) => *workspace,
        }
    }

    /// Whose account it is; `None` for the operator of the machine.
    pub(super) fn account(&self) -> Option<AccountId> {
        match self {
            Actor::Member(member) => Some(member.account_id),
            Actor::Machine(_) => None,
        }
    }

    /// Checks that this actor may change or remove the member. See [`Member::may_manage`].
    pub(super) fn may_manage(&self, other: &Member) -> Result<()> {
        match self {
            Actor::Member(member) => member.may_manage(other),
            Actor::Machine(_) => Ok(()),
        }
    }

    /// Checks that this actor may give this role on these sites. See [`Member::may_grant`].
    pub(super) fn may_grant(&self, role: Role, sites: &SiteScope) -> Result<()> {
        match self {
            Actor::Member(member) => member.may_grant(role, sites),
            Actor::Machine(_) => Ok(()),
        }
    }

    /// The actor as it stands in this transaction: rights that were proved when a request began may have ended since.
    ///
    /// # Errors
    /// `NotFound` when the actor works here no longer.
    pub(super) fn as_it_stands(&self, tx: &mut Tx) -> Result<Actor> {
        match self {
            Actor::Member(member) => standing(tx, member.workspace_id, member.account_id).map(Actor::Member),
            Actor::Machine(workspace) => Ok(Actor::Machine(*workspace)),
        }
    }

    /// The actor as it stands in this transaction, and the member that it is about.
    ///
    /// # Errors
    /// `NotFound` when the actor works here no longer, or may not know of the member.
    pub(super) fn with_member(&self, tx: &mut Tx, account: AccountId) -> Result<(Actor, Member)> {
        match self {
            Actor::Member(member) => {
                let (actor, member) = pair(tx, member.workspace_id, member.account_id, account)?;
                Ok((Actor::Member(actor), member))
            }
            Actor::Machine(workspace) => {
                let member = store::find_in(tx, *workspace, account)?.ok_or(Error::NotFound)?;
                Ok((Actor::Machine(*workspace), member))
            }
        }
    }
}

/// The active membership of a person, as it stands in this transaction.
///
/// # Errors
/// `NotFound`.
pub fn standing(tx: &mut Tx, workspace: WorkspaceId, account: AccountId) -> Result<Member> {
    store::find_in(tx, workspace, account)?.filter(|member| member.active).ok_or(Error::NotFound)
}

/// A member who acts as they stand now, and the member that it is about.
///
/// # Errors
/// `NotFound` when the first works here no longer, or may not know of the second.
pub(super) fn pair(
    tx: &mut Tx,
    workspace: WorkspaceId,
    actor: AccountId,
    account: AccountId,
) -> Result<(Member, Member)> {
    let actor = standing(tx, workspace, actor)?;
    let member = store::find_in(tx, workspace, account)?.filter(|member| actor.sites.meets(&member.sites));
    Ok((actor, member.ok_or(Error::NotFound)?))
}
