//! A member is a person in a workspace, with a role and the sites that they look after.
//!
//! Who manages whom is decided here, by [`Member::may_manage`] and [`Member::may_grant`], and nowhere else.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::events::Holder;
use crate::id::{AccountId, InvitationId, SiteId, WorkspaceId};

mod role;
mod actor;
mod find;
mod add;
mod add_owner;
mod change;
mod remove;
mod transfer;
mod invite;
mod join;
pub mod store;
pub mod view;

pub use actor::{Actor, standing};
pub use add::add;
pub use add_owner::add_owner;
pub use change::{MemberChange, change};
pub use find::{all_members, colleagues, find, member_of, memberships, owners};
pub use invite::{NewInvitation, invitation, invitations, invite, withdraw};
pub use join::{join, join_in};
pub use remove::{is_only_member, leave, remove, remove_account, remove_all, workspaces_of};
pub use role::Role;
pub use store::SQL;
pub use transfer::transfer;

/// Most members of one workspace.
const MOST_MEMBERS: i64 = 1_000;
/// Most workspaces of one person.
const MOST_WORKSPACES: i64 = 100;
/// Most open invitations of one workspace.
const MOST_INVITATIONS: i64 = 200;
/// Longest note on an invitation, in characters.
const NOTE_GRAPHEMES: usize = 120;

/// The sites of a workspace that a member may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteScope {
    /// All, those made later included.
    All,
    /// These, and nothing of the others: neither their names nor who works on them.
    Only(Arc<BTreeSet<SiteId>>),
}

impl SiteScope {
    /// The scope of a request: no list means all.
    pub fn of(sites: Option<Vec<SiteId>>) -> SiteScope {
        sites.map_or(SiteScope::All, |sites| SiteScope::Only(Arc::new(sites.into_iter().collect())))
    }

    /// Whether the site is among them.
    pub fn contains(&self, site: SiteId) -> bool {
        match self {
            SiteScope::All => true,
            SiteScope::Only(sites) => sites.contains(&site),
        }
    }

    /// The sites it is limited to; `None` for all of the workspace.
    pub fn limit(&self) -> Option<&BTreeSet<SiteId>> {
        match self {
            SiteScope::All => None,
            SiteScope::Only(sites) => Some(sites),
        }
    }

    /// Whose cursors the consoles of such a member have.
    pub fn cursor_holder(&self, workspace: WorkspaceId, version: i64) -> Holder {
        Holder::Console { workspace, version, limited: self.limit().is_some() }
    }

    /// Whether every site of `other` is among them.
    pub fn covers(&self, other: &SiteScope) -> bool {
        match (self, other) {
            (SiteScope::All, _) => true,
            (SiteScope::Only(_), SiteScope::All) => false,
            (SiteScope::Only(own), SiteScope::Only(other)) => other.is_subset(own),
        }
    }

    /// Whether both have a site in common.
    pub fn meets(&self, other: &SiteScope) -> bool {
        match (self, other) {
            (SiteScope::All, _) | (_, SiteScope::All) => true,
            (SiteScope::Only(own), SiteScope::Only(other)) => !own.is_disjoint(other),
        }
    }

    /// The sites as a list; `None`: all.
    pub fn list(&self) -> Option<Vec<SiteId>> {
        self.limit().map(|sites| sites.iter().copied().collect())
    }
}

/// A person in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The person.
    pub account_id: AccountId,
    /// What they may do.
    pub role: Role,
    /// Where they may do it.
    pub sites: SiteScope,
    /// Whether they may work at all; an inactive member keeps its place in the list.
    pub active: bool,
    /// Rises with every change of role, sites or activity.
    pub version: i64,
    /// Since when.
    pub created_at: Millis,
}

impl Member {
    /// Whose cursors the member's consoles have.
    pub fn cursor_holder(&self) -> Holder {
        self.sites.cursor_holder(self.workspace_id, self.version)
    }

    /// Checks that the role allows what needs `role`.
    ///
    /// # Errors
    /// `RoleRequired`.
    pub fn check_role(&self, role: Role) -> Result<()> {
        if self.role >= role { Ok(()) } else { Err(Error::RoleRequired) }
    }

