//! The whole protocol of the socket and the stream, as docs/protocol.md describes it.
#![expect(missing_docs, reason = "docs/protocol.md describes each frame, event, signal and hint")]

use serde::{Deserialize, Serialize};

use crate::conversations::{ConversationForOperator, ConversationForVisitor, Side};
use crate::error::ErrorCode;
use crate::id::{AccountId, ConversationId, SiteId, VisitorId};
use crate::messages::{MessageForOperator, MessageForVisitor};
use crate::visitors::{Page, PageSaid, Proof, VisitorForOperator};

/// The first frame up.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum VisitorHello {
    /// A visitor's token and the cursor it holds.
    Hello { token: String, cursor: String },
}

/// The first frame up.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum OperatorHello {
    /// A one-time ticket, the cursor it holds, and whether somebody can see a chat on it (absent: yes).
    Hello { ticket: String, cursor: String, present: Option<bool> },
}

/// What a visitor's page lets us know. Never answered, never needed for a message to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum VisitorHint {
    // With braces, because a name alone would take unknown fields.
    Alive {},
    Typing {},
    Delivered {
        conversation: String,
        seq: i64,
    },
    Seen {
        conversation: String,
        seq: i64,
    },
    Page {
        #[schemars(with = "PageSaid")]
        page: serde_json::Value,
    },
}

/// What an operator's console lets us know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum OperatorHint {
    Alive {},
    Present {
        present: bool,
    },
    Typing {
        site_id: SiteId,
        conversation_id: ConversationId,
    },
    Delivered {
        site_id: SiteId,
        conversation_id: ConversationId,
        seq: i64,
    },
    Seen {
        site_id: SiteId,
        conversation_id: ConversationId,
        seq: i64,
    },
    /// The conversation is open on the screen; said again every 5 s. `typing`: an answer is being written.
    Viewing {
        site_id: SiteId,
        conversation_id: ConversationId,
        typing: bool,
    },
    /// The conversation is open no longer.
    Left {
        site_id: SiteId,
        conversation_id: ConversationId,
    },
}

/// Why a connection is closed with "come back".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ByeReason {
    Restart,
    TooSlow,
    TooMany,
}

/// Everything that comes down.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "FrameOf{E}")]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame<E, S> {
    Welcome { cursor: String, beat_s: u64 },
    Event { cursor: String, event: E },
    Signal { signal: S },
    Beat { cursor: String },
    Resync { reason: String },
    Bye { reason: ByeReason, retry_after_ms: u64 },
    Refused { code: ErrorCode, message: String },
}

/// Frames to a visitor's page.
pub type VisitorFrame = Frame<VisitorEvent, VisitorSignal>;
/// Frames to an operator's console.
pub type OperatorFrame = Frame<OperatorEvent, OperatorSignal>;
/// Frames that are the same for both.
pub(crate) type PlainFrame = Frame<(), ()>;

/// What happened, as a visitor may know it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VisitorEvent {
    MessageSent { message: MessageForVisitor },
    ConversationChanged { conversation: ConversationForVisitor },
    Delivered { conversation: String, by: Side, seq: i64 },
    Seen { conversation: String, by: Side, seq: i64 },
}

/// What happened, as an operator may know it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OperatorEvent {
    MessageSent { message: MessageForOperator },
    ConversationChanged { conversation: Box<ConversationForOperator> },
    Delivered { site_id: SiteId, conversation_id: ConversationId, by: Side, seq: i64 },
    Seen { site_id: SiteId, conversation_id: ConversationId, by: Side, seq: i64, unread: i64 },
    VisitorChanged { visitor: Box<VisitorForOperator> },
    SiteChanged { site_id: SiteId },
}

/// Not stored, not repeated.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VisitorSignal {
    Typing { conversation: String, name: Option<String> },
    Operators { online: bool },
}

/// Not stored, not repeated.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OperatorSignal {
    Typing {
        site_id: SiteId,
        conversation_id: ConversationId,
    },
    Presence {
        site_id: SiteId,
        visitor_id: VisitorId,
        proof: Proof,
        online: bool,
    },
    Page {
        site_id: SiteId,
        visitor_id: VisitorId,
        proof: Proof,
        page: Page,
    },
    /// Somebody joined, changed or left, or an invitation did: lists of the team are read again.
    TeamChanged {},
    /// A member's console has become visible, or none of theirs is.
    MemberOnline {
        account_id: AccountId,
        online: bool,
    },
    /// A member has the conversation open. Over when it is not said again for 10 s.
    Viewing {
        site_id: SiteId,
        conversation_id: ConversationId,
        account_id: AccountId,
        name: String,
        typing: bool,
    },
    /// A member has it open no longer.
    Left {
        site_id: SiteId,
        conversation_id: ConversationId,
        account_id: AccountId,
    },
}

impl<E: Serialize, S: Serialize> Frame<E, S> {
    /// As it goes over the wire.
    pub fn to_json(&self) -> String {
        // Our own types: strings, numbers and lists, which always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}
