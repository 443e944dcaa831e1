//! Parameters as scripts send them: a query, JSON, a form or a multipart form, in any charset and with any content type
//! that their library uses. Unknown fields are ignored, as in PHP.

use std::fmt;
use std::future::ready;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use futures_util::{FutureExt, StreamExt, stream};
use http_body_util::BodyExt;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, header};
use multer::Multipart;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::http::body::{body_error, media_type_of};
use crate::id::ConversationId;

/// Bytes of a body that are read to find the key and the action, before authentication.
const PEEK_BYTES: usize = 64 * 1024;
/// Fields of a form, known or not: PHP's limit (`max_input_vars`).
const MAX_FIELDS: usize = 1_000;
/// Known fields. Others are skipped and take no memory.
const NAMES: [&str; 9] =
    ["_charset_", "action", "after", "agent_name", "content", "conversation_id", "image_base64", "key", "limit"];
/// UTF-8 byte order mark.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Names and values of a query or a form. The last value of a repeated name counts.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of_query(parts: &Parts) -> Parameters {
        let pairs = form_pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let known = pairs.filter(|(name, _)| is_known(name));
        Parameters(known.map(|(name, value)| (text_of(&name, None), text_of(&value, None))).collect())
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        last(&self.0, name).map(String::as_str)
    }

    /// Reads `key` and `action` from the body if the query has none. Returns the unread body.
    ///
    /// # Errors
    /// `InvalidRequest` for a body that ends early or arrives too slowly, `TooManyFields`.
    pub(super) async fn read_from_body(&mut self, parts: &Parts, body: Body) -> Result<Body> {
        if parts.method != Method::POST || Format::of(&parts.headers) == Format::Json {
            return Ok(body);
        }
        let Peeked { start, is_whole, body } = peek(body).await?;
        let fields = match Format::of(&parts.headers) {
            Format::Multipart(boundary) => multipart_fields(start, &boundary).0,
            Format::Form if is_whole => form_fields(&start)?,
            Format::Form | Format::Json => Vec::new(),
        };
        let before_files: Vec<(String, String)> = named(fields.into_iter().take_while(|field| !field.is_file), None);
        for name in ["key", "action"] {
            if self.get(name).is_none_or(str::is_empty)
                && let Some(value) = last(&before_files, name)
            {
                self.0.push((name.to_owned(), value.clone()));
            }
        }
        Ok(body)
    }
}

fn last<'a, T>(pairs: &'a [(String, T)], name: &str) -> Option<&'a T> {
    pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// The start of a body, and the whole body to be read again.
struct Peeked {
    start: Bytes,
    is_whole: bool,
    body: Body,
}

/// Reads the first [`PEEK_BYTES`] of a body, and the rest of the frame in which they end.
async fn peek(mut body: Body) -> Result<Peeked> {
    let mut start = BytesMut::new();
    while start.len() <= PEEK_BYTES {
        match body.frame().await {
            Some(frame) => {
                if let Ok(data) = frame.map_err(|error| body_error(&error))?.into_data() {
                    start.extend_from_slice(&data);
                }
            }
            None => {
                let start = start.freeze();
                return Ok(Peeked { body: Body::from(start.clone()), start, is_whole: true });
            }
        }
    }
    let start = start.freeze();
    let body = Body::from_stream(stream::once(ready(Ok(start.clone()))).chain(body.into_data_stream()));
    Ok(Peeked { start, is_whole: false, body })
}

/// Format of a body, by content type. Anything that is neither JSON nor multipart is treated as a form.
#[derive(PartialEq, Eq)]
enum Format {
    Json,
    Form,
    Multipart(String),
}

impl Format {
    fn of(headers: &HeaderMap) -> Format {
        let whole = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = media_type_of(headers).unwrap_or_default().to_ascii_lowercase();
        match multer::parse_boundary(whole) {
            Ok(boundary) => Format::Multipart(boundary),
            Err(_) if kind.ends_with("json") => Format::Json,
            Err(_) => Format::Form,
        }
    }
}

fn is_known(name: &[u8]) -> bool {
    NAMES.iter().any(|known| known.as_bytes() == name)
}

/// Counts one field.
fn count(seen: &mut usize) -> Result<()> {
    *seen += 1;
    if *seen > MAX_FIELDS { Err(Error::TooManyFields { limit: MAX_FIELDS }) } else { Ok(()) }
}

