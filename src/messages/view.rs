//! What each side may see of a message. A visitor's view is built from nothing, so a field must be put in to get out.

use serde::Serialize;

use crate::clock::Millis;
use crate::conversations::{LastMessage, Side};
use crate::id::{AccountId, ConversationId, SiteId};
use crate::images::ImageView;

use super::{Author, ClientId, Message};

/// A message, as the visitor's page sees it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of Message")]
pub struct MessageForVisitor {
    /// Public id of the conversation.
    pub conversation: String,
    pub seq: i64,
    pub from: Side,
    /// On the visitor's own messages only.
    pub client_id: Option<ClientId>,
    /// Display name of the agent.
    pub name: Option<String>,
    pub text: String,
    pub image: Option<ImageView>,
    pub at: Millis,
}

/// A message, as an operator sees it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of Message")]
pub struct MessageForOperator {
    pub site_id: SiteId,
    pub conversation_id: ConversationId,
    pub seq: i64,
    pub from: Side,
    /// On messages that an operator sent from a console.
    pub client_id: Option<ClientId>,
    /// The member who wrote it; null for visitors and scripts.
    pub account_id: Option<AccountId>,
    pub name: Option<String>,
    pub text: String,
    pub image: Option<ImageView>,
    pub at: Millis,
}

impl Message {
    /// For the visitor's page.
    pub fn for_visitor(&self) -> MessageForVisitor {
        let own = matches!(self.author, Author::Visitor(_));
        MessageForVisitor {
            conversation: self.conversation_public_id.to_string(),
            seq: self.seq,
            from: self.author.side(),
            client_id: own.then(|| self.client_id.clone()),
            name: self.author.name().map(str::to_owned),
            text: self.text.clone(),
            image: self.image.clone(),
            at: self.at,
        }
    }

    /// For operators of its site.
    pub fn for_operator(&self) -> MessageForOperator {
        let own = matches!(self.author, Author::Operator { .. });
        MessageForOperator {
            site_id: self.site_id,
            conversation_id: self.conversation_id,
            seq: self.seq,
            from: self.author.side(),
            client_id: own.then(|| self.client_id.clone()),
            account_id: self.author.account(),
            name: self.author.name().map(str::to_owned),
            text: self.text.clone(),
            image: self.image.clone(),
            at: self.at,
        }
    }

    /// For lists of conversations.
    pub fn last_line(&self) -> LastMessage {
        let text = self.text.chars().take(200).collect();
        LastMessage { from: self.author.side(), text, image: self.image.is_some(), at: self.at }
    }
}
