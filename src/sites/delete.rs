//! Removing a site with everything in it.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{SiteId, WorkspaceId};
use crate::images;
use crate::storage::{Store, Tx};

use super::{Site, store};

/// Removes a site. It is gone for everybody at once, with its keys; its conversations, messages and images are purged
/// afterwards (see [`super::purge`]).
///
/// # Errors
/// `NotFound`.
pub async fn delete(store: &Store, by: &By, site: SiteId) -> Result<()> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        let site = store::by_id_in(tx, site)?.ok_or(Error::NotFound)?;
        delete_in(tx, &by, &site)
    };
    store.write(act).await
}

/// Removes all sites of a workspace, as part of removing the account.
///
/// # Errors
/// When the database fails.
pub fn delete_all_of(tx: &mut Tx, by: &By, workspace: WorkspaceId) -> Result<()> {
    for site in store::of_workspace_in(tx, workspace)? {
        delete_in(tx, by, &site)?;
    }
    Ok(())
}

fn delete_in(tx: &mut Tx, by: &By, site: &Site) -> Result<()> {
    audit::record(tx, by, Action::SiteDeleted, Some(site.id), &site.name)?;
    if let Some(logo) = &site.logo {
        images::remove_logo(tx, logo)?;
    }
    store::disown(tx, site.id)?;
    events::effect(tx, Effect::SiteDeleted(site.id));
    Ok(())
}
