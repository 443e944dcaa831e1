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
const SCRIPTS: usize = 2_000;
/// Lists of messages kept, and the most bytes of one.
const RECENT: usize = 256;
/// See [`RECENT`].
pub const RECENT_BYTES: usize = 256 * 1024;

/// What one script was made for: a site, for the origin that it shall call.
pub type ScriptKey = (SiteId, String);
/// What it was made from: the site as it was, and the built web.
pub type ScriptStamp = (Arc<Site>, [u8; 32]);

/// Whose list of recent messages: a site's or one conversation's, as a key sees it, of this length.
pub type RecentKey = (SiteId, KeyId, Option<ConversationId>, u32);
/// What it was made from: the end of the site's log, and whether agents are shown by an opaque id.
pub type RecentStamp = (i64, bool);

/// All answers that are kept.
pub struct Answers {
    /// `widget.js`.
    pub scripts: Kept<ScriptKey, ScriptStamp, Arc<Encoded>>,
    /// `get_recent_messages`.
    pub recent: Kept<RecentKey, RecentStamp, Bytes>,
    /// Compressing takes all of a core for some milliseconds: one at a time.
    pub compressing: Semaphore,
}

impl Default for Answers {
    fn default() -> Answers {
        Answers { scripts: Kept::new(SCRIPTS), recent: Kept::new(RECENT), compressing: Semaphore::new(1) }
    }
}

/// A bounded map of answers, each with a stamp of what it was made from.
pub struct Kept<K, S, V> {
    most: usize,
    // Held for a look-up only, never across an await.
    made: Mutex<HashMap<K, (S, V)>>,
}

impl<K: Eq + Hash, S, V: Clone> Kept<K, S, V> {
    fn new(most: usize) -> Kept<K, S, V> {
        Kept { most, made: Mutex::default() }
    }

    /// The answer, if its stamp still holds.
    pub fn find(&self, key: &K, holds: impl FnOnce(&S) -> bool) -> Option<V> {
        self.locked().get(key).filter(|(stamp, _)| holds(stamp)).map(|(_, value)| value.clone())
    }

    /// Keeps an answer. A full map starts anew: what is asked for often is soon back.
    pub fn keep(&self, key: K, stamp: S, value: V) {
        let mut made = self.locked();
        if made.len() >= self.most && !made.contains_key(&key) {
            made.clear();
        }
        made.insert(key, (stamp, value));
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<K, (S, V)>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_as_long_as_its_stamp() {
        let kept: Kept<u8, i64, &str> = Kept::new(2);
        kept.keep(1, 7, "seven");
        assert_eq!(kept.find(&1, |n| *n == 7), Some("seven"));
        assert_eq!(kept.find(&1, |n| *n == 8), None);
        kept.keep(1, 8, "eight");
        kept.keep(2, 8, "other");
        kept.keep(3, 8, "third");
        assert_eq!((kept.find(&1, |_| true), kept.find(&3, |_| true)), (None, Some("third")));
    }
}
