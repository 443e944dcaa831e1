//! Answers that are made once and given many times, as long as what they were made from has not changed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::id::{ConversationId, KeyId, SiteId};
use crate::sites::Site;

use super::encoding::Encoded;

/// Scripts kept. One is about 15 KB with its compressed forms.
const MAX_SCRIPTS: usize = 2_000;
/// Lists of messages kept, and the most bytes of one.
const MAX_RECENT: usize = 256;
/// See [`MAX_RECENT`].
pub const RECENT_BYTES: usize = 256 * 1024;

/// What one script was made for: a site, for the origin that it shall call.
pub type ScriptKey = (SiteId, String);
/// What it was made from: the site as it was, and the built web.
pub type ScriptVersion = (Arc<Site>, [u8; 32]);

/// Whose list of recent messages: a site's or one conversation's, as a key sees it, of this length.
pub type RecentKey = (SiteId, KeyId, Option<ConversationId>, u32);
/// What it was made from: the end of the site's log, and whether agents are shown by an opaque id.
pub type RecentVersion = (i64, bool);

/// All answers that are kept.
pub struct ResponseCaches {
    /// `widget.js`.
    pub scripts: ResponseCache<ScriptKey, ScriptVersion, Arc<Encoded>>,
    /// `get_recent_messages`.
    pub recent: ResponseCache<RecentKey, RecentVersion, Bytes>,
    /// Compressing takes all of a core for some milliseconds: one at a time.
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

/// A bounded map of answers, each with a stamp of what it was made from.
pub struct ResponseCache<K, S, V> {
    capacity: usize,
    // Held for a look-up only, never across an await.
    entries: Mutex<HashMap<K, (S, V)>>,
}

impl<K: Eq + Hash, S, V: Clone> ResponseCache<K, S, V> {
    fn new(capacity: usize) -> ResponseCache<K, S, V> {
        ResponseCache { capacity, entries: Mutex::default() }
    }

    /// The answer, if its stamp still holds.
    pub fn get(&self, key: &K, is_current: impl FnOnce(&S) -> bool) -> Option<V> {
        self.locked().get(key).filter(|(version, _)| is_current(version)).map(|(_, value)| value.clone())
    }

    /// Keeps an answer. A full map starts anew: what is asked for often is soon back.
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
    fn an_answer_holds_as_long_as_its_stamp() {
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
