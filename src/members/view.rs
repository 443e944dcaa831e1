//! What members may see of each other.

use serde::Serialize;

use crate::clock::Millis;
use crate::id::{AccountId, InvitationId, SiteId, WorkspaceId};

use super::store::{Membership, Named, NamedInvitation};
use super::{Invitation, Member, Role, SiteScope};

/// A workspace of the signed-in person.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct MembershipView {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// What they may do in it.
    pub role: Role,
    /// The sites that they look after; null: all.
    pub sites: Option<Vec<SiteId>>,
}

impl From<Membership> for MembershipView {
    fn from(Membership { member, name }: Membership) -> MembershipView {
        MembershipView { id: member.workspace_id, name, role: member.role, sites: member.sites.list() }
    }
}

/// A member as a colleague sees them.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct MemberView {
    /// The person.
    pub account_id: AccountId,
    /// Their name, which visitors see.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Path of their picture.
    pub photo: Option<String>,
    /// What they may do.
    pub role: Role,
    /// The sites that they look after, as far as the viewer may know them; null: all.
    pub sites: Option<Vec<SiteId>>,
    /// Whether they may work.
    pub active: bool,
    /// Whether a console of theirs is open and visible.
    pub online: bool,
    /// Since when they are a member.
    pub created_at: Millis,
    /// The viewer themselves.
    pub me: bool,
}

impl MemberView {
    /// As `viewer` sees them. `photo_path` makes the path of a file name.
    pub fn new(named: Named, viewer: &Member, online: bool, photo_path: fn(&str) -> String) -> MemberView {
        let Named { member, name, email, photo } = named;
        let sites = match (&viewer.sites, &member.sites) {
            (SiteScope::Only(own), SiteScope::All) => Some(own.iter().copied().collect()),
            _ => {
                member.sites.list().map(|sites| sites.into_iter().filter(|site| viewer.sites.contains(*site)).collect())
            }
        };
        MemberView {
            account_id: member.account_id,
            name,
            email,
            photo: photo.as_deref().map(photo_path),
            role: member.role,
            sites,
            active: member.active,
            online,
            created_at: member.created_at,
            me: member.account_id == viewer.account_id,
        }
    }
}

/// An open invitation.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct InvitationView {
    /// Its number.
    pub id: InvitationId,
    /// For whom it is.
    pub note: String,
    /// The role that it gives.
    pub role: Role,
    /// The sites that it gives; null: all.
    pub sites: Option<Vec<SiteId>>,
    /// Name of who made it; empty: the operator of the server.
    pub invited_by: String,
    /// When.
    pub created_at: Millis,
    /// Until when the link works.
    pub expires_at: Millis,
}

impl From<NamedInvitation> for InvitationView {
    fn from(NamedInvitation { invitation, inviter, workspace: _ }: NamedInvitation) -> InvitationView {
        InvitationView::new(invitation, inviter)
    }
}

impl InvitationView {
    /// Of an invitation, and the name of who made it.
    pub fn new(invitation: Invitation, inviter: String) -> InvitationView {
        InvitationView {
            id: invitation.id,
            note: invitation.note,
            role: invitation.role,
            sites: invitation.sites.list(),
            invited_by: inviter,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// An invitation as whoever holds its link sees it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct OfferView {
    /// Name of the workspace.
    pub workspace: String,
    /// The role that it gives.
    pub role: Role,
    /// Names of the sites that it gives; null: all.
    pub sites: Option<Vec<String>>,
    /// For whom it is.
    pub note: String,
    /// Name of who made it; empty: the operator of the server.
    pub invited_by: String,
    /// Until when the link works.
    pub expires_at: Millis,
}

impl OfferView {
    /// Of an invitation to the sites of these names.
    pub fn new(named: NamedInvitation, sites: Option<Vec<String>>) -> OfferView {
        let NamedInvitation { invitation, inviter, workspace } = named;
        let (role, note, expires_at) = (invitation.role, invitation.note, invitation.expires_at);
        OfferView { workspace, role, sites, note, invited_by: inviter, expires_at }
    }
}
