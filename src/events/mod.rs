//! The event log, one for each site. It feeds live delivery and replay after a lost connection, and later webhooks and the
//! bus between nodes.

use std::any::Any;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::id::{ConversationId, SiteId, VisitorId};

mod audience;
mod cursor;
mod effect;
mod log;
pub mod store;
mod trim;

pub use audience::{Proof, Side};
pub use cursor::{Cursor, LogPosition};
pub use effect::{Committed, Effect, effect};
pub(crate) use log::deliver;
pub use log::{Log, Published, record, truncate_history};
pub use trim::{trim, trim_site};

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
    /// Part of the site's history was removed permanently: clients that receive this resync. Its stored kind is `broken_off`.
    #[serde(rename = "broken_off")]
    HistoryTruncated,
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
        }
    }
}

/// What an event is about. A visitor receives events of its own conversations (visitor and proof); operators receive all
/// events of their sites.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The conversation.
    pub conversation: Option<ConversationId>,
    /// The visitor.
    pub visitor: Option<VisitorId>,
    /// The proof of the conversation or the visitor; `None`: not for visitors.
    pub proof: Option<Proof>,
}

impl Scope {
    /// A conversation: both sides receive it.
    pub fn conversation(conversation: ConversationId, visitor: VisitorId, proof: Proof) -> Scope {
        Scope { conversation: Some(conversation), visitor: Some(visitor), proof: Some(proof) }
    }

    /// A visitor under one proof: operators receive it.
    pub fn person(visitor: VisitorId, proof: Proof) -> Scope {
        Scope { conversation: None, visitor: Some(visitor), proof: Some(proof) }
    }

    /// The site: operators receive it.
    pub fn site() -> Scope {
        Scope::default()
    }
}

/// An event's number in the whole database, in commit order. A message has its row's id; other events are numbered
/// separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants say which of the two it is")]
pub enum GlobalNumber {
    Message(i64),
    Event(i64),
}

/// The numbers of an event in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventNumbers {
    /// Its number on its site: 1, 2, 3 …, in commit order.
    pub n: i64,
    /// Its number in the whole database.
    pub global: GlobalNumber,
}

/// A recorded event.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The site.
    pub site: SiteId,
    /// Its numbers.
    pub numbers: EventNumbers,
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
    /// The carried value if it is a `T`.
    pub fn carried<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.carried.clone()?.downcast().ok()
    }
}
