//! Sites in memory, found by number or key: every page view and every API call asks for one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{KeyId, SiteId};
use crate::secret::digest;
use crate::storage::Store;

use super::{Grant, Site, key, store};

/// The sites that were asked for since they last changed. Unknown keys are not remembered: strangers can make up any
/// number of them. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    store: Store,
    cache: Arc<Mutex<Cache>>,
}

#[derive(Default)]
struct Cache {
    by_id: HashMap<SiteId, Arc<Site>>,
    widget_keys: HashMap<String, (SiteId, Option<Millis>)>,
    chat_keys: HashMap<[u8; 32], (SiteId, KeyId, Arc<Grant>)>,
    /// Counts changes: what was read before a change is not kept after it.
    changes: u64,
    /// When something that is noted at most once a minute was last noted.
    noted: HashMap<Note, (Millis, String)>,
}

/// What is noted now and then, and not each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Note {
    ChatKeyUsed(SiteId, KeyId),
    PageSeen(SiteId),
}

/// A note of the same thing is written again after this time.
const NOTE_AGAIN_MS: i64 = 60_000;
/// A note of something else is written after this time: a site with two addresses does not write at each page view.
const NOTE_OTHER_MS: i64 = 5_000;

impl Directory {
    /// An empty directory of this store's sites.
    pub fn new(store: Store) -> Directory {
        Directory { store, cache: Arc::default() }
    }

    /// The site of this number.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn by_id(&self, site: SiteId) -> Result<Arc<Site>> {
        let changes = {
            let cache = self.cache();
            if let Some(site) = cache.by_id.get(&site) {
                return Ok(site.clone());
            }
            cache.changes
        };
        let site = Arc::new(store::by_id(&self.store, site).await?.ok_or(Error::NotFound)?);
        self.keep(changes, |cache| drop(cache.by_id.insert(site.id, site.clone())));
        Ok(site)
    }

    /// The site of a snippet's key: the present one, or a replaced one within its grace.
    ///
    /// # Errors
    /// `UnknownSite`.
    pub async fn by_widget_key(&self, text: &str) -> Result<Arc<Site>> {
        if !could_be_key(text, key::WIDGET_KEY_PREFIX) {
            return Err(Error::UnknownSite);
        }
        let (known, changes) = {
            let cache = self.cache();
            (cache.widget_keys.get(text).copied(), cache.changes)
        };
        let (site, expires_at) = match known {
            Some(known) => known,
            None => {
                let found = store::widget_key(&self.store, text).await?.ok_or(Error::UnknownSite)?;
                self.keep(changes, |cache| {
                    cache.widget_keys.insert(text.to_owned(), found);
                });
                found
            }
        };
        if self.is_over(expires_at) {
            return Err(Error::UnknownSite);
        }
        self.by_id(site).await.map_err(Error::not_found_as(Error::UnknownSite))
    }

    /// The site of a chat API key, which of its keys it is, and what it opens.
    ///
    /// # Errors
    /// `NotFound` when it is wrong, revoked or expired.
    pub async fn by_chat_key(&self, text: &str) -> Result<(Arc<Site>, KeyId, Arc<Grant>)> {
        if !could_be_key(text, key::CHAT_KEY_PREFIX) {
            return Err(Error::NotFound);
        }
        let hash = digest(text);
        let (known, changes) = {
            let cache = self.cache();
            (cache.chat_keys.get(&hash).cloned(), cache.changes)
        };
        let (site, key, grant) = match known {
            Some(known) => known,
            None => {
                let (site, key, grant) = store::chat_key(&self.store, hash).await?.ok_or(Error::NotFound)?;
                let found = (site, key, Arc::new(grant));
                self.keep(changes, |cache| {
                    cache.chat_keys.insert(hash, found.clone());
                });
                found
            }
        };
        if self.is_over(grant.expires_at) {
            return Err(Error::NotFound);
        }
        Ok((self.by_id(site).await?, key, grant))
    }

    /// Forgets a site and its keys: they are read again at the next use.
    pub fn forget(&self, site: SiteId) {
        let mut cache = self.cache();
        cache.changes += 1;
        cache.by_id.remove(&site);
        cache.widget_keys.retain(|_, (owner, _)| *owner != site);
        cache.chat_keys.retain(|_, (owner, ..)| *owner != site);
    }

    /// Is it time to write this note? Says yes to one of many who ask at once.
    pub(super) fn should_note(&self, note: Note, text: &str) -> bool {
        let now = self.store.now();
        let mut cache = self.cache();
        if let Some((at, noted)) = cache.noted.get(&note) {
            let pause = if noted == text { NOTE_AGAIN_MS } else { NOTE_OTHER_MS };
            if (0..pause).contains(&(now.0 - at.0)) {
                return false;
            }
        }
        cache.noted.insert(note, (now, text.to_owned()));
        true
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    fn keep(&self, changes: u64, keep: impl FnOnce(&mut Cache)) {
        let mut cache = self.cache();
        if cache.changes == changes {
            keep(&mut cache);
        }
    }

    fn is_over(&self, expires_at: Option<Millis>) -> bool {
        expires_at.is_some_and(|end| end <= self.store.now())
    }

    /// Never held across an await.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sorts out what cannot be a key before the database is asked.
fn could_be_key(text: &str, prefix: &str) -> bool {
    text.len() <= 100 && text.starts_with(prefix)
}
