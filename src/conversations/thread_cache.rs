//! The thread cache: conversations of visitors who are writing, as of the last commit, so that a message need not read them
//! again.

use std::collections::HashMap;

use crate::events::Counters;
use crate::id::{ConversationId, SiteId, VisitorId, WorkspaceId};

use super::Conversation;

/// Maximum cached visitors; the cache is cleared when it is full.
const VISITORS: usize = 4_096;
/// A visitor with more conversations than this is not cached.
const CONVERSATIONS_PER_VISITOR: usize = 8;

/// The thread cache, a value of the transaction cache ([`crate::storage::Tx::cache`]). Every change of a conversation takes a
/// number of its workspace's log, so what is cached of a workspace is right exactly while its counter shows the number that
/// it was cached at.
#[derive(Default)]
pub struct ThreadCache {
    workspaces: HashMap<WorkspaceId, Threads>,
    visitors: usize,
}

/// What is cached of a workspace: all conversations of a visitor or none.
#[derive(Default)]
pub struct Threads {
    /// The last number of the log when this was right.
    n: i64,
    of_visitor: HashMap<(SiteId, VisitorId), Vec<Conversation>>,
    visitor_of: HashMap<(SiteId, ConversationId), VisitorId>,
}

impl ThreadCache {
    /// Forgets what the locked counters show to be no longer right.
    pub fn check(&mut self, counters: &Counters) {
        if self.workspaces.len() >= VISITORS {
            *self = ThreadCache::default();
        }
        for (workspace, locked, _) in counters.numbers() {
            let threads = self.workspaces.entry(workspace).or_default();
            if threads.n != locked {
                self.visitors -= threads.of_visitor.len();
                *threads = Threads { n: locked, ..Threads::default() };
            }
        }
    }

    /// Records that what is cached is right after the numbers that this transaction has taken. It has called [`Self::check`]
    /// before, and has changed here what it has changed in the database.
    pub fn confirm(&mut self, counters: &Counters) {
        for (workspace, _, now) in counters.numbers() {
            if let Some(threads) = self.workspaces.get_mut(&workspace) {
                threads.n = now;
            }
        }
    }

    /// The conversations that are cached of a workspace.
    pub fn of(&self, workspace: WorkspaceId) -> Option<&Threads> {
        self.workspaces.get(&workspace)
    }

    /// Caches all conversations of a visitor.
    pub fn insert(&mut self, workspace: WorkspaceId, key: (SiteId, VisitorId), conversations: Vec<Conversation>) {
        if self.visitors >= VISITORS {
            self.visitors = 0;
            self.workspaces.values_mut().for_each(|threads| *threads = Threads { n: threads.n, ..Threads::default() });
        }
        let Some(threads) = self.workspaces.get_mut(&workspace) else { return };
        let before = threads.of_visitor.len();
        if conversations.is_empty() || conversations.len() > CONVERSATIONS_PER_VISITOR {
            threads.of_visitor.remove(&key);
        } else {
            threads.visitor_of.extend(conversations.iter().map(|one| ((key.0, one.id), key.1)));
            threads.of_visitor.insert(key, conversations);
        }
        self.visitors = self.visitors + threads.of_visitor.len() - before;
    }

    /// Updates a conversation whose visitor is cached.
    pub(super) fn update(&mut self, now: &Conversation) {
        let threads = self.workspaces.get_mut(&now.workspace_id);
        let all = threads.and_then(|threads| threads.of_visitor.get_mut(&(now.site_id, now.visitor_id)));
        if let Some(known) = all.into_iter().flatten().find(|known| known.id == now.id) {
            known.clone_from(now);
        }
    }
}

impl Threads {
    /// All conversations of a visitor; `None` when they are not cached.
    pub fn of_visitor(&self, site: SiteId, visitor: VisitorId) -> Option<&[Conversation]> {
        self.of_visitor.get(&(site, visitor)).map(Vec::as_slice)
    }

    /// All conversations of the visitor of this conversation; `None` when they are not cached.
    pub fn with_siblings(&self, site: SiteId, conversation: ConversationId) -> Option<&[Conversation]> {
        self.of_visitor(site, *self.visitor_of.get(&(site, conversation))?)
    }
}
