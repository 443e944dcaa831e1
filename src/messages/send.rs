//! Sending: the one way in which any message comes to be.

use std::sync::Arc;

use crate::error::Result;
use crate::id::{ConversationId, SiteId, VisitorId};
use crate::sites::IdentityMode;
use crate::visitors::Proof;

use super::{Appender, Author, Draft, Message};

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A conversation that exists.
    Conversation(ConversationId),
    /// The thread of a visitor: its open conversation, else its last one, else a new one.
    Thread {
        /// The visitor.
        visitor: VisitorId,
        /// What it has shown.
        proof: Proof,
        /// What that opens.
        mode: IdentityMode,
    },
}

/// Messages on their way: all are stored, in this order, or none.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The site.
    pub site: SiteId,
    /// Where to.
    pub target: Target,
    /// From whom.
    pub author: Author,
    /// What.
    pub drafts: Vec<Draft>,
}

/// Stores messages and answers them once they are durable. The same client ids again answer the same messages.
///
/// # Errors
/// `NotFound` for a conversation that is not the site's, `Conflict` for a client id used with another body, and the
/// refusals of [`crate::images::attach`]. `StorageFull` and `Unavailable` mean that nothing was stored.
pub async fn send(appender: &Appender, outgoing: Outgoing) -> Result<Vec<Arc<Message>>> {
    appender.append(outgoing).await
}
