//! `get_recent_messages`: the newest messages of the site, oldest first.

use axum::response::Response;
use bytes::Bytes;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::app::App;
use crate::conversations::{self, Side};
use crate::error::{Error, Result};
use crate::id::SiteId;
use crate::messages::{self, Author, Message};
use crate::response_cache::RECENT_BYTES;
use crate::secret::digest;

use super::answer::{answer, to_text};
use super::body::{Parameters, conversation_id};
use super::key::CurrentKey;

/// Default number of messages, as documented.
const DEFAULT_LIMIT: u32 = 50;
/// Largest number of messages in a response.
const MAX_LIMIT: u32 = 200;

/// The newest messages.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Recent<'a> {
    success: bool,
    data: Vec<Line<'a>>,
}

/// A message with exactly the documented fields.
#[derive(Serialize, schemars::JsonSchema)]
struct Line<'a> {
    conversation_id: String,
    sender_type: Side,
    sender_user_id: String,
    message_type: &'static str,
    content: &'a str,
    image_url: Option<&'a str>,
    created_at: String,
}

/// Schema of the query, without the key.
pub(super) fn query(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "properties": {
            "action": { "const": "get_recent_messages" },
            "conversation_id": { "type": "string", "pattern": "^-?[0-9]+$" },
            "limit": { "type": "integer", "minimum": 1, "maximum": MAX_LIMIT }
        },
        "required": ["action"]
    })
}

pub(super) async fn recent(app: &App, key: &CurrentKey, query: &Parameters) -> Result<Response> {
    let limit = match query.get("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| Error::invalid("limit", "must be a number from 1 to 200"))?,
    };
    let conversation = query.get("conversation_id").map(conversation_id).transpose()?;
    // Scripts poll, and usually nothing has changed: the response is cached until the site's event log grows. The log's
    // end is read before the messages, so that a response can be newer than its version, never older.
    let end = app.events.last_number(&app.store, key.site.id).await?;
    let (asked, stamp) = ((key.site.id, key.id, conversation, limit), (end, key.site.opaque_agent_ids));
    if let Some(text) = app.response_cache.recent.get(&asked, |made_from| *made_from == stamp) {
        return Ok(answer(text));
    }
    let found = messages::recent(&app.store, key.site.id, conversation, limit).await?;
    if let (true, Some(id)) = (found.is_empty(), conversation) {
        // Asked for only here: a conversation with messages exists, and a second query would double the cost of all others.
        conversations::store::find(&app.store, key.site.id, id).await?.ok_or(Error::NotFound)?;
    }
    let data = found.iter().map(|(message, visitor)| line(key, message, visitor)).collect();
    let text = Bytes::from(to_text(&Recent { success: true, data }));
    if text.len() <= RECENT_BYTES {
        app.response_cache.recent.insert(asked, stamp, text.clone());
    }
    Ok(answer(text))
}

fn line<'a>(key: &CurrentKey, message: &'a Message, visitor: &str) -> Line<'a> {
    let sender_type = message.author.side();
    let sender_user_id = match sender_type {
        Side::Visitor => visitor.to_owned(),
        Side::Agent if key.site.opaque_agent_ids => opaque_id(key.site.id, &message.author),
        Side::Agent => key.presented.expose().to_owned(),
    };
    Line {
        conversation_id: message.conversation_id.to_string(),
        sender_type,
        sender_user_id,
        message_type: if message.image.is_some() { "image" } else { "text" },
        content: if message.image.is_some() { "" } else { &message.text },
        image_url: message.image.as_ref().map(|image| image.url.as_str()),
        created_at: message.at.to_api_text(),
    }
}

/// A stable id of an agent within a site, from which no account or key can be derived.
fn opaque_id(site: SiteId, author: &Author) -> String {
    let who = match author {
        Author::Visitor(_) => return String::new(),
        Author::Operator { account, .. } => format!("operator {account}"),
        Author::Api { key, .. } => format!("api {key}"),
    };
    let hash = digest(&format!("agent of site {site}: {who}"));
    let short: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("agent_{short}")
}
