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
use crate::turns::Whose;

use super::answer::json;
use super::body::Reply;
use super::key::CurrentKey;

/// Room for the other fields beside the image.
const OTHER_FIELDS: usize = 64 * 1024;
/// The documented name of an agent that gives none.
const DEFAULT_NAME: &str = "Agent";
/// Longest name, in characters.
const NAME_GRAPHEMES: usize = 64;
/// Base64 with or without padding: libraries differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// It was stored.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Sent {
    success: bool,
}

/// What a reply says, checked as far as can be without work.
struct Content {
    text: Option<Text>,
    image: Option<Bytes>,
}

/// What the query may hold, beside the key.
pub(super) fn query(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "properties": { "action": { "const": "reply_as_agent" } }, "required": ["action"] })
}

pub(super) async fn reply(app: &App, key: &CurrentKey, parts: &Parts, body: RequestBody) -> Result<Response> {
    let limit = key.site.limits.image_bytes as usize / 3 * 4 + OTHER_FIELDS;
    with_upload(app, key.site.id, body, limit, async |bytes| take(app, key, parts, bytes).await).await?;
    Ok(json(&Sent { success: true }))
}

async fn take(app: &App, key: &CurrentKey, parts: &Parts, bytes: Bytes) -> Result<()> {
    let reply = Reply::parse(parts, &bytes)?;
    let conversation = reply.conversation()?;
    let content = match Content::parse(&reply, key) {
        // Sending finds a missing conversation by itself; only what is done before that must ask.
        Ok(content) if content.image.is_none() => content,
        content => {
            let found = conversations::store::find(&app.store, key.site.id, conversation).await?;
            found.ok_or(Error::NotFound)?;
            content?
        }
    };
    let ids = ClientIds::new(parts, &bytes)?;
    drop(bytes);
    send(app, key, conversation, name(&reply), content, ids).await
}

async fn send(
    app: &App,
    key: &CurrentKey,
    conversation: ConversationId,
    name: String,
    content: Content,
    ids: ClientIds,
) -> Result<()> {
    let mut drafts = Vec::with_capacity(2);
    if let Some(text) = content.text {
        drafts.push(Draft { client_id: ids.text, body: Body::Text(text) });
    }
    if let Some(bytes) = content.image {
        let _turn = app.turns.take(Whose::Own(key.site.owner_id)).await?;
        let image = images::accept(app, &key.site, Uploader::Api(key.id), bytes).await?;
        drafts.push(Draft { client_id: ids.image, body: Body::Image(image.name) });
    }
    let outgoing = Outgoing {
        site: key.site.id,
        target: Target::Conversation(conversation),
        author: Author::Api { key: key.id, name },
        drafts,
    };
    match messages::send(app, outgoing).await {
        // The ids hold the hash of the whole request, so what they were used for is this very reply: a retried image
        // only got another name. Its files are swept.
        Err(Error::Conflict(_)) if ids.repeatable => Ok(()),
        sent => sent.map(drop),
    }
}

impl Content {
    fn parse(reply: &Reply, key: &CurrentKey) -> Result<Content> {
        let image = reply.image_base64.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let text = match Text::parse(reply.content.as_deref().unwrap_or_default()) {
            Err(Error::EmptyMessage) if image.is_some() => None,
            text => Some(text?),
        };
        let limit = key.site.limits.image_bytes as usize;
        Ok(Content { text, image: image.map(|text| decode(text, limit)).transpose()? })
    }
}

/// Reads a picture of at most `limit` bytes: raw base64 or a data URL, with line breaks or without.
///
/// # Errors
/// `InvalidImage` for what is not base64, `ImageTooLarge`.
pub fn decode(text: &str, limit: usize) -> Result<Bytes> {
    let damaged = || Error::InvalidImage("it is not base64");
    let data = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").ok_or_else(damaged)?.1,
        None => text,
    };
    // A form that was not encoded turns each plus sign into a space.
    let compact: Vec<u8> = data
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | b'\t'))
        .map(|byte| if byte == b' ' { b'+' } else { byte })
        .collect();
    let bytes = BASE64.decode(compact).map_err(|_| damaged())?;
    if bytes.len() > limit { Err(Error::ImageTooLarge { limit }) } else { Ok(bytes.into()) }
}

fn name(reply: &Reply) -> String {
    let name = text::cut(&text::line(reply.agent_name.as_deref().unwrap_or_default()), NAME_GRAPHEMES);
    if name.is_empty() { DEFAULT_NAME.to_owned() } else { name }
}

/// Ids for the two parts: made from the `Idempotency-Key` and the request, so that a retry stores nothing twice.
struct ClientIds {
    text: ClientId,
    image: ClientId,
    repeatable: bool,
}

impl ClientIds {
    fn new(parts: &Parts, bytes: &Bytes) -> Result<ClientIds> {
        let Some(given) = parts.headers.get("idempotency-key") else {
            return Ok(ClientIds { text: ClientId::random(), image: ClientId::random(), repeatable: false });
        };
        let hash = Sha256::new().chain_update(given.as_bytes()).chain_update([0]).chain_update(bytes).finalize();
        let hash: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(ClientIds {
            text: ClientId::parse(&format!("key-{hash}-text"))?,
            image: ClientId::parse(&format!("key-{hash}-image"))?,
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
