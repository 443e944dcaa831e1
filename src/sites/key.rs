//! The keys of a site: the public one in the snippet, the secret ones of the compatible API, and those that sign
//! visitors' identities.

use crate::clock::Millis;
use crate::id::KeyId;
use crate::record;
use crate::secret::{Secret, random_text};

use super::grant::Grant;

/// How chat API keys begin.
pub const CHAT_KEY_PREFIX: &str = "chat_";
/// How identity secrets begin.
pub const IDENTITY_SECRET_PREFIX: &str = "ids_";
/// How widget keys begin.
pub const WIDGET_KEY_PREFIX: &str = "site_";
/// Identity secrets that may be valid at once: the one in use and the next.
pub const MOST_IDENTITY_SECRETS: usize = 2;
/// How long a replaced key goes on working when nothing else is asked, in seconds.
pub const GRACE_S: u32 = 24 * 60 * 60;
/// Chat API keys of one site that work at once.
pub const MOST_CHAT_KEYS: usize = 20;
/// The longest grace, in seconds.
pub const LONGEST_GRACE_S: u32 = 30 * GRACE_S;

/// What is known of a secret key after it was shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its number.
    pub id: KeyId,
    /// Its last four characters.
    pub last4: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it last opened something, to the minute.
    pub last_used_at: Option<Millis>,
    /// When it stops working.
    pub expires_at: Option<Millis>,
}
record!(Key { id, last4, created_at, last_used_at, expires_at });

/// A key of the compatible API, and what it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatKey {
    /// The key.
    pub key: Key,
    /// What it opens; its end is the key's.
    pub grant: Grant,
}

impl Key {
    /// How a line of the audit log names it.
    pub(super) fn ending(&self) -> String {
        format!("number {}, …{}", self.id, self.last4)
    }
}

/// A key at the one moment when its secret is known.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What is kept.
    pub key: Key,
    /// The secret, to be shown once.
    pub secret: Secret,
}

impl NewKey {
    /// Makes a secret of 32 random bytes.
    pub(super) fn make(id: KeyId, prefix: &str, now: Millis) -> NewKey {
        let secret = format!("{prefix}{}", random_text(32));
        let last4 = secret[secret.len() - 4..].to_owned();
        let key = Key { id, last4, created_at: now, last_used_at: None, expires_at: None };
        NewKey { key, secret: Secret::new(secret) }
    }
}
