//! A message: text or an image, written by a visitor, an operator or a script, numbered within its conversation.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::clock::Millis;
use crate::conversations::Side;
use crate::error::{Error, Result};
use crate::id::{AccountId, ConversationId, KeyId, SiteId, VisitorId, WorkspaceId};
use crate::images::{ImageName, ImageView};

mod appender;
mod batch;
mod queue;
mod read;
mod send;
pub mod store;
mod view;

pub use appender::Appender;
pub use read::{History, after, before, last_lines, newest, of_author, recent};
pub use send::{Outgoing, Target, send};
pub use view::{MessageForOperator, MessageForVisitor};

/// Longest text, in characters as people see them.
pub const TEXT_GRAPHEMES: usize = 4_000;
/// Longest text, in bytes of UTF-8.
pub const TEXT_BYTES: usize = 16 * 1024;

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// The visitor.
    Visitor(VisitorId),
    /// An operator at the console, under a display name.
    Operator {
        /// The account.
        account: AccountId,
        /// As shown to the visitor.
        name: String,
    },
    /// A script with a chat API key, under the name it gave.
    Api {
        /// The key.
        key: KeyId,
        /// As shown to the visitor.
        name: String,
    },
}

impl Author {
    /// Which side of the conversation wrote.
    pub fn side(&self) -> Side {
        match self {
            Author::Visitor(_) => Side::Visitor,
            Author::Operator { .. } | Author::Api { .. } => Side::Agent,
        }
    }

    /// The member who wrote it; `None` for visitors and scripts.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Author::Operator { account, .. } => Some(*account),
            Author::Visitor(_) | Author::Api { .. } => None,
        }
    }

    /// The display name; visitors have none here.
    pub fn name(&self) -> Option<&str> {
        match self {
            Author::Visitor(_) => None,
            Author::Operator { name, .. } | Author::Api { name, .. } => Some(name),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Author::Visitor(_) => "visitor",
            Author::Operator { .. } => "operator",
            Author::Api { .. } => "api",
        }
    }

    fn number(&self) -> i64 {
        match self {
            Author::Visitor(id) => id.0,
            Author::Operator { account, .. } => account.0,
            Author::Api { key, .. } => key.0,
        }
    }

    fn uploader(&self) -> crate::images::Uploader {
        use crate::images::Uploader;
        match self {
            Author::Visitor(id) => Uploader::Visitor(*id),
            Author::Operator { account, .. } => Uploader::Operator(*account),
            Author::Api { key, .. } => Uploader::Api(*key),
        }
    }
}

/// Plain text within the limits, cleaned as [`crate::text::lines`] does, not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Checks and cleans a text.
    ///
    /// # Errors
    /// `EmptyMessage`, or `TextTooLong` over [`TEXT_GRAPHEMES`] or [`TEXT_BYTES`].
    pub fn parse(text: &str) -> Result<Text> {
        if text.len() > TEXT_BYTES * 2 {
            return Err(Error::TextTooLong);
        }
        let clean = crate::text::lines(text);
        if clean.is_empty() {
            return Err(Error::EmptyMessage);
        }
        // A text of few bytes has few characters: counting them costs more than all other checks together.
        let many = || clean.len() > TEXT_GRAPHEMES && clean.graphemes(true).count() > TEXT_GRAPHEMES;
        if clean.len() > TEXT_BYTES || many() {
            return Err(Error::TextTooLong);
        }
        Ok(Text(clean))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id that a client gives a message, so that sending twice stores once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// 1 to 64 of `A-Z a-z 0-9 _ - . :`.
    pub fn parse(text: &str) -> Result<ClientId> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
            return Err(Error::invalid("client_id", "must be 1 to 64 of A-Z a-z 0-9 _ - . :"));
        }
        Ok(ClientId(text.to_owned()))
    }

    /// A fresh one, for callers that brought none.
    pub fn random() -> ClientId {
        ClientId(crate::secret::random_text(16))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<ClientId, D::Error> {
        ClientId::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Plain text.
    Text(Text),
    /// An uploaded image of the author's.
    Image(ImageName),
}

impl Body {
    /// From what a client sends: text, or the name of an uploaded image.
    ///
    /// # Errors
    /// `Invalid`, `EmptyMessage`, `TextTooLong`.
    pub fn of(text: Option<&str>, image: Option<&str>) -> Result<Body> {
        match (text, image) {
            (Some(text), None) => Text::parse(text).map(Body::Text),
            (None, Some(image)) => {
                let name = ImageName::parse(image).ok_or(Error::invalid("image", "is not an uploaded image"))?;
                Ok(Body::Image(name))
            }
            (None, None) => Err(Error::EmptyMessage),
            (Some(_), Some(_)) => Err(Error::invalid("image", "send text and image as two messages")),
        }
    }
}

/// A message that is checked and not yet sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The client's id for it.
    pub client_id: ClientId,
    /// What it says.
    pub body: Body,
}

/// A stored message.
#[derive(Debug, Clone)]
pub struct Message {
    /// The workspace of the site.
    pub workspace_id: WorkspaceId,
    /// The site.
    pub site_id: SiteId,
    /// Its number in the workspace's log: orders the messages of all its sites.
    pub n: i64,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The id of the conversation that the visitor knows.
    pub conversation_public_id: Arc<str>,
    /// Its number in the conversation.
    pub seq: i64,
    /// Who wrote it.
    pub author: Author,
    /// The author's client's id.
    pub client_id: ClientId,
    /// Empty for images.
    pub text: String,
    /// Its image.
    pub image: Option<ImageView>,
    /// When it was stored.
    pub at: Millis,
}
