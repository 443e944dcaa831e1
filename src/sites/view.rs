//! What a console may see of a site.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::abuse::AttackView;
use crate::clock::Millis;
use crate::id::{KeyId, SiteId};
use crate::images;
use crate::visitors::SameExternalId;

use super::key::{ChatKey, Key, NewKey};
use super::{Colour, Details, IdentityMode, KeyScope, Limits, Locale, Look};

/// A site as its owner sees it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct SiteView {
    /// Its number.
    pub id: SiteId,
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

/// A page that loaded the widget.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct SeenPage {
    /// Its origin.
    pub origin: String,
    /// When.
    pub at: Millis,
}

/// A secret key after it was shown once.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyView {
    /// Its number.
    pub id: KeyId,
    /// Its last four characters.
    pub last4: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Millis>,
    /// When it stops working.
    pub expires_at: Option<Millis>,
}

/// A key of the compatible API after it was shown once, and what it opens.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct ChatKeyView {
    /// Its number.
    pub id: KeyId,
    /// Its last four characters.
    pub last4: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Millis>,
    /// When it stops working.
    pub expires_at: Option<Millis>,
    /// What it may do.
    pub scope: KeyScope,
    /// Addresses and networks from which it may be used; empty: from anywhere.
    pub networks: Vec<String>,
}

/// A key of the compatible API at the one moment when it is shown.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct NewChatKeyView {
    /// What will be shown later.
    pub key: ChatKeyView,
    /// The secret.
    pub secret: String,
}

/// A secret key at the one moment when it is shown.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct NewKeyView {
    /// What will be shown later.
    pub key: KeyView,
    /// The secret.
    pub secret: String,
}

impl From<Key> for KeyView {
    fn from(key: Key) -> KeyView {
        let Key { id, last4, created_at, last_used_at, expires_at } = key;
        KeyView { id, last4, created_at, last_used_at, expires_at }
    }
}

impl From<ChatKey> for ChatKeyView {
    fn from(ChatKey { key, grant }: ChatKey) -> ChatKeyView {
        let Key { id, last4, created_at, last_used_at, expires_at } = key;
        let networks = grant.networks.iter().map(ToString::to_string).collect();
        ChatKeyView { id, last4, created_at, last_used_at, expires_at, scope: grant.scope, networks }
    }
}

impl NewChatKeyView {
    /// Of a key that was just made.
    pub fn of((new, made): (NewKey, ChatKey)) -> NewChatKeyView {
        NewChatKeyView { key: made.into(), secret: new.secret.expose().to_owned() }
    }
}

impl From<NewKey> for NewKeyView {
    fn from(new: NewKey) -> NewKeyView {
        NewKeyView { key: new.key.into(), secret: new.secret.expose().to_owned() }
    }
}

impl From<Details> for SiteView {
    fn from(Details { site, chat_keys, identity_secrets, unread, attack, same_external_id }: Details) -> SiteView {
        SiteView {
            id: site.id,
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
