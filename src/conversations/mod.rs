//! A conversation: one thread of messages between a visitor and the operators of its site.

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId, VisitorId, WorkspaceId};
use crate::sites::IdentityMode;
use crate::visitors::{Proof, VisitorSession};

mod close;
mod filter;
mod receipts;
pub mod store;
mod thread_cache;
mod view;

pub use crate::events::Side;
pub use close::{close, reopen};
pub use filter::{Filter, StateFilter};
pub use receipts::{Receipt, ReceiptKind, Receipts};
pub use store::InboxPoint;
pub use thread_cache::{ThreadCache, Threads};
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
    /// The form in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Closed => "closed",
        }
    }

    /// Parses the output of [`Self::as_str`].
    pub fn parse(text: &str) -> State {
        if text == "closed" { State::Closed } else { State::Open }
    }

    /// The transition to closed.
    ///
    /// # Errors
    /// `Conflict` when it is closed already.
    pub fn close(self) -> Result<State> {
        match self {
            State::Open => Ok(State::Closed),
            State::Closed => Err(Error::Conflict("this conversation is closed already")),
        }
    }

    /// The transition to open.
    ///
    /// # Errors
    /// `Conflict` when it is open already.
    pub fn reopen(self) -> Result<State> {
        match self {
            State::Closed => Ok(State::Open),
            State::Open => Err(Error::Conflict("this conversation is open already")),
        }
    }
}

/// The watermarks of each side's receipts. A watermark only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watermarks {
    /// The visitor's browser has received everything up to this `seq`.
    pub visitor_delivered: i64,
    /// The visitor has seen everything up to this `seq`.
    pub visitor_seen: i64,
    /// An operator's browser has received everything up to this `seq`.
    pub agent_delivered: i64,
    /// An operator has seen everything up to this `seq`.
    pub agent_seen: i64,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The workspace of the site.
    pub workspace_id: WorkspaceId,
    /// The site.
    pub site_id: SiteId,
    /// Its id, public in the compatible API.
    pub id: ConversationId,
    /// Random id, shown to the visitor's page.
    pub public_id: String,
    /// The visitor.
    pub visitor_id: VisitorId,
    /// The proof of its visitor.
    pub proof: Proof,
    /// Open or closed.
    pub state: State,
    /// `seq` of its last message; messages are numbered 1, 2, 3 … without gaps.
    pub last_seq: i64,
    /// The watermarks of each side's receipts.
    pub watermarks: Watermarks,
    /// Visitor messages that no operator has seen.
    pub unread_agent: i64,
    /// Agent messages that the visitor has not seen.
    pub unread_visitor: i64,
    /// Time of the first message.
    pub created_at: Millis,
    /// Time of the last message or change of state.
    pub updated_at: Millis,
}

/// Whether `session` may read a conversation of (`visitor`, `proof`).
pub fn may_read(session: &VisitorSession, mode: IdentityMode, visitor: VisitorId, proof: &Proof) -> bool {
    session.visitor_id == visitor && (mode == IdentityMode::Shared || session.proof == *proof)
}

impl Conversation {
    /// Whether this session may read it.
    pub fn is_visible_to(&self, session: &VisitorSession, mode: IdentityMode) -> bool {
        self.site_id == session.site_id && may_read(session, mode, self.visitor_id, &self.proof)
    }
}
