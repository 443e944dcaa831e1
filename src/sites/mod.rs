//! A site is a website with a chat of its own, and the tenant: everything else belongs to one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::error::Result;
use crate::events::{self, Event, Scope};
use crate::id::{KeyId, SiteId, WorkspaceId};
use crate::images::UploadTarget;
use crate::storage::Tx;

mod look;
mod contrast;
mod grant;
mod key;
pub mod store;
mod directory;
pub mod view;
mod create;
mod configure;
mod delete;
mod keys;
mod identity_secrets;
mod logo;
mod policy;
mod saw_page;
mod list;

pub use configure::{ConfigureSite, configure};
pub use create::create;
pub use delete::{delete, delete_all_of};
pub use directory::Directory;
pub use grant::{Grant, KeyScope};
pub use identity_secrets::{add_identity_secret, delete_identity_secret, identity_secrets};
pub use key::{ChatKey, GRACE_S, Key, NewKey};
pub use keys::{Others, make_chat_key, note_use, revoke_chat_key, rotate_widget_key};
pub use list::{all_sites, keys_of, names_of, read_site, site_lines_of, sites_of, unread_of};
pub use logo::{remove_logo, set_logo};
pub use look::{Colour, Look, Position, Scheme, Variant};
pub use saw_page::saw_page;
pub use store::{LineRow, SQL, delete as delete_row, next_deleted};

/// A site as the product works with it.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its number.
    pub id: SiteId,
    /// Who made it and answers its visitors.
    pub workspace_id: WorkspaceId,
    /// Shown in the widget's header and the console.
    pub name: String,
    /// Paused: the widget draws nothing and no message is taken.
    pub paused: bool,
    /// The key in the snippet: the newest one.
    pub widget_key: String,
    /// Colours, variant, position.
    pub look: Look,
    /// Greeting by language; a missing one falls back to English, then to the widget's own.
    pub welcome: BTreeMap<Locale, String>,
    /// File name of the logo.
    pub logo: Option<String>,
    /// What the owner allows.
    pub limits: Limits,
    /// Host names whose pages may show the widget, over https or http (`*.` for all below, not for the host itself); empty: any.
    pub allowed_domains: Vec<String>,
    /// What an unsigned external id opens.
    pub identity_mode: IdentityMode,
    /// The secrets that may sign identities now.
    pub identity_secrets: Vec<KeyId>,
    /// The compatible API shows an opaque id in place of the caller's key.
    pub opaque_agent_ids: bool,
    /// Origin of the last page that loaded the widget, and when.
    pub seen_page: Option<(String, Millis)>,
    /// When it was made.
    pub created_at: Millis,
}

/// Limits that the owner sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SiteLimits")]
pub struct Limits {
    /// Messages a minute for each visitor, 1 to 600.
    pub messages_per_minute: u32,
    /// API calls a minute, fetch and reply counted apart, 1 to 1,000,000.
    pub api_per_minute: u32,
    /// Largest image in bytes, 64 KiB to 20 MiB.
    pub image_bytes: u32,
}

impl Limits {
    /// What `messages_per_minute` may be.
    pub const MESSAGES_PER_MINUTE: std::ops::RangeInclusive<u32> = 1..=600;
    /// What `api_per_minute` may be.
    pub const API_PER_MINUTE: std::ops::RangeInclusive<u32> = 1..=1_000_000;
    /// What `image_bytes` may be.
    pub const IMAGE_BYTES: std::ops::RangeInclusive<u32> = 64 * 1024..=20 * 1024 * 1024;
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { messages_per_minute: 20, api_per_minute: 60, image_bytes: 5 * 1024 * 1024 }
    }
}

/// Who may read a known visitor's history when its external id is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityMode {
    /// The same browser, or a signed identity.
    #[default]
    SameBrowser,
    /// Anybody who names the id, as the reference product does.
    Shared,
    /// Nobody chats without a signed identity.
    SignedOnly,
}

impl IdentityMode {
    /// As the database keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            IdentityMode::SameBrowser => "same_browser",
            IdentityMode::Shared => "shared",
            IdentityMode::SignedOnly => "signed_only",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<IdentityMode> {
        [IdentityMode::SameBrowser, IdentityMode::Shared, IdentityMode::SignedOnly]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// A language that the widget speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "language tags are their own description")]
pub enum Locale {
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh-CN")]
    SimplifiedChinese,
    #[serde(rename = "es")]
    Spanish,
    #[serde(rename = "fr")]
    French,
    #[serde(rename = "ja")]
    Japanese,
}

impl Locale {
    /// The nearest language for a BCP 47 tag such as `fr-CA`; English when there is none.
    pub fn nearest(tag: &str) -> Locale {
        let language = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        match language.as_str() {
            "zh" => Locale::SimplifiedChinese,
            "es" => Locale::Spanish,
            "fr" => Locale::French,
            "ja" => Locale::Japanese,
            _ => Locale::English,
        }
    }
}

impl Site {
    /// Where an image that is uploaded to this site belongs, and how large it may be.
    pub fn upload_target(&self) -> UploadTarget {
        UploadTarget { site: self.id, workspace: self.workspace_id, max_bytes: self.limits.image_bytes as usize }
    }

    /// The greeting for a language; empty when the owner wrote none.
    pub fn welcome_for(&self, locale: Locale) -> &str {
        self.welcome.get(&locale).or_else(|| self.welcome.get(&Locale::English)).map_or("", String::as_str)
    }

    /// May a page of this origin (`https://shop.example:8443`) show the widget?
    pub fn allows_origin(&self, origin: &str) -> bool {
        if self.allowed_domains.is_empty() {
            return true;
        }
        let is_web = origin.starts_with("https://") || origin.starts_with("http://");
        let host = host_of(origin);
        is_web
            && self.allowed_domains.iter().any(|domain| match domain.strip_prefix("*.") {
                Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
                None => host == *domain,
            })
    }
}

fn host_of(origin: &str) -> &str {
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest).split('/').next().unwrap_or_default();
    if authority.starts_with('[') {
        return authority.split_inclusive(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

/// Records that a site changed, as the last write of its transaction: open consoles load it anew.
pub(crate) fn changed(tx: &mut Tx, site: SiteId) -> Result<()> {
    events::record(tx, site, vec![(Scope::site(), Event::SiteChanged)])
}
