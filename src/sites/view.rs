//! What a console may see of a site.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::id::KeyId;

use super::KeyScope;
use super::key::{ChatKey, Key, NewKey};

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
