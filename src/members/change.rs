//! Changing what a member may do, and where.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{AccountId, SiteId, WorkspaceId};
use crate::storage::{Store, Tx};

use super::{Actor, Member, Role, SiteScope, check_grant, store};

/// A change of a member. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct MemberChange {
    /// The new role.
    pub role: Option<Role>,
    /// The new sites; `Some(None)`: all.
    pub sites: Option<Option<Vec<SiteId>>>,
    /// Whether the member may work.
    pub active: Option<bool>,
}

/// Changes a member. Their open consoles load anew; what they may do no longer is refused from now on.
///
/// # Errors
/// `NotFound` for somebody whom the actor may not know of; `RoleRequired`; `LastOwner`; a site that is not the workspace's.
pub async fn change(store: &Store, by: &By, actor: &Actor, account: AccountId, change: MemberChange) -> Result<()> {
    let (by, actor) = (by.clone(), actor.clone());
    let act = move |tx: &mut Tx| {
        let (actor, before) = actor.with_member(tx, account)?;
        actor.may_manage(&before)?;
        let mut after = before.clone();
        after.role = change.role.unwrap_or(before.role);
        after.active = change.active.unwrap_or(before.active);
        if let Some(sites) = &change.sites {
            after.sites = SiteScope::of(sites.clone());
        }
        check_grant(after.role, &after.sites)?;
        // First, so that nobody learns which sites there are beside their own.
        actor.may_grant(after.role, &after.sites)?;
        if change.sites.is_some() {
            // Only then: sites that stay as they are may have been deleted meanwhile.
            check_sites(tx, actor.workspace(), &after.sites)?;
        }
        save(tx, &by, &before, after)
    };
    store.write(act).await
}

fn save(tx: &mut Tx, by: &By, before: &Member, mut after: Member) -> Result<()> {
    if *before == after {
        return Ok(());
    }
    after.version += 1;
    store::put(tx, &after)?;
    check_owned(tx, after.workspace_id)?;
    withdraw_what_is_too_much(tx, before, &after)?;
    events::effect(tx, Effect::MemberChanged(after.workspace_id, after.account_id));
    let email = store::email(tx, after.account_id)?;
    audit::record(tx, by, Action::MemberChanged, None, &format!("{email}: {}", parts_of(before, &after)))
}

/// An invitation gives no more than who made it has: those from before are withdrawn when somebody has less than then.
pub(super) fn withdraw_what_is_too_much(tx: &mut Tx, before: &Member, after: &Member) -> Result<()> {
    if after.active && after.may_grant(before.role, &before.sites).is_ok() {
        return Ok(());
    }
    store::withdraw_invitations_by(tx, after.workspace_id, after.account_id)
}

/// What has changed, for the audit log.
fn parts_of(before: &Member, after: &Member) -> String {
    let mut parts = Vec::new();
    if before.role != after.role {
        parts.push(format!("{} to {}", before.role.as_str(), after.role.as_str()));
    }
    match (&after.sites, before.sites == after.sites) {
        (_, true) => {}
        (SiteScope::All, false) => parts.push("all sites".into()),
        (SiteScope::Only(sites), false) => parts.push(format!("{} sites", sites.len())),
    }
    match (before.active, after.active) {
        (true, false) => parts.push("deactivated".into()),
        (false, true) => parts.push("activated".into()),
        (true, true) | (false, false) => {}
    }
    parts.join(", ")
}

/// Checks that all sites are the workspace's.
pub(super) fn check_sites(tx: &mut Tx, workspace: WorkspaceId, sites: &SiteScope) -> Result<()> {
    let SiteScope::Only(sites) = sites else { return Ok(()) };
    let own = store::sites_of(tx, workspace)?;
    let foreign = sites.iter().find(|site| !own.contains(site));
    foreign.map_or(Ok(()), |site| Err(Error::invalid("sites", format!("there is no site {site} in this workspace"))))
}

/// Checks that an active owner is left.
pub(super) fn check_owned(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    if store::count_owners(tx, workspace)? > 0 { Ok(()) } else { Err(Error::LastOwner) }
}