/// A field of a form, before decoding.
struct Field {
    name: Vec<u8>,
    value: Bytes,
    charset: Option<&'static Encoding>,
    is_file: bool,
}

fn form_pairs(bytes: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let unescape = |half: &[u8]| -> Vec<u8> {
        let spaced: Vec<u8> = half.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_encoding::percent_decode(&spaced).collect()
    };
    bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (unescape(&pair[..end]), unescape(pair.get(end + 1..).unwrap_or_default()))
    })
}

/// The known fields of a form.
fn form_fields(bytes: &[u8]) -> Result<Vec<Field>> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let (mut fields, mut seen) = (Vec::new(), 0);
    for (name, value) in form_pairs(bytes) {
        count(&mut seen)?;
        if is_known(&name) {
            fields.push(Field { name, value: value.into(), charset: None, is_file: false });
        }
    }
    Ok(fields)
}

/// The known fields of a multipart body up to its end, or up to where it cannot be read.
fn multipart_fields(bytes: Bytes, boundary: &str) -> (Vec<Field>, Result<()>) {
    let (mut fields, mut seen) = (Vec::new(), 0);
    let mut multipart = Multipart::new(stream::once(ready(Ok::<_, std::convert::Infallible>(bytes))), boundary);
    let read = async {
        while let Some(field) = multipart.next_field().await.map_err(|_| unreadable_multipart())? {
            count(&mut seen)?;
            let name = field.name().unwrap_or_default().as_bytes().to_vec();
            if !is_known(&name) {
                continue;
            }
            let is_file = field.file_name().is_some();
            let charset = field.content_type().and_then(|kind| kind.get_param("charset"));
            let charset = charset.and_then(|label| Encoding::for_label(label.as_str().as_bytes()));
            let value = field.bytes().await.map_err(|_| unreadable_multipart())?;
            fields.push(Field { name, value, charset, is_file });
        }
        Ok(())
    };
    // All bytes are in memory: it never waits.
    let read = read.now_or_never().unwrap_or_else(|| Err(unreadable_multipart()));
    (fields, read)
}

fn unreadable_multipart() -> Error {
    Error::InvalidRequest("the multipart body cannot be read".into())
}

/// Decodes names and values: in the charset of the field, else of the field `_charset_` (RFC 7578, 4.6), else of the
/// body.
fn named(fields: impl Iterator<Item = Field>, charset: Option<&'static Encoding>) -> Vec<(String, String)> {
    let fields: Vec<Field> = fields.collect();
    let own = fields.iter().rev().find(|field| field.name == b"_charset_");
    let charset = own.and_then(|field| Encoding::for_label(&field.value)).or(charset);
    let text = |field: &Field| text_of(&field.value, field.charset.or(charset));
    fields.iter().map(|field| (text_of(&field.name, charset), text(field))).collect()
}

/// Decodes bytes, without a byte order mark. Bytes that are invalid in their charset, or in UTF-8 if none is declared,
/// are decoded as Windows-1252, which has a character for every byte: no replacement characters appear.
fn text_of(bytes: &[u8], charset: Option<&'static Encoding>) -> String {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    charset
        .into_iter()
        .chain([UTF_8])
        .find_map(|charset| charset.decode_without_bom_handling_and_without_replacement(bytes))
        .unwrap_or_else(|| WINDOWS_1252.decode_without_bom_handling(bytes).0)
        .into_owned()
}

/// The declared charset of a content type, if browsers support it.
fn charset_of(headers: &HeaderMap) -> Option<&'static Encoding> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let parameters = kind.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    Encoding::for_label(charsets.next()?.1.trim().trim_matches(['"', '\'']).as_bytes())
}

/// The body of `reply_as_agent`.
#[derive(Debug, Default, schemars::JsonSchema)]
#[schemars(rename = "AgentReply")]
pub struct Reply {
    /// An integer, also in quotes.
    #[schemars(with = "i64")]
    conversation_id: Option<String>,
    /// The text.
    pub content: Option<String>,
    /// The image, as base64 or as a data URL.
    pub image_base64: Option<String>,
    /// The image, if `image_base64` was sent as a file.
    #[schemars(skip)]
    pub image_file: Option<Bytes>,
    /// The agent's name, shown to the visitor.
    pub agent_name: Option<String>,
}

