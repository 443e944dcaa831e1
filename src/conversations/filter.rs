//! The filter of an inbox page, and its page token.

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId};
use crate::members::SiteScope;

use super::InboxPoint;

/// The states that a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum StateFilter {
    Open,
    Closed,
    All,
}

/// The conversations of an inbox page.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The sites whose conversations are listed.
    pub sites: SiteScope,
    /// Open, closed or all.
    pub state: StateFilter,
    /// Only those with unread messages.
    pub unread: bool,
    /// Changed before this.
    pub before: InboxPoint,
    /// Rows, 1 to 200.
    pub limit: u32,
}

impl InboxPoint {
    /// Before the first conversation.
    pub const TOP: InboxPoint = InboxPoint(Millis(i64::MAX), SiteId(i64::MAX), ConversationId(i64::MAX));

    /// The page token.
    pub fn to_text(self) -> String {
        format!("{}.{}.{}", self.0.0, self.1, self.2)
    }

    /// Parses a page token.
    ///
    /// # Errors
    /// `Invalid` for anything else.
    pub fn parse(text: &str) -> Result<InboxPoint> {
        let numbers: Option<Vec<i64>> = text.split('.').map(|part| part.parse().ok()).collect();
        let Some(&[at, site, id]) = numbers.as_deref() else {
            return Err(Error::invalid("before", "is not a page of this list"));
        };
        Ok(InboxPoint(Millis(at), SiteId(site), ConversationId(id)))
    }
}
