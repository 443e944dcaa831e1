//! The page of the site that a visitor is on.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Millis;
use crate::text;

/// Longest address that is kept, in bytes.
const URL_BYTES: usize = 2_048;
/// Longest title that is kept, in characters as people see them.
const TITLE_GRAPHEMES: usize = 300;
/// Longest title that is kept, in bytes.
const TITLE_BYTES: usize = 2_048;
/// Nobody looks at one page for longer: a year, in seconds.
const OPEN_S: f64 = 31_536_000.0;

/// A page, as a visitor's browser names it. Fields that are missing or too long refuse nothing.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "the shape that Page::said reads; it is described here and read leniently there")]
pub struct PageSaid {
    /// Address; cut after 2,048 bytes.
    url: String,
    /// Title; cut after 300 characters.
    title: Option<String>,
    /// Where the visitor came from; may be empty.
    referrer: Option<String>,
    /// For how many seconds the visitor has been on this page. The server keeps since when, by its own clock.
    open_s: Option<f64>,
}

/// A page that a visitor is or was on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Page {
    /// Address, at most 2,048 bytes.
    pub url: String,
    /// Title, at most 300 characters; may be empty.
    pub title: String,
    /// Where the visitor came from; may be empty.
    pub referrer: String,
    /// Since when the visitor is on it.
    pub since: Millis,
}

impl Page {
    /// What a browser said at `now`, within bounds and without control characters; none without an address.
    pub fn said(value: &Value, now: Millis) -> Option<Page> {
        let field = |name: &str| text::line(value.get(name).and_then(Value::as_str).unwrap_or_default());
        let address = |name: &str| text::cut_within(&field(name), URL_BYTES, URL_BYTES);
        let url = address("url");
        let title = text::cut_within(&field("title"), TITLE_GRAPHEMES, TITLE_BYTES);
        let open_s = value.get("open_s").and_then(Value::as_f64).unwrap_or_default().clamp(0.0, OPEN_S);
        let since = now.plus_seconds(-(open_s as i64));
        (!url.is_empty()).then(|| Page { url, title, referrer: address("referrer"), since })
    }
}