impl Reply {
    /// Parses a body: multipart by content type, JSON by content type or first character, otherwise a form.
    ///
    /// # Errors
    /// `InvalidRequest` for an unreadable body, and for a value that is neither text nor a number; `TooManyFields`.
    pub fn parse(parts: &Parts, bytes: &Bytes) -> Result<Reply> {
        let charset = charset_of(&parts.headers);
        let format = Format::of(&parts.headers);
        if let Format::Multipart(boundary) = &format {
            let (fields, read) = multipart_fields(bytes.clone(), boundary);
            read?;
            return Ok(Reply::of_fields(fields, charset));
        }
        let (marked, length) = Encoding::for_bom(bytes).map_or((None, 0), |(charset, length)| (Some(charset), length));
        let bytes = bytes.slice(length..);
        if format == Format::Json || bytes.trim_ascii_start().starts_with(b"{") {
            return Reply::of_json(&text_of(&bytes, marked.or(charset)));
        }
        Ok(Reply::of_fields(form_fields(&bytes)?, charset))
    }

    fn of_json(text: &str) -> Result<Reply> {
        let is_object = text.trim_ascii_start().starts_with('{');
        serde_json::from_str(text).map_err(|error| {
            // The parser's message would quote the input.
            let reason = if is_object && error.is_data() {
                "a field is neither text nor a number"
            } else {
                "send a JSON object"
            };
            Error::InvalidRequest(reason.into())
        })
    }

    fn of_fields(fields: Vec<Field>, charset: Option<&'static Encoding>) -> Reply {
        let (files, texts): (Vec<Field>, Vec<Field>) = fields.into_iter().partition(|field| field.is_file);
        let file = files.into_iter().rev().find(|file| file.name == b"image_base64");
        let mut reply = Reply { image_file: file.map(|file| file.value), ..Reply::default() };
        for (name, value) in named(texts.into_iter(), charset) {
            if let Some(field) = reply.field(&name) {
                *field = Some(value);
            }
        }
        reply
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "conversation_id" => Some(&mut self.conversation_id),
            "content" => Some(&mut self.content),
            "image_base64" => Some(&mut self.image_base64),
            "agent_name" => Some(&mut self.agent_name),
            _ => None,
        }
    }

    /// The conversation id.
    ///
    /// # Errors
    /// `Invalid` if missing or not a number.
    pub fn conversation(&self) -> Result<ConversationId> {
        conversation_id(self.conversation_id.as_deref().unwrap_or_default())
    }
}

