//! What happened, as one log for each site: the live feed, the replay after a lost connection, and later the source of
//! webhooks and the bus between nodes.

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
pub use cursor::{Cursor, Position};
pub use effect::{Committed, Effect, effect};
pub(crate) use log::deliver;
pub use log::{Log, Published, break_off, record};
pub use trim::{trim, trim_site};

/// Something that happened. Bodies refer to messages and never copy their text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields say which thing it happened to")]
pub enum Event {
    /// A message was stored.
    MessageSent { conversation_id: ConversationId, seq: i64 },
    /// A conversation was started, closed, reopened, or went to another visitor.
    ConversationChanged { conversation_id: ConversationId },
    /// One side's browser has everything up to `seq`.
    Delivered { conversation_id: ConversationId, public_id: String, by: Side, seq: i64 },
    /// One side has had everything up to `seq` on screen. `unread`: visitor messages left for the operators.
    Seen { conversation_id: ConversationId, public_id: String, by: Side, seq: i64, unread: i64 },
    /// A visitor said who it is, or was verified, under the proof of its scope.
    VisitorChanged { visitor_id: VisitorId },
    /// The owner changed the site's settings.
    SiteChanged,
    /// Some of the site's past was removed for good: whoever hears of it loads anew.
    BrokenOff,
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
            Event::BrokenOff => "broken_off",
        }
    }
}

/// Whom an event is about. A visitor hears what is about a conversation of its own (visitor and proof); operators hear
/// everything on their sites.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The conversation.
    pub conversation: Option<ConversationId>,
    /// The visitor.
    pub visitor: Option<VisitorId>,
    /// The proof that the conversation or the person belongs to; none: not for visitors.
    pub proof: Option<Proof>,
}

impl Scope {
    /// About a conversation: both sides hear it.
    pub fn conversation(conversation: ConversationId, visitor: VisitorId, proof: Proof) -> Scope {
        Scope { conversation: Some(conversation), visitor: Some(visitor), proof: Some(proof) }
    }

    /// About a visitor as one proof shows it: operators hear it.
    pub fn person(visitor: VisitorId, proof: Proof) -> Scope {
        Scope { conversation: None, visitor: Some(visitor), proof: Some(proof) }
    }

    /// About the site: operators hear it.
    pub fn site() -> Scope {
        Scope::default()
    }
}

/// An event's number in the whole database, in commit order. A message has that of its row; the others count apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants say which of the two it is")]
pub enum Number {
    Message(i64),
    Event(i64),
}

/// Where in the log an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its number on its site: 1, 2, 3 …, in commit order.
    pub n: i64,
    /// Its number in the whole database.
    pub number: Number,
}

/// An event in the log.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The site.
    pub site: SiteId,
    /// Where it stands.
    pub place: Place,
    /// Whom it is about.
    pub scope: Scope,
    /// What happened.
    pub event: Event,
    /// When.
    pub at: Millis,
    /// The message, where the writer has it at hand; otherwise it is read when somebody wants to hear it. The log knows
    /// nothing of messages but their numbers, so it carries this without knowing its type.
    pub carried: Option<Arc<dyn Any + Send + Sync>>,
}

impl Recorded {
    /// What it carries, where that is a `T`.
    pub fn carried<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.carried.clone()?.downcast().ok()
    }
}
