//! The event log, one for each workspace. It feeds live delivery and replay after a lost connection, and later webhooks and
//! the bus between nodes.

use std::any::Any;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::id::{ConversationId, SiteId, VisitorId, WorkspaceId};

mod audience;
mod counters;
mod cursor;
mod effect;
mod log;
pub mod store;
mod trim;

pub use audience::{Audience, Proof, Side};
pub use counters::Counters;
pub use cursor::{Cursors, Holder};
pub use effect::{Committed, Effect, effect};
pub(crate) use log::deliver;
pub use log::{Log, Published, record, record_under};
pub use trim::trim;

/// A recorded change. It refers to messages and never copies their text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields say which thing it happened to")]
pub enum Event {
    /// A message was stored.
    MessageSent { conversation_id: ConversationId, seq: i64 },
    /// A conversation was started, closed, reopened, or transferred to another visitor.
    ConversationChanged { conversation_id: ConversationId },
    /// One side's browser has received everything up to `seq`.
    Delivered { conversation_id: ConversationId, public_id: String, by: Side, seq: i64 },
    /// One side has read everything up to `seq`. `unread`: visitor messages that operators have not read.
    Seen { conversation_id: ConversationId, public_id: String, by: Side, seq: i64, unread: i64 },
    /// A visitor's details changed, or it was verified, under the proof of the scope.
    VisitorChanged { visitor_id: VisitorId },
    /// The owner changed the site's settings.
    SiteChanged,
    /// Part of the site's history was removed permanently: consoles that meet this resync. Its stored kind is `broken_off`.
    #[serde(rename = "broken_off")]
    HistoryTruncated,
    /// Conversations of the site were removed. Nobody hears of it: [`Event::HistoryTruncated`] follows when all are gone.
    ConversationsRemoved,
}

impl Event {
    /// The word in the log's `kind` column.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::MessageSent { .. } => "message_sent",
            Event::ConversationChanged { .. } => "conversation_changed",
            Event::Delivered { .. } => "delivered",
            Event::Seen { .. } => "seen",
            Event::VisitorChanged { .. } => "visitor_changed",
            Event::SiteChanged => "site_changed",
            Event::HistoryTruncated => "broken_off",
            Event::ConversationsRemoved => "conversations_removed",
        }
    }
}

/// What an event is about. [`Event::audience`] says who hears of it: of visitors the one whose conversation (visitor and
/// proof) it is, and of members those who look after the site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The conversation.
    pub conversation: Option<ConversationId>,
    /// The visitor.
    pub visitor: Option<VisitorId>,
    /// The proof of the conversation or the visitor.
    pub proof: Option<Proof>,
}

impl Scope {
    /// A conversation.
    pub fn conversation(conversation: ConversationId, visitor: VisitorId, proof: Proof) -> Scope {
        Scope { conversation: Some(conversation), visitor: Some(visitor), proof: Some(proof) }
    }

    /// A visitor under one proof.
    pub fn person(visitor: VisitorId, proof: Proof) -> Scope {
        Scope { conversation: None, visitor: Some(visitor), proof: Some(proof) }
    }

    /// The site.
    pub fn site() -> Scope {
        Scope::default()
    }
}

/// A recorded event.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The workspace, whose log it is in.
    pub workspace: WorkspaceId,
    /// The site.
    pub site: SiteId,
    /// Its number in the log: 1, 2, 3 …, in the order of commits.
    pub n: i64,
    /// What it is about.
    pub scope: Scope,
    /// The change.
    pub event: Event,
    /// When it was recorded.
    pub at: Millis,
    /// The message, when the writer has it; otherwise it is read for delivery. The log knows only the numbers of messages,
    /// so the type is erased.
    pub carried: Option<Arc<dyn Any + Send + Sync>>,
}

impl Recorded {
    /// The visitor who hears of it, under one proof; `None` when it is not for visitors.
    pub fn hearing_visitor(&self) -> Option<(VisitorId, &Proof)> {
        let (visitor, proof) = (self.scope.visitor?, self.scope.proof.as_ref()?);
        (self.event.audience() == Audience::Conversation).then_some((visitor, proof))
    }

    /// The carried value if it is a `T`.
    pub fn carried<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.carried.clone()?.downcast().ok()
    }
}
