//! Removing a site with everything in it.

use crate::accounts;
use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{AccountId, SiteId};
use crate::images;
use crate::storage::Tx;

use super::{Site, store};

/// Removes a site. It is gone for everybody at once, with its keys; its conversations, messages and images are purged
/// afterwards (see [`super::purge`]).
///
/// # Errors
/// `NotFound`.
pub async fn delete(app: &App, by: &By, site: SiteId) -> Result<()> {
    let mut tx = app.store.begin().await?;
    let site = store::by_id_in(&mut tx, site).await?.ok_or(Error::NotFound)?;
    delete_in(app, &mut tx, by, &site).await?;
    tx.commit().await
}

/// Removes all sites of an account, as part of removing the account.
///
/// # Errors
/// When the database fails.
pub async fn delete_all_of(app: &App, tx: &mut Tx, by: &By, owner: AccountId) -> Result<()> {
    for site in store::of_owner_in(tx, owner).await? {
        delete_in(app, tx, by, &site).await?;
    }
    Ok(())
}

async fn delete_in(app: &App, tx: &mut Tx, by: &By, site: &Site) -> Result<()> {
    audit::record(tx, by, Action::SiteDeleted, Some(site.id), &site.name).await?;
    if let Some(logo) = &site.logo {
        images::forget_logo(app, tx, logo).await?;
    }
    accounts::store::add_nobody(tx).await?;
    store::disown(tx, site.id).await?;
    app.sites.forget_after(tx, site.id);
    let (app, site) = (app.clone(), site.id);
    tx.after_commit(move || {
        app.visitors.forget(|session| session.site_id == site);
        app.hub.end_site(site);
        app.deleted_sites.notify_one();
    });
    Ok(())
}
