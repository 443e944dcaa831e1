//! Removing a site with everything in it.

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events;
use crate::id::{AccountId, SiteId};
use crate::images;
use crate::messages;
use crate::storage::Tx;

use super::{Site, store};

/// Removes a site, its conversations, messages and images. Its keys stop working at once.
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
    let site = site.id;
    images::forget_site(app, tx, site).await?;
    // These have no foreign key, which would cost on every message.
    messages::forget_site(tx, site).await?;
    events::forget_site(tx, site).await?;
    store::delete(tx, site).await?;
    app.sites.forget_after(tx, site);
    let app = app.clone();
    tx.after_commit(move || {
        app.visitors.forget(|session| session.site_id == site);
        app.hub.end_site(site);
    });
    Ok(())
}