    /// Checks that this member looks after all sites, as what concerns the whole workspace needs.
    ///
    /// # Errors
    /// `RoleRequired`.
    pub fn check_all_sites(&self) -> Result<()> {
        if self.sites == SiteScope::All { Ok(()) } else { Err(Error::RoleRequired) }
    }

    /// Checks that this member may change or remove `other`: an admin or owner, not somebody above them, and nobody who
    /// also looks after sites that are not theirs.
    ///
    /// # Errors
    /// `RoleRequired`.
    pub fn may_manage(&self, other: &Member) -> Result<()> {
        self.may_grant(other.role, &other.sites)
    }

    /// Checks that this member may give this role on these sites: never more than they have themselves.
    ///
    /// # Errors
    /// `RoleRequired`.
    pub fn may_grant(&self, role: Role, sites: &SiteScope) -> Result<()> {
        let may = self.role >= Role::Admin && self.role >= role && self.sites.covers(sites);
        if may { Ok(()) } else { Err(Error::RoleRequired) }
    }
}

/// A link that makes whoever opens it a member, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Its number.
    pub id: InvitationId,
    /// For whom it is: a name or an address.
    pub note: String,
    /// The role that it gives.
    pub role: Role,
    /// The sites that it gives.
    pub sites: SiteScope,
    /// Who made it; `None`: the operator of the machine.
    pub invited_by: Option<AccountId>,
    /// When.
    pub created_at: Millis,
    /// Until when it works.
    pub expires_at: Millis,
}

/// Checks that the role and sites fit together: owners look after all sites, and nobody after none.
fn check_grant(role: Role, sites: &SiteScope) -> Result<()> {
    match sites {
        SiteScope::Only(_) if role == Role::Owner => Err(Error::invalid("sites", "an owner looks after all sites")),
        SiteScope::Only(sites) if sites.is_empty() => Err(Error::invalid("sites", "choose one site at least")),
        SiteScope::All | SiteScope::Only(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(role: Role, sites: &[i64]) -> Member {
        let sites = if sites.is_empty() { SiteScope::All } else { only(sites) };
        let (workspace_id, account_id) = (WorkspaceId(1), AccountId(2));
        Member { workspace_id, account_id, role, sites, active: true, version: 1, created_at: Millis(0) }
    }

    fn only(sites: &[i64]) -> SiteScope {
        SiteScope::of(Some(sites.iter().copied().map(SiteId).collect()))
    }

    #[test]
    fn nobody_grants_more_than_they_have() {
        let (owner, admin) = (member(Role::Owner, &[]), member(Role::Admin, &[]));
        let (limited, operator) = (member(Role::Admin, &[1, 2]), member(Role::Operator, &[]));
        assert!(owner.may_grant(Role::Owner, &SiteScope::All).is_ok());
        assert!(admin.may_grant(Role::Admin, &only(&[3])).is_ok());
        assert!(admin.may_grant(Role::Owner, &SiteScope::All).is_err());
        assert!(limited.may_grant(Role::Operator, &only(&[1])).is_ok());
        assert!(limited.may_grant(Role::Operator, &only(&[1, 3])).is_err());
        assert!(limited.may_grant(Role::Viewer, &SiteScope::All).is_err());
        assert!(operator.may_grant(Role::Viewer, &only(&[1])).is_err());
        assert!(admin.may_manage(&owner).is_err() && owner.may_manage(&admin).is_ok());
    }

    #[test]
    fn scopes_are_compared_as_sets() {
        assert!(SiteScope::All.covers(&only(&[1])) && !only(&[1]).covers(&SiteScope::All));
        assert!(only(&[1, 2]).covers(&only(&[2])) && !only(&[1]).covers(&only(&[1, 2])));
        assert!(only(&[1, 2]).meets(&only(&[2, 3])) && !only(&[1]).meets(&only(&[2])));
        assert!(only(&[1]).contains(SiteId(1)) && !only(&[1]).contains(SiteId(2)));
    }
}
