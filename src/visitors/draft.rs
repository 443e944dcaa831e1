//! Checks what a page sends about its visitor. An invalid identity is refused. Everything else is optional: it is cut,
//! mended or left out, and the response lists it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::text;

use super::page::{Page, PageSaid};
use super::{ATTRIBUTE_BYTES, ATTRIBUTES, EXTERNAL_ID_BYTES, NICKNAME_BYTES, NICKNAME_GRAPHEMES, NetworkBucket};

/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3, without the brackets).
const EMAIL_BYTES: usize = 254;
/// Longest language tag, in bytes (RFC 5646, 4.4.1).
const LOCALE_BYTES: usize = 35;
/// Longest name of a time zone, in bytes.
const TIMEZONE_BYTES: usize = 64;
/// Longest attribute name repeated to the page, in graphemes.
const NAMED_GRAPHEMES: usize = 40;

/// The `start` command, as it comes. Optional fields take any JSON value.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Widget key of the site.
    pub key: String,
    /// The site's own id for the visitor, or this browser's `ocs_external_id`.
    pub external_id: String,
    /// `external_id` is this browser's random one.
    pub anonymous: bool,
    /// Signed proof of `external_id`.
    pub identity_token: Option<String>,
    /// Name to show.
    #[schemars(with = "Option<String>")]
    pub nickname: Option<Value>,
    /// Address.
    #[schemars(with = "Option<String>")]
    pub email: Option<Value>,
    /// Anything the site wants its operators to see.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub attributes: Option<Value>,
    /// The page the visitor is on.
    #[schemars(with = "Option<PageSaid>")]
    pub page: Option<Value>,
    /// BCP 47 tag.
    #[schemars(with = "Option<String>")]
    pub locale: Option<Value>,
    /// IANA zone.
    #[schemars(with = "Option<String>")]
    pub timezone: Option<Value>,
    /// The work that was asked for, done: `challenge:number`.
    pub work: Option<String>,
}

/// A checked `start`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of Start")]
pub struct SessionRequest {
    pub external_id: String,
    pub anonymous: bool,
    pub identity_token: Option<String>,
    pub nickname: Option<String>,
    pub email: Option<String>,
    pub attributes: Option<BTreeMap<String, String>>,
    pub page: Option<Page>,
    pub locale: Option<String>,
    pub timezone: Option<String>,
    pub browser: Option<String>,
    pub mobile: bool,
    pub network: Option<NetworkBucket>,
    /// Each optional field that was cut or left out, with the reason, for the page's console.
    pub mended: Vec<String>,
}

impl Start {
    /// Checks who the visitor is and mends the rest; `user_agent` is the browser's own header.
    ///
    /// # Errors
    /// `Invalid` for an `external_id` that is empty, too long or not plain text. It is never cut: two people could become one.
    pub fn check(self, user_agent: Option<&str>, now: Millis) -> Result<SessionRequest> {
        let external_id = self.external_id.trim().to_owned();
        if external_id.is_empty() || external_id.len() > EXTERNAL_ID_BYTES || !text::is_distinct_line(&external_id) {
            return Err(Error::invalid("external_id", format!("must be 1 to {EXTERNAL_ID_BYTES} bytes of plain text")));
        }
        let mut mended = Vec::new();
        let (browser, mobile) = user_agent.map_or((None, false), super::browser::describe);
        Ok(SessionRequest {
            external_id,
            anonymous: self.anonymous,
            identity_token: self.identity_token,
            nickname: self.nickname.and_then(|name| nickname(&name, &mut mended)),
            email: self.email.and_then(|email| checked_email(&email, &mut mended)),
            attributes: self.attributes.and_then(|all| attributes(all, &mut mended)),
            page: self.page.and_then(|page| page_of(&page, now, &mut mended)),
            locale: self
                .locale
                .and_then(|tag| tag_of("locale", &tag, LOCALE_BYTES, &mut mended))
                .map(|tag| tag.replace('_', "-")),
            timezone: self.timezone.and_then(|zone| tag_of("timezone", &zone, TIMEZONE_BYTES, &mut mended)),
            browser,
            mobile,
            network: None,
            mended,
        })
    }
}

/// The text of a value; numbers and booleans are converted.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text::line(text)),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn nickname(value: &Value, mended: &mut Vec<String>) -> Option<String> {
    let Some(name) = text_of(value) else {
        mended.push("nickname: not a text, left out".into());
        return None;
    };
    let kept = text::cut_within(&name, NICKNAME_GRAPHEMES, NICKNAME_BYTES);
    if kept.len() < name.len() {
        mended.push(format!("nickname: longer than {NICKNAME_GRAPHEMES} characters, cut"));
    }
    // A name of invisible characters only is empty.
    Some(kept).filter(|name| !text::is_blank(name))
}

/// An address is never cut: the result would be another person's address.
fn checked_email(value: &Value, mended: &mut Vec<String>) -> Option<String> {
    let email = text_of(value).unwrap_or_default();
    let is_address = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && email.len() <= EMAIL_BYTES
        && !email.contains(char::is_whitespace)
        && (email.is_empty() || text::is_distinct_line(&email));
    if !is_address && value.as_str() != Some("") {
        mended.push("email: not an e-mail address, left out".into());
    }
    Some(email).filter(|_| is_address)
}

fn attributes(value: Value, mended: &mut Vec<String>) -> Option<BTreeMap<String, String>> {
    let Value::Object(given) = value else {
        mended.push("attributes: not an object, left out".into());
        return None;
    };
    let mut kept = BTreeMap::new();
    for (at, (name, value)) in given.iter().enumerate() {
        let named = format!("attributes.{}", text::cut_within(name, NAMED_GRAPHEMES, ATTRIBUTE_BYTES));
        if at == ATTRIBUTES {
            mended.push(format!("{named} and what follows: more than {ATTRIBUTES}, left out"));
            break;
        }
        // Arrays and objects are stored as their JSON.
        let inner = || matches!(value, Value::Array(_) | Value::Object(_)).then(|| text::line(&value.to_string()));
        let (Some(text), name) = (text_of(value).or_else(inner), text::line(name)) else {
            mended.push(format!("{named}: empty, left out"));
            continue;
        };
        let within = |text: &str| text::cut_within(text, ATTRIBUTE_BYTES, ATTRIBUTE_BYTES);
        let (short_name, short_text) = (within(&name), within(&text));
        if short_name.is_empty() {
            mended.push("attributes: one without a name, left out".into());
            continue;
        }
        if (short_name.len(), short_text.len()) != (name.len(), text.len()) {
            mended.push(format!("{named}: longer than {ATTRIBUTE_BYTES} bytes, cut"));
        }
        kept.insert(short_name, short_text);
    }
    Some(kept)
}

fn page_of(value: &Value, now: Millis, mended: &mut Vec<String>) -> Option<Page> {
    let page = Page::said(value, now);
    if page.is_none() {
        mended.push("page: without an address, left out".into());
    }
    page
}

/// A language tag or time zone name: a letter, then ASCII letters, digits and `+-_/:`.
fn tag_of(field: &str, value: &Value, bytes: usize, mended: &mut Vec<String>) -> Option<String> {
    let tag = text_of(value).unwrap_or_default();
    let is_tag = tag.starts_with(|c: char| c.is_ascii_alphabetic())
        && tag.len() <= bytes
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || "+-_/:".contains(c));
    if !is_tag && value.as_str() != Some("") {
        mended.push(format!("{field}: not a known form, left out"));
    }
    Some(tag).filter(|_| is_tag)
}
