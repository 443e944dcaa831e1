//! The thread cache: conversations of visitors who are writing, as of the last commit, so that a message need not read them
//! again.

use std::collections::HashMap;

use crate::id::{ConversationId, SiteId, VisitorId};

use super::Conversation;

/// Maximum cached visitors; the cache is cleared when it is full.
const VISITORS: usize = 4_096;
/// A visitor with more conversations than this is not cached.
const CONVERSATIONS_PER_VISITOR: usize = 8;

/// The thread cache, a value of the transaction cache ([`crate::storage::Tx::cache`]). It holds all conversations of a visitor
/// or none.
#[derive(Default)]
pub struct ThreadCache {
    of_visitor: HashMap<(SiteId, VisitorId), Vec<Conversation>>,
    visitor_of: HashMap<(SiteId, ConversationId), VisitorId>,
}

impl ThreadCache {
    /// All conversations of a visitor; `None` when they are not cached.
    pub fn of_visitor(&self, site: SiteId, visitor: VisitorId) -> Option<&[Conversation]> {
        self.of_visitor.get(&(site, visitor)).map(Vec::as_slice)
    }

    /// All conversations of the visitor of this conversation; `None` when they are not cached.
    pub fn with_siblings(&self, site: SiteId, conversation: ConversationId) -> Option<&[Conversation]> {
        self.of_visitor(site, *self.visitor_of.get(&(site, conversation))?)
    }

    /// Caches all conversations of a visitor.
    pub fn insert(&mut self, site: SiteId, visitor: VisitorId, conversations: Vec<Conversation>) {
        if self.of_visitor.len() >= VISITORS {
            *self = ThreadCache::default();
        }
        if conversations.is_empty() || conversations.len() > CONVERSATIONS_PER_VISITOR {
            self.of_visitor.remove(&(site, visitor));
            return;
        }
        self.visitor_of.extend(conversations.iter().map(|one| ((site, one.id), visitor)));
        self.of_visitor.insert((site, visitor), conversations);
    }

    /// Updates a conversation whose visitor is cached.
    pub(super) fn update(&mut self, now: &Conversation) {
        let all = self.of_visitor.get_mut(&(now.site_id, now.visitor_id)).into_iter().flatten();
        if let Some(known) = all.into_iter().find(|known| known.id == now.id) {
            known.clone_from(now);
        }
    }
}
