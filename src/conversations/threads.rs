//! The conversations of visitors who write now, as the last commit left them: so that a message need not read them again.

use std::collections::HashMap;

use crate::id::{ConversationId, SiteId, VisitorId};

use super::Conversation;

/// Visitors that are remembered at most; then it begins anew.
const VISITORS: usize = 4_096;
/// A visitor with more conversations than this is read each time.
const OF_ONE: usize = 8;

/// What the writer remembers of conversations ([`crate::storage::Tx::memory`]). Of a visitor that is in here, all
/// conversations are.
#[derive(Default)]
pub struct Threads {
    of_visitor: HashMap<(SiteId, VisitorId), Vec<Conversation>>,
    visitor_of: HashMap<(SiteId, ConversationId), VisitorId>,
}

impl Threads {
    /// All conversations of a visitor; none where they must be read.
    pub fn of_visitor(&self, site: SiteId, visitor: VisitorId) -> Option<&[Conversation]> {
        self.of_visitor.get(&(site, visitor)).map(Vec::as_slice)
    }

    /// All conversations of the visitor who has this one; none where they must be read.
    pub fn beside(&self, site: SiteId, conversation: ConversationId) -> Option<&[Conversation]> {
        self.of_visitor(site, *self.visitor_of.get(&(site, conversation))?)
    }

    /// Remembers all conversations of a visitor.
    pub fn remember(&mut self, site: SiteId, visitor: VisitorId, conversations: Vec<Conversation>) {
        if self.of_visitor.len() >= VISITORS {
            *self = Threads::default();
        }
        if conversations.is_empty() || conversations.len() > OF_ONE {
            self.of_visitor.remove(&(site, visitor));
            return;
        }
        self.visitor_of.extend(conversations.iter().map(|one| ((site, one.id), visitor)));
        self.of_visitor.insert((site, visitor), conversations);
    }

    /// Remembers how one of them stands now, where its visitor is remembered.
    pub(super) fn update(&mut self, now: &Conversation) {
        let all = self.of_visitor.get_mut(&(now.site_id, now.visitor_id)).into_iter().flatten();
        if let Some(known) = all.into_iter().find(|known| known.id == now.id) {
            known.clone_from(now);
        }
    }
}
