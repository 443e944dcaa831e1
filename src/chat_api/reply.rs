//! `reply_as_agent`: a text, an image, or the text and then the image, in one transaction.

use axum::body::Body as RequestBody;
use axum::response::Response;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use hyper::http::request::Parts;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::conversations;
use crate::error::{Error, Result};
use crate::http::uploads::with_upload;
use crate::id::ConversationId;
use crate::images::{self, Uploader};
use crate::messages::{self, Author, Body, ClientId, Draft, Outgoing, Target, Text};
use crate::text;

use super::answer::{Refusal, json};
use super::body::Reply;
use super::key::CurrentKey;

/// Bytes for the other fields beside the image.
const MAX_OTHER_FIELD_BYTES: usize = 64 * 1024;
/// Documented default for the agent's name.
const DEFAULT_NAME: &str = "Agent";
/// Longest name, in graphemes.
const NAME_GRAPHEMES: usize = 64;
/// Base64 with or without padding: libraries differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The reply was stored.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Sent {
    success: bool,
}

/// A reply whose content passed the cheap checks.
struct Content {
    text: Option<Text>,
    image: Option<Bytes>,
}

/// Result of an accepted reply.
#[derive(PartialEq, Eq)]
enum Outcome {
    /// Stored, now or by an earlier attempt.
    Stored,
    /// The `Idempotency-Key` belongs to another reply.
    KeyReused,
}

/// Schema of the query, without the key.
pub(super) fn query(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "properties": { "action": { "const": "reply_as_agent" } }, "required": ["action"] })
}

pub(super) async fn reply(
    app: &App,
    key: &CurrentKey,
    parts: &Parts,
    body: RequestBody,
) -> std::result::Result<Response, Refusal> {
    let limit = key.site.limits.image_bytes as usize / 3 * 4 + MAX_OTHER_FIELD_BYTES;
    match with_upload(app, (key.site.id, None), body, limit, async |bytes| take(app, key, parts, bytes).await).await? {
        Outcome::Stored => Ok(json(&Sent { success: true })),
        Outcome::KeyReused => Err(Refusal::IdempotencyKeyReused),
    }
}

async fn take(app: &App, key: &CurrentKey, parts: &Parts, bytes: Bytes) -> Result<Outcome> {
    let reply = Reply::parse(parts, &bytes)?;
    let conversation = reply.conversation()?;
    let content = match Content::parse(&reply, key) {
        // Sending detects a missing conversation itself; only work done before sending needs a check.
        Ok(content) if content.image.is_none() => content,
        content => {
            let found = conversations::store::find(&app.store, key.site.id, conversation).await?;
            found.ok_or(Error::NotFound)?;
            content?
        }
    };
    let ids = ClientIds::new(parts)?;
    let name = name(&reply);
    // An image may queue: meanwhile it is in memory once, without its encoded form.
    drop((bytes, reply));
    send(app, key, conversation, name, content, ids).await
}

async fn send(
    app: &App,
    key: &CurrentKey,
    conversation: ConversationId,
    name: String,
    content: Content,
    ids: ClientIds,
) -> Result<Outcome> {
    let mut bodies = Vec::with_capacity(2);
    if let Some(text) = content.text {
        bodies.push(Body::Text(text));
    }
    if let Some(bytes) = content.image {
        let image = images::accept(&app.images, key.site.upload_target(), Uploader::Api(key.id), bytes).await?;
        bodies.push(Body::Image(image.name));
    }
    let drafts = ids.both.iter().cloned().zip(bodies);
    let drafts: Vec<Draft> = drafts.map(|(client_id, body)| Draft { client_id, body }).collect();
    let outgoing = Outgoing {
        site: key.site.id,
        target: Target::Conversation(conversation),
        author: Author::Api { key: key.id, name },
        drafts,
    };
    match messages::send(&app.appender, outgoing.clone()).await {
        // A retried image got another name, so that an honest retry can be a conflict. Its files are swept.
        Ok(_) | Err(Error::Conflict(_)) if ids.repeatable => is_stored(app, key, &ids, &outgoing).await,
        sent => sent.map(|_| Outcome::Stored),
    }
}

