//! The picture in the widget's header.

use bytes::Bytes;

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::fair_limit::Tenant;
use crate::id::SiteId;
use crate::images::{self, Images};
use crate::storage::{Store, Tx};

use super::directory::Directory;
use super::store;

/// Cleans a picture and shows it from now on. The caller holds no turn at work.
///
/// # Errors
/// A picture that cannot be used; `NotFound`.
pub async fn set_logo(images: &Images, sites: &Directory, by: &By, site: SiteId, bytes: Bytes) -> Result<()> {
    let workspace = sites.by_id(site).await?.workspace_id;
    let name = images::store_logo(images, Tenant::Workspace(workspace), bytes).await?;
    let _permit = images.fair_limit.acquire(Tenant::Workspace(workspace)).await?;
    replace(sites.store(), by, site, Some(name)).await
}

/// Shows no logo any more.
///
/// # Errors
/// `NotFound`.
pub async fn remove_logo(store: &Store, by: &By, site: SiteId) -> Result<()> {
    replace(store, by, site, None).await
}

async fn replace(store: &Store, by: &By, site: SiteId, name: Option<String>) -> Result<()> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        let mut changed = store::by_id_in(tx, site)?.ok_or(Error::NotFound)?;
        let old = std::mem::replace(&mut changed.logo, name.clone());
        store::update(tx, &changed)?;
        if let Some(old) = old {
            images::remove_logo(tx, &old)?;
        }
        events::effect(tx, Effect::SiteChanged(site));
        audit::record(tx, &by, Action::SiteChanged, Some(site), "logo")?;
        super::changed(tx, site)
    };
    store.write(act).await
}
