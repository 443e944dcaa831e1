//! A conversation is one thread of messages between a visitor and the operators of its site.

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId, VisitorId};
use crate::sites::IdentityMode;
use crate::visitors::{Proof, VisitorSession};

mod close;
mod filter;
mod marks;
pub mod store;
mod threads;
mod view;

pub use crate::events::Side;
pub use close::{close, reopen};
pub use filter::{Filter, StateFilter};
pub use marks::{Mark, Marks, Reached};
pub use store::InboxPoint;
pub use threads::Threads;
pub use view::{ConversationForOperator, ConversationForVisitor, LastMessage};

/// Open or closed. A closed conversation opens again when either side writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum State {
    Open,
    Closed,
}

impl State {
    /// As the database keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Closed => "closed",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> State {
        if text == "closed" { State::Closed } else { State::Open }
    }

    /// The move to closed, where it is allowed.
    pub fn close(self) -> Result<State> {
        match self {
            State::Open => Ok(State::Closed),
            State::Closed => Err(Error::Conflict("this conversation is closed already")),
        }
    }

    /// The move to open, where it is allowed.
    pub fn reopen(self) -> Result<State> {
        match self {
            State::Closed => Ok(State::Open),
            State::Open => Err(Error::Conflict("this conversation is open already")),
        }
    }
}

/// How far each side has come. A watermark only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watermarks {
    /// The visitor's browser has everything up to this.
    pub visitor_delivered: i64,
    /// The visitor has had everything up to this on screen.
    pub visitor_seen: i64,
    /// An operator's browser has everything up to this.
    pub agent_delivered: i64,
    /// An operator has had everything up to this on screen.
    pub agent_seen: i64,
}

/// A conversation.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The site.
    pub site_id: SiteId,
    /// Its number, public in the compatible API.
    pub id: ConversationId,
    /// Random; what the visitor's page sees.
    pub public_id: String,
    /// The visitor.
    pub visitor_id: VisitorId,
    /// Which of those who claim to be that visitor.
    pub proof: Proof,
    /// Open or closed.
    pub state: State,
    /// Number of its last message; messages count 1, 2, 3 … without gaps.
    pub last_seq: i64,
    /// How far each side has come.
    pub marks: Watermarks,
    /// Visitor messages that no operator has seen.
    pub unread_agent: i64,
    /// Agent messages that the visitor has not seen.
    pub unread_visitor: i64,
    /// First message.
    pub created_at: Millis,
    /// Last message or change of state.
    pub updated_at: Millis,
}

/// May somebody with `session` read a conversation of (`visitor`, `proof`)?
pub fn may_read(session: &VisitorSession, mode: IdentityMode, visitor: VisitorId, proof: &Proof) -> bool {
    session.visitor_id == visitor && (mode == IdentityMode::Shared || session.proof == *proof)
}

impl Conversation {
    /// May this visitor read it?
    pub fn is_visible_to(&self, session: &VisitorSession, mode: IdentityMode) -> bool {
        self.site_id == session.site_id && may_read(session, mode, self.visitor_id, &self.proof)
    }
}
