//! Parameters as scripts send them: a query, JSON or a form, and with whatever content type their library puts on it.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};
use crate::http::body::{media_type_of, object};
use crate::id::ConversationId;

/// Names and values of a query or a form. Of a repeated name the last one counts.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of_query(parts: &Parts) -> Parameters {
        Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes())
    }

    fn parse(bytes: &[u8]) -> Parameters {
        Parameters(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The body of `reply_as_agent`.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgentReply")]
pub struct Reply {
    /// A whole number, also one in quotes.
    #[serde(default, deserialize_with = "number_or_text")]
    #[schemars(with = "i64")]
    conversation_id: Option<String>,
    /// The text.
    pub content: Option<String>,
    /// The picture, as base64 or as a data URL.
    pub image_base64: Option<String>,
    /// As shown to the visitor.
    pub agent_name: Option<String>,
}

impl Reply {
    /// Reads a body: JSON where it looks like JSON, otherwise a form, unless it claims to be JSON.
    ///
    /// # Errors
    /// `InvalidRequest` for what is neither, and for fields that are not known.
    pub fn parse(parts: &Parts, bytes: &Bytes) -> Result<Reply> {
        let unreadable = || Error::InvalidRequest("the body is neither JSON nor a form".into());
        let is_json = media_type_of(&parts.headers).is_some_and(|kind| kind.ends_with("json"));
        if is_json || bytes.trim_ascii_start().starts_with(b"{") {
            return object(bytes);
        }
        let mut reply = Reply::default();
        for (name, value) in Parameters::parse(bytes).0 {
            let field = match name.as_str() {
                "conversation_id" => &mut reply.conversation_id,
                "content" => &mut reply.content,
                "image_base64" => &mut reply.image_base64,
                "agent_name" => &mut reply.agent_name,
                _ => return Err(unreadable()),
            };
            *field = Some(value);
        }
        Ok(reply)
    }

    /// The conversation, which must be there and be a number.
    ///
    /// # Errors
    /// `Invalid` where it is not.
    pub fn conversation(&self) -> Result<ConversationId> {
        conversation_id(self.conversation_id.as_deref().unwrap_or_default())
    }
}

/// Reads a whole number. One that no conversation can have is a number all the same.
pub(super) fn conversation_id(text: &str) -> Result<ConversationId> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid("conversation_id", "must be a whole number"));
    }
    Ok(ConversationId(text.parse().unwrap_or(0)))
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Number(serde_json::Number),
        Text(String),
        Nothing,
    }
    Ok(match Given::deserialize(deserializer)? {
        Given::Number(number) => Some(number.to_string()),
        Given::Text(text) => Some(text),
        Given::Nothing => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: Option<&str>, body: &'static str) -> Result<Reply> {
        let mut request = hyper::Request::builder();
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        Reply::parse(&parts, &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn json_and_forms_of_any_content_type() {
        let form = "application/x-www-form-urlencoded";
        for (kind, body) in [
            (Some("application/json"), r#"{"conversation_id":123,"content":"a b"}"#),
            (Some("application/json; charset=utf-8"), r#"{"conversation_id":"123","content":"a b"}"#),
            (Some(form), r#" {"conversation_id":123,"content":"a b","image_base64":null}"#),
            (Some(form), "conversation_id=123&content=a+b"),
            (Some("text/plain"), "conversation_id=123&content=a%20b"),
            (None, r#"{"conversation_id":123,"content":"a b"}"#),
            (None, "conversation_id=123&content=a+b"),
        ] {
            let reply = parse(kind, body).expect(body);
            assert_eq!(reply.conversation().expect(body), ConversationId(123), "{body}");
            assert_eq!(reply.content.as_deref(), Some("a b"), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for body in [
            "{",
            "[]",
            "hello",
            r#"{"conversation_id":1,"surprise":1}"#,
            r#"{"conversation_id":1,"content":5}"#,
            "conversation_id=1&surprise=1",
        ] {
            assert!(parse(Some("application/json"), body).is_err(), "{body}");
        }
        for body in ["", "content=hello", "conversation_id=12abc", "conversation_id=", "conversation_id=1.5"] {
            let reply = parse(None, body).expect(body);
            assert!(reply.conversation().is_err(), "{body}");
        }
        let huge = parse(None, "conversation_id=99999999999999999999").expect("readable");
        assert_eq!(huge.conversation().expect("a number"), ConversationId(0));
    }
}