/// Compares the stored messages of these client ids with the reply.
async fn is_stored(app: &App, key: &CurrentKey, ids: &ClientIds, outgoing: &Outgoing) -> Result<Outcome> {
    let Outgoing { target, author, drafts, .. } = outgoing;
    // Both ids, even if the reply has one part: the earlier one may have had two.
    let stored = messages::of_author(&app.store, key.site.workspace_id, author, &ids.both).await?;
    if stored.len() != drafts.len() {
        return Ok(Outcome::KeyReused);
    }
    for (message, draft) in stored.iter().zip(drafts) {
        let same_body = match (&draft.body, &message.image) {
            (Body::Text(text), None) => message.text == text.as_str(),
            (Body::Image(name), Some(image)) => images::has_same_content(&app.images, name.as_str(), &image.id).await?,
            (Body::Text(_), Some(_)) | (Body::Image(_), None) => false,
        };
        if !same_body
            || *target != Target::Conversation(message.conversation_id)
            || message.author.name() != author.name()
        {
            return Ok(Outcome::KeyReused);
        }
    }
    Ok(Outcome::Stored)
}

impl Content {
    fn parse(reply: &Reply, key: &CurrentKey) -> Result<Content> {
        let limit = key.site.limits.image_bytes as usize;
        let image = reply.image_base64.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let file = reply.image_file.as_ref().filter(|file| !file.is_empty());
        let text = match Text::parse(reply.content.as_deref().unwrap_or_default()) {
            Err(Error::EmptyMessage) if image.is_some() || file.is_some() => None,
            text => Some(text?),
        };
        let image = match (image, file) {
            (Some(text), _) => Some(decode(text, limit)?),
            (None, Some(file)) => Some(decode_file(file, limit)?),
            (None, None) => None,
        };
        Ok(Content { text, image })
    }
}

/// Decodes an image of at most `limit` bytes from base64 or a data URL, with or without line breaks.
///
/// # Errors
/// `InvalidImage` for what is not base64, `ImageTooLarge`.
pub fn decode(text: &str, limit: usize) -> Result<Bytes> {
    let damaged = || Error::InvalidImage("it is not base64");
    let data = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").ok_or_else(damaged)?.1,
        None => text,
    };
    // An unencoded form turns plus signs into spaces.
    let compact: Vec<u8> = data
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | b'\t'))
        .map(|byte| if byte == b' ' { b'+' } else { byte })
        .collect();
    let bytes = BASE64.decode(compact).map_err(|_| damaged())?;
    if bytes.len() > limit { Err(Error::ImageTooLarge { limit }) } else { Ok(bytes.into()) }
}

/// An image sent as a file: base64 text, or the image itself.
fn decode_file(file: &Bytes, limit: usize) -> Result<Bytes> {
    match std::str::from_utf8(file).map(|text| decode(text.trim(), limit)) {
        Ok(Err(Error::InvalidImage(_))) | Err(_) if file.len() > limit => Err(Error::ImageTooLarge { limit }),
        Ok(Err(Error::InvalidImage(_))) | Err(_) => Ok(file.clone()),
        Ok(decoded) => decoded,
    }
}

fn name(reply: &Reply) -> String {
    let name = text::cut(&text::line(reply.agent_name.as_deref().unwrap_or_default()), NAME_GRAPHEMES);
    if name.is_empty() { DEFAULT_NAME.to_owned() } else { name }
}

/// Client ids of the two parts, derived from the `Idempotency-Key` alone, so that a key never stores two replies.
struct ClientIds {
    both: [ClientId; 2],
    repeatable: bool,
}

impl ClientIds {
    fn new(parts: &Parts) -> Result<ClientIds> {
        let given = parts.headers.get("idempotency-key").map(|value| value.as_bytes().trim_ascii());
        let Some(given) = given.filter(|given| !given.is_empty()) else {
            return Ok(ClientIds { both: [ClientId::random(), ClientId::random()], repeatable: false });
        };
        let hash: String = Sha256::digest(given)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(ClientIds {
            both: [ClientId::parse(&format!("key-{hash}-1"))?, ClientId::parse(&format!("key-{hash}-2"))?],
            repeatable: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_libraries_write_it() {
        for text in ["aGVsbG8+", "data:image/png;base64,aGVsbG8+", "aGVs\r\nbG8+", "aGVsbG8 "] {
            assert_eq!(decode(text, 100).expect(text), "hello>", "{text}");
        }
        assert_eq!(decode("aGVsbG8", 100).expect("no padding"), "hello");
        assert!(matches!(decode("aGVsbG8+", 5), Err(Error::ImageTooLarge { .. })));
        for bad in ["%%%%", "data:image/png,xx", "a"] {
            assert!(matches!(decode(bad, 100), Err(Error::InvalidImage(_))), "{bad}");
        }
    }
}
