//! What each side may see of a conversation.

use serde::Serialize;

use crate::clock::Millis;
use crate::id::{ConversationId, SiteId};
use crate::visitors::{Proof, Visitor, VisitorForOperator};

use super::{Conversation, Side, State};

/// A conversation, as the visitor's page sees it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct ConversationForVisitor {
    /// Random public id.
    pub id: String,
    /// Open or closed.
    pub state: State,
    /// Its last message.
    pub last_seq: i64,
    /// An operator's browser has what the visitor wrote, up to this.
    pub agent_delivered_seq: i64,
    /// An operator has seen it, up to this.
    pub agent_seen_seq: i64,
    /// What the visitor itself has seen.
    pub visitor_seen_seq: i64,
    /// Agent messages above that.
    pub unread: i64,
}

/// A conversation, as an operator sees it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of Conversation")]
pub struct ConversationForOperator {
    pub site_id: SiteId,
    pub id: ConversationId,
    pub visitor: VisitorForOperator,
    /// What this thread's writer claims to be is signed.
    pub verified: bool,
    pub state: State,
    pub last_seq: i64,
    pub last_message: Option<LastMessage>,
    pub visitor_delivered_seq: i64,
    pub visitor_seen_seq: i64,
    pub agent_delivered_seq: i64,
    pub agent_seen_seq: i64,
    /// Visitor messages above `agent_seen_seq`.
    pub unread: i64,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// The last line of a conversation, for lists.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct LastMessage {
    /// Who wrote it.
    pub from: Side,
    /// Its first 200 characters.
    pub text: String,
    /// It is an image.
    pub image: bool,
    /// When.
    pub at: Millis,
}

impl Conversation {
    /// For the visitor's page.
    pub fn for_visitor(&self) -> ConversationForVisitor {
        ConversationForVisitor {
            id: self.public_id.clone(),
            state: self.state,
            last_seq: self.last_seq,
            agent_delivered_seq: self.watermarks.agent_delivered,
            agent_seen_seq: self.watermarks.agent_seen,
            visitor_seen_seq: self.watermarks.visitor_seen,
            unread: self.unread_visitor,
        }
    }

    /// For operators of its site.
    pub fn for_operator(&self, visitor: &Visitor, online: bool, last: Option<LastMessage>) -> ConversationForOperator {
        ConversationForOperator {
            site_id: self.site_id,
            id: self.id,
            visitor: visitor.for_operator(online),
            verified: self.proof == Proof::Signed,
            state: self.state,
            last_seq: self.last_seq,
            last_message: last,
            visitor_delivered_seq: self.watermarks.visitor_delivered,
            visitor_seen_seq: self.watermarks.visitor_seen,
            agent_delivered_seq: self.watermarks.agent_delivered,
            agent_seen_seq: self.watermarks.agent_seen,
            unread: self.unread_agent,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
