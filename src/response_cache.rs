//! Response caches. An entry is valid while the version that it was made from is current.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::id::{ConversationId, KeyId, SiteId};
use crate::sites::Site;

use crate::encoding::Encoded;

/// Cached scripts, about 15 KB each with their compressed encodings.
const MAX_SCRIPTS: usize = 2_000;
/// Cached message lists.
const MAX_RECENT: usize = 256;
/// Largest message list that is cached, in bytes.
pub const RECENT_BYTES: usize = 256 * 1024;

/// Key of a script: the site, and the server origin written into it.
pub type ScriptKey = (SiteId, String);
/// Version of a script: the site record, and the hash of the built web.
pub type ScriptVersion = (Arc<Site>, [u8; 32]);

/// Key of a list of recent messages: site, chat API key, conversation if any, and limit.
pub type RecentKey = (SiteId, KeyId, Option<ConversationId>, u32);
/// Version of a list: the end of the site's event log, and whether agents appear under an opaque id.
pub type RecentVersion = (i64, bool);

/// All response caches.
pub struct ResponseCaches {
    /// `widget.js`.
    pub scripts: ResponseCache<ScriptKey, ScriptVersion, Arc<Encoded>>,
    /// `get_recent_messages` without a cursor: the response, and up to which number of the log it has everything.
    pub recent: ResponseCache<RecentKey, RecentVersion, (Bytes, i64)>,
    /// Limits compression to one at a time: it takes a whole core for some milliseconds.
    pub compressing: Semaphore,
}

impl Default for ResponseCaches {
    fn default() -> ResponseCaches {
        ResponseCaches {
            scripts: ResponseCache::new(MAX_SCRIPTS),
            recent: ResponseCache::new(MAX_RECENT),
            compressing: Semaphore::new(1),
        }
    }
}

/// A bounded cache whose entries carry the version they were made from.
pub struct ResponseCache<K, S, V> {
    capacity: usize,
    // Never held across an await.
    entries: Mutex<HashMap<K, (S, V)>>,
}

impl<K: Eq + Hash, S, V: Clone> ResponseCache<K, S, V> {
    fn new(capacity: usize) -> ResponseCache<K, S, V> {
        ResponseCache { capacity, entries: Mutex::default() }
    }

    /// The cached value, if its version is current.
    pub fn get(&self, key: &K, is_current: impl FnOnce(&S) -> bool) -> Option<V> {
        self.locked().get(key).filter(|(version, _)| is_current(version)).map(|(_, value)| value.clone())
    }

    /// Inserts a value. A full cache is cleared first: popular entries soon return.
    pub fn insert(&self, key: K, version: S, value: V) {
        let mut entries = self.locked();
        if entries.len() >= self.capacity && !entries.contains_key(&key) {
            entries.clear();
        }
        entries.insert(key, (version, value));
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<K, (S, V)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_valid_for_its_version_only() {
        let cache: ResponseCache<u8, i64, &str> = ResponseCache::new(2);
        cache.insert(1, 7, "seven");
        assert_eq!(cache.get(&1, |n| *n == 7), Some("seven"));
        assert_eq!(cache.get(&1, |n| *n == 8), None);
        cache.insert(1, 8, "eight");
        cache.insert(2, 8, "other");
        cache.insert(3, 8, "third");
        assert_eq!((cache.get(&1, |_| true), cache.get(&3, |_| true)), (None, Some("third")));
    }
}
