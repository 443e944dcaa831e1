//! Inviting somebody by a link that works once.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{InvitationId, SiteId, WorkspaceId};
use crate::secret::{Secret, digest, random_text};
use crate::storage::{Kind, Store, Tx};
use crate::text;

use super::change::check_sites;
use super::store::{self, NamedInvitation};
use super::{Actor, Invitation, MOST_INVITATIONS, Member, NOTE_GRAPHEMES, Role, SiteScope, check_grant};

/// Longest time that a link works, in days.
const MOST_DAYS: i64 = 30;
const DAY_S: i64 = 24 * 60 * 60;

/// What an invitation gives.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// For whom it is: a name or an address; 1 to 120 characters.
    pub note: String,
    /// The role.
    pub role: Role,
    /// The sites; `None`: all.
    pub sites: Option<Vec<SiteId>>,
    /// Days for which the link works, 1 to 30.
    pub days: i64,
}

/// Makes an invitation, and the token of its link, which is not kept and cannot be shown again.
///
/// # Errors
/// A field that is refused; `RoleRequired`; `Conflict` when there are 200 open ones.
pub async fn invite(store: &Store, by: &By, actor: &Actor, new: NewInvitation) -> Result<(Invitation, Secret)> {
    let note = text::line(&new.note);
    if !(1..=NOTE_GRAPHEMES).contains(&text::graphemes(&note)) {
        return Err(Error::invalid("note", format!("say for whom it is, in at most {NOTE_GRAPHEMES} characters")));
    }
    if !(1..=MOST_DAYS).contains(&new.days) {
        return Err(Error::invalid("days", format!("1 to {MOST_DAYS} days")));
    }
    let sites = SiteScope::of(new.sites);
    check_grant(new.role, &sites)?;
    actor.may_grant(new.role, &sites)?;
    let token = random_text(32);
    let (by, hash, actor) = (by.clone(), digest(&token), actor.clone());
    let (workspace, inviter) = (actor.workspace(), actor.account());
    let act = move |tx: &mut Tx| {
        actor.as_it_stands(tx)?.may_grant(new.role, &sites)?;
        check_sites(tx, workspace, &sites)?;
        store::remove_expired_invitations(tx, workspace)?;
        if store::count_invitations(tx, workspace)? >= MOST_INVITATIONS {
            return Err(Error::Conflict("there are 200 open invitations; withdraw some of them first"));
        }
        let invitation = Invitation {
            workspace_id: workspace,
            id: tx.next_id(Kind::Invitation, InvitationId)?,
            note: note.clone(),
            role: new.role,
            sites: sites.clone(),
            invited_by: inviter,
            created_at: tx.now(),
            expires_at: tx.now().plus_seconds(new.days * DAY_S),
        };
        store::insert_invitation(tx, &invitation, hash)?;
        events::effect(tx, Effect::InvitationsChanged(workspace));
        audit::record(tx, &by, Action::MemberInvited, None, &format!("{note}: {}", new.role.as_str()))?;
        Ok(invitation)
    };
    let invitation = store.write(act).await?;
    Ok((invitation, Secret::new(token)))
}

/// The open invitations that `viewer` may know of, newest first.
///
/// # Errors
/// When the database fails.
pub async fn invitations(store: &Store, viewer: &Member) -> Result<Vec<NamedInvitation>> {
    let mut all = store::invitations(store, viewer.workspace_id, store.now()).await?;
    all.retain(|one| viewer.sites.covers(&one.invitation.sites));
    Ok(all)
}

/// The open invitation of a link.
///
/// # Errors
/// `NotFound` when it was used or withdrawn, or has expired.
pub async fn invitation(store: &Store, token: &str) -> Result<NamedInvitation> {
    store::invitation(store, digest(token), store.now()).await?.ok_or(Error::NotFound)
}

/// Withdraws an invitation: its link works no longer.
///
/// # Errors
/// `NotFound`; `RoleRequired` for one that gives more than the actor has.
pub async fn withdraw(store: &Store, by: &By, actor: &Member, invitation: InvitationId) -> Result<()> {
    let workspace: WorkspaceId = actor.workspace_id;
    let found = invitations(store, actor).await?.into_iter().find(|one| one.invitation.id == invitation);
    let found = found.ok_or(Error::NotFound)?.invitation;
    actor.may_grant(found.role, &found.sites)?;
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        if !store::delete_invitation(tx, workspace, invitation)? {
            return Err(Error::NotFound);
        }
        events::effect(tx, Effect::InvitationsChanged(workspace));
        audit::record(tx, &by, Action::InvitationWithdrawn, None, &found.note)
    };
    store.write(act).await
}
