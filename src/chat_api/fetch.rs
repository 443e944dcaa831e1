//! `get_recent_messages`: the newest messages of the site, or those after a cursor, oldest first.

use axum::response::Response;
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::app::App;
use crate::conversations::{self, Side};
use crate::error::{Error, Result};
use crate::events::{Holder, store};
use crate::id::{ConversationId, SiteId};
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
/// The cursor after which the next messages come; a script sends it back as `after`.
const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");
/// `1`: the cursor was of another list or of another life of the database, and these are the newest messages.
const CURSOR_RESET: HeaderName = HeaderName::from_static("x-cursor-reset");

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

/// What `after` does.
const AFTER: &str = "X-Next-Cursor of an earlier response to the same key's site and conversation_id: the messages that came \
    after it, oldest first. One that does not fit is answered with the newest messages and X-Cursor-Reset: 1.";

/// Schema of the query, without the key.
pub(super) fn query(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "properties": {
            "action": { "const": "get_recent_messages" },
            "after": { "type": "string", "description": AFTER },
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
    let held = query.get("after").filter(|cursor| !cursor.is_empty());
    let holder = Holder::Script(key.site.id, conversation);
    // Read before the messages: whatever the log has up to here is found.
    let end = app.events.last_number(&app.store, key.site.id).await?;
    let after = match held.and_then(|cursor| app.cursors.read(holder, cursor)) {
        Some(n) if n > end => in_log(app, key, n).await?,
        within => within,
    };
    let list = List { conversation, limit, end };
    let (text, upto) = match after {
        Some(n) => list.after(app, key, n).await?,
        None => list.newest(app, key).await?,
    };
    let mut response = answer(text);
    // Letters, digits, `-`, `_` and `.` only.
    let cursor = HeaderValue::try_from(app.cursors.write(holder, upto)?);
    response.headers_mut().extend(cursor.ok().map(|cursor| (NEXT_CURSOR, cursor)));
    if held.is_some() && after.is_none() {
        response.headers_mut().insert(CURSOR_RESET, HeaderValue::from_static("1"));
    }
    Ok(response)
}

/// The number, if the log has come so far. It has not when an older copy of the database was put in its place.
async fn in_log(app: &App, key: &CurrentKey, n: i64) -> Result<Option<i64>> {
    let range = store::range(&app.store, key.site.workspace_id).await?;
    Ok(range.filter(|range| n <= range.n).map(|_| n))
}

/// What is asked for.
struct List {
    conversation: Option<ConversationId>,
    limit: u32,
    /// A number that the log had reached before the messages are read.
    end: i64,
}

impl List {
    /// The newest messages, and up to which number of the log nothing newer is missing. Scripts poll, and usually nothing has
    /// changed: the response is cached until the site's log grows. It can be newer than its version, never older.
    async fn newest(&self, app: &App, key: &CurrentKey) -> Result<(Bytes, i64)> {
        let asked = (key.site.id, key.id, self.conversation, self.limit);
        let stamp = (self.end, key.site.opaque_agent_ids);
        if let Some(cached) = app.response_cache.recent.get(&asked, |made_from| *made_from == stamp) {
            return Ok(cached);
        }
        let found = messages::recent(&app.store, key.site.id, self.conversation, self.limit).await?;
        self.must_exist(app, key, &found).await?;
        let upto = last(&found).max(self.end);
        let text = body(key, &found);
        if text.len() <= RECENT_BYTES {
            app.response_cache.recent.insert(asked, stamp, (text.clone(), upto));
        }
        Ok((text, upto))
    }

    /// The first messages after a number, and up to which number all are among them. Not cached: nobody asks again.
    async fn after(&self, app: &App, key: &CurrentKey, n: i64) -> Result<(Bytes, i64)> {
        if n >= self.end {
            // The usual answer to a poll, without a query. Removing a conversation raises the end, so it is still there; a
            // message that is being published is found the next time.
            return Ok((body(key, &[]), n));
        }
        let found = messages::after(&app.store, key.site.id, self.conversation, n, self.limit).await?;
        self.must_exist(app, key, &found).await?;
        let upto = match found.len() < self.limit as usize {
            // All that there was: the next poll does not look at other events again.
            true => last(&found).max(self.end),
            false => last(&found),
        };
        Ok((body(key, &found), upto))
    }

    /// Asks for the conversation only when nothing was found: one with messages exists, and a second query would double the
    /// cost of all others.
    async fn must_exist(&self, app: &App, key: &CurrentKey, found: &[(Message, String)]) -> Result<()> {
        if let (true, Some(id)) = (found.is_empty(), self.conversation) {
            conversations::store::find(&app.store, key.site.id, id).await?.ok_or(Error::NotFound)?;
        }
        Ok(())
    }
}

/// The number of the last message, or 0.
fn last(found: &[(Message, String)]) -> i64 {
    found.last().map_or(0, |(message, _)| message.n)
}

fn body(key: &CurrentKey, found: &[(Message, String)]) -> Bytes {
    let data = found.iter().map(|(message, visitor)| line(key, message, visitor)).collect();
    Bytes::from(to_text(&Recent { success: true, data }))
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
