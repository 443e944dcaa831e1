//! Sites as their owner sees them: with keys, unread messages, attacks, and the warning about a constant external id.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::abuse::{self, AttackView};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::{SiteId, WorkspaceId};
use crate::images;
use crate::members::{Role, SiteScope};
use crate::sites::view::{ChatKeyView, KeyView, SeenPage};
use crate::sites::{self, ChatKey, Colour, IdentityMode, Key, Limits, Locale, Look, Site};
use crate::storage::Store;
use crate::visitors::{self, SameExternalId};

/// A site as its owner sees it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct SiteView {
    /// Its number.
    pub id: SiteId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The widget draws nothing and no message is taken.
    pub paused: bool,
    /// The key in the snippet.
    pub widget_key: String,
    /// Colours, variant, position.
    pub look: Look,
    /// Greeting by language.
    pub welcome: BTreeMap<Locale, String>,
    /// Where the logo is.
    pub logo_url: Option<String>,
    /// What the owner allows.
    pub limits: Limits,
    /// Host names that may show the widget; empty: any.
    pub allowed_domains: Vec<String>,
    /// What an unsigned external id opens.
    pub identity_mode: IdentityMode,
    /// The compatible API hides the caller's key.
    pub opaque_agent_ids: bool,
    /// Keys of the compatible API that work now.
    pub chat_keys: Vec<ChatKeyView>,
    /// Secrets that sign identities.
    pub identity_secrets: Vec<KeyView>,
    /// The last page that loaded the widget.
    pub seen_page: Option<SeenPage>,
    /// Visitors' messages that no operator has seen, of a thousand conversations at the most.
    pub unread: i64,
    /// Attacks that the owner has not dismissed.
    pub attack: Option<AttackView>,
    /// The one external id under which all of its visitors arrive: its pages give a constant.
    pub same_external_id: Option<SameExternalId>,
    /// When it was made.
    pub created_at: Millis,
}

impl SiteView {
    /// Without what is known of secrets, for members who may not manage them.
    pub fn shown_to(self, role: Role) -> SiteView {
        if role >= Role::Admin {
            return self;
        }
        SiteView { chat_keys: Vec::new(), identity_secrets: Vec::new(), ..self }
    }
}

/// A site as a list shows it: a small part of [`SiteView`], because there may be very many.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct SiteLine {
    /// Its number.
    pub id: SiteId,
    /// Its name.
    pub name: String,
    /// The widget draws nothing and no message is taken.
    pub paused: bool,
    /// Its colour.
    pub primary: Colour,
    /// Text on `primary`.
    pub primary_text: Colour,
    /// Largest picture.
    pub image_bytes: u32,
    /// The last page that loaded the widget.
    pub seen_page: Option<SeenPage>,
    /// Visitors' messages that no operator has seen, of a thousand conversations at the most.
    pub unread: i64,
    /// Attacks that the owner has not dismissed.
    pub attack: Option<AttackView>,
    /// The one external id under which all of its visitors arrive: its pages give a constant.
    pub same_external_id: Option<SameExternalId>,
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
pub async fn details(store: &Store, site: SiteId) -> Result<Details> {
    let site = sites::read_site(store, site).await?;
    with_keys(store, site).await
}

/// Those of the given sites of a workspace with their keys, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn details_of(store: &Store, (workspace, sites): (WorkspaceId, &SiteScope)) -> Result<Vec<Details>> {
    let mut all = Vec::new();
    for site in sites::sites_of(store, workspace).await?.into_iter().filter(|site| sites.contains(site.id)) {
        all.push(with_keys(store, site).await?);
    }
    Ok(all)
}

/// Those of the given sites of a workspace as a list shows them, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn lines_of(store: &Store, (workspace, sites): (WorkspaceId, &SiteScope)) -> Result<Vec<SiteLine>> {
    let mut lines = Vec::new();
    let mut same_external_ids = visitors::same_external_ids(store, workspace, None).await?;
    for row in sites::site_lines_of(store, workspace).await?.into_iter().filter(|row| sites.contains(row.id)) {
        let look = row.look()?;
        lines.push(SiteLine {
            id: row.id,
            primary: look.primary,
            primary_text: look.primary_text,
            image_bytes: row.image_bytes()?,
            attack: if row.attacked { abuse::pending_attack(store, row.id).await? } else { None },
            name: row.name,
            paused: row.paused,
            seen_page: row.seen_page.zip(row.seen_page_at).map(|(origin, at)| SeenPage { origin, at }),
            unread: row.unread,
            same_external_id: same_external_ids.remove(&row.id),
        });
    }
    Ok(lines)
}

async fn with_keys(store: &Store, site: Site) -> Result<Details> {
    let (chat_keys, identity_secrets) = sites::keys_of(store, site.id).await?;
    let unread = sites::unread_of(store, site.id).await?;
    let attack = abuse::pending_attack(store, site.id).await?;
    let same_external_id = visitors::same_external_ids(store, site.workspace_id, Some(site.id)).await?.remove(&site.id);
    Ok(Details { site, chat_keys, identity_secrets, unread, attack, same_external_id })
}

impl From<Details> for SiteView {
    fn from(Details { site, chat_keys, identity_secrets, unread, attack, same_external_id }: Details) -> SiteView {
        SiteView {
            id: site.id,
            workspace_id: site.workspace_id,
            logo_url: site.logo.as_deref().map(images::logo_url),
            name: site.name,
            paused: site.paused,
            widget_key: site.widget_key,
            look: site.look,
            welcome: site.welcome,
            limits: site.limits,
            allowed_domains: site.allowed_domains,
            identity_mode: site.identity_mode,
            opaque_agent_ids: site.opaque_agent_ids,
            chat_keys: chat_keys.into_iter().map(ChatKeyView::from).collect(),
            identity_secrets: identity_secrets.into_iter().map(KeyView::from).collect(),
            seen_page: site.seen_page.map(|(origin, at)| SeenPage { origin, at }),
            unread,
            attack,
            same_external_id,
            created_at: site.created_at,
        }
    }
}
