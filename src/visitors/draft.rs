//! What a page says about its visitor, checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

use crate::error::{Error, Result};
use crate::text::{self, clip};

use super::{ATTRIBUTE_BYTES, ATTRIBUTES, EXTERNAL_ID_BYTES, NICKNAME_GRAPHEMES, NetworkBucket, Page};

/// The `start` command, as it comes.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
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
    pub nickname: Option<String>,
    /// Address.
    pub email: Option<String>,
    /// Anything the site wants its operators to see.
    pub attributes: Option<BTreeMap<String, String>>,
    /// The page the visitor is on.
    pub page: Option<Page>,
    /// BCP 47 tag.
    pub locale: Option<String>,
    /// IANA zone.
    pub timezone: Option<String>,
    /// The work that was asked for, done: `challenge:number`.
    pub work: Option<String>,
}

/// A checked `start`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of Start")]
pub struct Arrival {
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
}

impl Start {
    /// Checks every field; `user_agent` is the browser's own header.
    pub fn check(self, user_agent: Option<&str>) -> Result<Arrival> {
        let external_id = self.external_id.trim().to_owned();
        if external_id.is_empty() || external_id.len() > EXTERNAL_ID_BYTES || !text::is_clean_line(&external_id) {
            return Err(Error::invalid("external_id", format!("must be 1 to {EXTERNAL_ID_BYTES} bytes of plain text")));
        }
        // A name made of invisible characters alone is no name.
        let nickname = self.nickname.map(|name| clip(&name, 256)).filter(|name| !text::line(name).is_empty());
        if nickname.as_ref().is_some_and(|name| name.graphemes(true).count() > NICKNAME_GRAPHEMES) {
            return Err(Error::invalid("nickname", format!("must be at most {NICKNAME_GRAPHEMES} characters")));
        }
        let email = self.email.map(|email| clip(&email, 255)).filter(|email| !email.is_empty());
        if email.as_ref().is_some_and(|email| !email.contains('@')) {
            return Err(Error::invalid("email", "must be an e-mail address"));
        }
        let (browser, mobile) = user_agent.map_or((None, false), super::browser::describe);
        Ok(Arrival {
            external_id,
            anonymous: self.anonymous,
            identity_token: self.identity_token,
            nickname,
            email,
            attributes: self.attributes.map(checked_attributes).transpose()?,
            page: self.page.map(|page| page.bounded()),
            locale: self.locale.map(|locale| clip(&locale, 35)).filter(|locale| !locale.is_empty()),
            timezone: self.timezone.map(|zone| clip(&zone, 64)).filter(|zone| !zone.is_empty()),
            browser,
            mobile,
            network: None,
        })
    }
}

fn checked_attributes(attributes: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let too_long = |text: &String| text.is_empty() || text.len() > ATTRIBUTE_BYTES;
    if attributes.len() > ATTRIBUTES
        || attributes.iter().any(|(name, value)| too_long(name) || value.len() > ATTRIBUTE_BYTES)
    {
        let reason =
            format!("must be at most {ATTRIBUTES} pairs of names and values of at most {ATTRIBUTE_BYTES} bytes");
        return Err(Error::invalid("attributes", reason));
    }
    let clean = |text: &str| clip(text, ATTRIBUTE_BYTES);
    Ok(attributes.iter().map(|(name, value)| (clean(name), clean(value))).collect())
}
