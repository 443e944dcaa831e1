//! Reading messages: pages of history, the newest of a site, last lines of lists.

use std::collections::HashMap;

use crate::conversations::{Conversation, LastMessage};
use crate::error::Result;
use crate::id::{ConversationId, SiteId, WorkspaceId};
use crate::storage::Store;

use super::{Author, ClientId, Message, store};

/// A page of messages, oldest first.
#[derive(Debug)]
pub struct History {
    /// The messages.
    pub messages: Vec<Message>,
    /// Older ones exist.
    pub more: bool,
}

/// The stored messages that an author gave these client ids, in the order they were stored.
pub async fn of_author(
    store: &Store,
    workspace: WorkspaceId,
    author: &Author,
    ids: &[ClientId],
) -> Result<Vec<Message>> {
    let keys: Vec<_> = ids.iter().map(|id| (workspace, author.kind(), author.number(), id.clone())).collect();
    store::of_keys(store, &keys).await
}

/// The newest messages over several conversations of one visitor, in the order they were stored.
pub async fn newest(store: &Store, conversations: &[Conversation], limit: u32) -> Result<History> {
    page(store, conversations, None, limit).await
}

/// The messages before one of them, over the same conversations.
pub async fn before(
    store: &Store,
    conversations: &[Conversation],
    point: (ConversationId, i64),
    limit: u32,
) -> Result<History> {
    page(store, conversations, Some(point), limit).await
}

async fn page(
    store: &Store,
    conversations: &[Conversation],
    point: Option<(ConversationId, i64)>,
    limit: u32,
) -> Result<History> {
    let mut limit_n = i64::MAX;
    if let Some((conversation, seq)) = point {
        let site = conversations.iter().find(|c| c.id == conversation).map(|c| c.site_id);
        let places: Vec<_> = site.map(|site| (site, conversation, seq)).into_iter().collect();
        limit_n = store::at(store, &places).await?.first().map_or(i64::MAX, |message| message.n);
    }
    let mut messages = Vec::new();
    for conversation in conversations {
        let below = point.filter(|(id, _)| *id == conversation.id).map_or(i64::MAX, |(_, seq)| seq);
        // One more than asked for tells whether there are more.
        messages
            .extend(store::before(store, (conversation.site_id, conversation.id), (below, limit_n), limit + 1).await?);
    }
    messages.sort_by_key(|message| std::cmp::Reverse(message.n));
    let more = messages.len() > limit as usize;
    messages.truncate(limit as usize);
    messages.reverse();
    Ok(History { messages, more })
}

/// The newest messages of a site, or of one of its conversations, oldest first; each with its visitor's public id.
pub async fn recent(
    store: &Store,
    site: SiteId,
    conversation: Option<ConversationId>,
    limit: u32,
) -> Result<Vec<(Message, String)>> {
    let mut messages = match conversation {
        Some(conversation) => store::recent_of(store, site, conversation, limit).await?,
        None => store::recent(store, site, limit).await?,
    };
    messages.reverse();
    Ok(messages)
}

/// The first messages of a site, or of one of its conversations, after a number of the log, oldest first; each with its
/// visitor's public id.
///
/// # Errors
/// When the database fails.
pub async fn after(
    store: &Store,
    site: SiteId,
    conversation: Option<ConversationId>,
    n: i64,
    limit: u32,
) -> Result<Vec<(Message, String)>> {
    match conversation {
        Some(conversation) => store::after_of(store, (site, conversation), n, limit).await,
        None => store::after(store, site, n, limit).await,
    }
}

/// The last line of each conversation, given its last number.
pub async fn last_lines(
    store: &Store,
    places: &[(SiteId, ConversationId, i64)],
) -> Result<HashMap<(SiteId, ConversationId), LastMessage>> {
    let messages = store::at(store, places).await?;
    Ok(messages.iter().map(|message| ((message.site_id, message.conversation_id), message.last_line())).collect())
}