/// Parses an object field by field. The last value of a repeated name counts; unknown fields are skipped without being
/// built.
impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Reply, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Reply;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> std::result::Result<Reply, A::Error> {
                let mut reply = Reply::default();
                while let Some(name) = fields.next_key::<String>()? {
                    match reply.field(&name) {
                        Some(field) => *field = fields.next_value::<TextOrNumber>()?.0,
                        None => _ = fields.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(reply)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// A text, or a number as its text: its digits as they were written, with `1.0` as `1`. `None` for null. Lists and objects
/// are skipped and refused.
struct TextOrNumber(Option<String>);

impl<'de> Deserialize<'de> for TextOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<TextOrNumber, D::Error> {
        let written = <&RawValue>::deserialize(deserializer)?.get();
        let text = match written.as_bytes()[0] {
            b'"' => Some(serde_json::from_str(written).map_err(de::Error::custom)?),
            b'n' => None,
            b'-' | b'0'..=b'9' => Some(written.strip_suffix(".0").unwrap_or(written).to_owned()),
            _ => return Err(de::Error::custom("neither text nor a number")),
        };
        Ok(TextOrNumber(text))
    }
}

/// Parses an integer, also written as `12.0`. A number that no conversation can have is accepted here.
pub(super) fn conversation_id(text: &str) -> Result<ConversationId> {
    let text = text.trim();
    let whole = text.split_once('.').filter(|(_, part)| part.bytes().all(|byte| byte == b'0')).map_or(text, |(n, _)| n);
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid("conversation_id", "must be a whole number"));
    }
    Ok(ConversationId(whole.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: Option<&str>, body: &[u8]) -> Result<Reply> {
        let mut request = hyper::Request::builder();
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        Reply::parse(&parts, &Bytes::copy_from_slice(body))
    }

    #[test]
    fn json_and_forms_of_any_content_type() {
        let form = "application/x-www-form-urlencoded";
        for (kind, body) in [
            (Some("application/json"), r#"{"conversation_id":123,"content":"a b"}"#),
            (Some("application/json; charset=utf-8"), r#"{"conversation_id":"123","content":"a b"}"#),
            (Some("application/json"), r#"{"conversation_id":123.0,"content":"a b","surprise":{"deep":[1]}}"#),
            (Some("application/json"), "\u{feff}{\"conversation_id\":\"123.0\",\"content\":\"a b\"}"),
            (Some("application/json"), r#"{"content":"x","conversation_id":123,"content":"a b"}"#),
            (Some(form), r#" {"conversation_id":123,"content":"a b","image_base64":null}"#),
            (Some(form), "conversation_id=123&content=a+b"),
            (Some(form), "\u{feff}conversation_id=123&content=a+b&surprise=1"),
            (Some("text/plain"), "conversation_id=123&content=a%20b"),
            (None, r#"{"conversation_id":123,"content":"a b"}"#),
            (None, "conversation_id=123&content=a+b"),
        ] {
            let reply = parse(kind, body.as_bytes()).expect(body);
            assert_eq!(reply.conversation().expect(body), ConversationId(123), "{body}");
            assert_eq!(reply.content.as_deref(), Some("a b"), "{body}");
        }
    }

    #[test]
    fn a_number_stands_for_its_text() {
        let said = |body: &str| parse(Some("application/json"), body.as_bytes()).expect(body).content;
        assert_eq!(said(r#"{"content":5}"#).as_deref(), Some("5"));
        assert_eq!(said(r#"{"content":1.0}"#).as_deref(), Some("1"));
        assert_eq!(said(r#"{"content":12.50}"#).as_deref(), Some("12.50"));
        assert_eq!(said(r#"{"content":null}"#), None);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for body in ["{", "[]", "hello", r#"{"conversation_id":1,"content":true}"#, r#"{"conversation_id":[1]}"#] {
            assert!(parse(Some("application/json"), body.as_bytes()).is_err(), "{body}");
        }
        for body in ["", "content=hello", "conversation_id=12abc", "conversation_id=", "conversation_id=1.5"] {
            let reply = parse(None, body.as_bytes()).expect(body);
            assert!(reply.conversation().is_err(), "{body}");
        }
        let huge = parse(None, b"conversation_id=99999999999999999999").expect("readable");
        assert_eq!(huge.conversation().expect("a number"), ConversationId(0));
        assert!(parse(Some("multipart/form-data; boundary=x"), b"--x\r\nContent-Disposition: form-da").is_err());
    }

    #[test]
    fn charsets_are_honoured_and_guessed() {
        let said = |kind: &str, body: &[u8]| parse(Some(kind), body).expect("readable").content.expect("a text");
        let form = "application/x-www-form-urlencoded";
        assert_eq!(said(form, b"content=caf\xe9+%80"), "café €", "not UTF-8: Windows-1252");
        assert_eq!(said(form, b"content=caf%C3%A9"), "café");
        assert_eq!(said(&format!("{form}; charset=GBK"), b"content=%C4%E3%BA%C3"), "你好");
        assert_eq!(said(form, b"_charset_=shift_jis&content=%82%A0"), "あ");
        assert_eq!(said("application/json; charset=\"iso-8859-1\"", b"{\"content\":\"caf\xe9\"}"), "café");
        assert_eq!(said("application/json; charset=nonsense", b"{\"content\":\"caf\xe9\"}"), "café");
        assert_eq!(
            said("application/json; charset=utf-8", b"{\"content\":\"caf\xe9\"}"),
            "café",
            "it says what it is not"
        );
        let wide: Vec<u8> = "\u{feff}{\"content\":\"é\"}".encode_utf16().flat_map(|unit| unit.to_le_bytes()).collect();
        assert_eq!(said("application/json", &wide), "é");
    }

    #[test]
    fn a_multipart_body_has_texts_and_a_file() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"conversation_id\"\r\n\r\n123\r\n\
            --x\r\nContent-Disposition: form-data; name=\"content\"\r\nContent-Type: text/plain; charset=big5\r\n\r\n\
            \xa7A\xa6n\r\n\
            --x\r\nContent-Disposition: form-data; name=\"image_base64\"; filename=\"a.png\"\r\n\
            Content-Type: image/png\r\n\r\n\x89PNG\r\n--x--\r\n";
        let reply = parse(Some("multipart/form-data; boundary=x"), body).expect("readable");
        assert_eq!(reply.conversation().expect("a number"), ConversationId(123));
        assert_eq!((reply.content.as_deref(), reply.image_file.as_deref()), (Some("你好"), Some(&b"\x89PNG"[..])));
    }
}
