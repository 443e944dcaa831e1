//! Which conversations a page of the inbox shows, and where it begins.

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId};

use super::InboxPoint;

/// Which states a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum StateFilter {
    Open,
    Closed,
    All,
}

/// Which conversations a page of the inbox shows.
#[derive(Debug, Clone)]
pub struct Filter {
    /// One site, or all.
    pub site: Option<SiteId>,
    /// Open, closed or all.
    pub state: StateFilter,
    /// Only those with something unread.
    pub unread: bool,
    /// Changed before this.
    pub before: InboxPoint,
    /// Rows, 1 to 200.
    pub limit: u32,
}

impl InboxPoint {
    /// Above everything.
    pub const TOP: InboxPoint = InboxPoint(Millis(i64::MAX), SiteId(i64::MAX), ConversationId(i64::MAX));

    /// As a page token.
    pub fn to_text(self) -> String {
        format!("{}.{}.{}", self.0.0, self.1, self.2)
    }

    /// Reads a page token.
    pub fn parse(text: &str) -> Result<InboxPoint> {
        let numbers: Vec<i64> = text.split('.').filter_map(|part| part.parse().ok()).collect();
        let [at, site, id] = numbers[..] else { return Err(Error::invalid("before", "is not a page of this list")) };
        Ok(InboxPoint(Millis(at), SiteId(site), ConversationId(id)))
    }
}
