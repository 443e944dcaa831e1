//! Reading sites: those of an account, all of them, and one with its keys.

use crate::abuse::{self, AttackView};
use crate::app::App;
use crate::error::{Error, Result};
use crate::id::{AccountId, SiteId};
use crate::visitors::{self, SameExternalId};

use super::view::{SeenPage, SiteLine};
use super::{ChatKey, Key, Site, store};

/// The sites of an account, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn sites_of(app: &App, owner: AccountId) -> Result<Vec<Site>> {
    store::of_owner(&app.store, owner).await
}

/// Every site of this server, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn all_sites(app: &App) -> Result<Vec<Site>> {
    store::all(&app.store).await
}

/// A site with what its owner sees beside it.
#[derive(Debug, Clone)]
pub struct Details {
    /// The site.
    pub site: Site,
    /// Keys of the compatible API that work now.
    pub chat_keys: Vec<ChatKey>,
    /// Secrets that sign identities.
    pub identity_secrets: Vec<Key>,
    /// Visitors' messages that no operator has seen, of a thousand conversations at the most.
    pub unread: i64,
    /// Attacks that the owner has not dismissed.
    pub attack: Option<AttackView>,
    /// The one external id under which all of its visitors arrive: its pages give a constant.
    pub same_external_id: Option<SameExternalId>,
}

/// A site with its keys, read anew: the last page seen changes without the rest, and is not in the directory.
///
/// # Errors
/// `NotFound`.
pub async fn details(app: &App, site: SiteId) -> Result<Details> {
    let site = store::by_id(&app.store, site).await?.ok_or(Error::NotFound)?;
    with_keys(app, site).await
}

/// All sites of an account with their keys, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn details_of(app: &App, owner: AccountId) -> Result<Vec<Details>> {
    let mut all = Vec::new();
    for site in sites_of(app, owner).await? {
        all.push(with_keys(app, site).await?);
    }
    Ok(all)
}

/// All sites of an account as a list shows them, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn lines_of(app: &App, owner: AccountId) -> Result<Vec<SiteLine>> {
    let mut lines = Vec::new();
    let mut same_external_ids = visitors::same_external_ids(app, owner, None).await?;
    for row in store::lines_of(&app.store, owner).await? {
        let look = row.look()?;
        lines.push(SiteLine {
            id: row.id,
            primary: look.primary,
            primary_text: look.primary_text,
            image_bytes: row.image_bytes()?,
            attack: if row.attacked { abuse::pending_attack(app, row.id).await? } else { None },
            name: row.name,
            paused: row.paused,
            seen_page: row.seen_page.zip(row.seen_page_at).map(|(origin, at)| SeenPage { origin, at }),
            unread: row.unread,
            same_external_id: same_external_ids.remove(&row.id),
        });
    }
    Ok(lines)
}

async fn with_keys(app: &App, site: Site) -> Result<Details> {
    let chat_keys = store::chat_keys(&app.store, site.id).await?;
    let identity_secrets = store::identity_secrets(&app.store, site.id).await?;
    let unread = store::unread(&app.store, site.id).await?;
    let attack = abuse::pending_attack(app, site.id).await?;
    let same_external_id = visitors::same_external_ids(app, site.owner_id, Some(site.id)).await?.remove(&site.id);
    Ok(Details { site, chat_keys, identity_secrets, unread, attack, same_external_id })
}
