//! A visitor: a person on one site's pages, identified by the site's own id or a random one.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::id::{PersonId, SiteId, VisitorId};

mod browser;
mod draft;
mod expire;
mod identity;
mod end_session;
mod page_moves;
mod page;
mod same_id;
mod session;
pub mod store;
mod view;

pub use crate::events::Proof;
pub use browser::describe as describe_browser;
pub use draft::{SessionRequest, Start};
pub use end_session::end_session;
pub use expire::end_expired;
pub use identity::{Validity, verify};
pub use page::{Page, PageSaid};
pub use page_moves::{PageMove, PageMoves};
pub use same_id::{NetworkBucket, SAMPLE_ID, SameExternalId, same_external_ids};
pub use session::{Sessions, VisitorSession};
pub use view::{VisitorForOperator, VisitorForVisitor};

/// Longest external id, in bytes.
pub const EXTERNAL_ID_BYTES: usize = 128;
/// Longest nickname, in graphemes.
pub const NICKNAME_GRAPHEMES: usize = 64;
/// Longest nickname, in bytes.
pub const NICKNAME_BYTES: usize = 1_024;
/// Maximum attributes of a visitor, and the bytes of each name and value.
pub const ATTRIBUTES: usize = 32;
/// See [`ATTRIBUTES`].
pub const ATTRIBUTE_BYTES: usize = 256;
/// A token that is unused for this long expires: 180 days.
pub const TOKEN_IDLE_S: i64 = 180 * 86_400;
/// A token of this age is renewed at the next session start, and not extended any more: 28 days.
pub const TOKEN_RENEWED_AFTER_S: i64 = 28 * 86_400;
/// A replaced token expires this long after the first use of the new one, because open pages still hold it: 10 minutes.
pub const TOKEN_GRACE_S: i64 = 600;

/// A visitor of a site under one proof: its name, page and other details were given under that proof. Details given under
/// another proof do not change them.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The site.
    pub site_id: SiteId,
    /// Its id.
    pub id: VisitorId,
    /// `visitor_…`, random; shown by the compatible API.
    pub public_id: String,
    /// The site's own id for this person, or a random one when `anonymous`.
    pub external_id: String,
    /// The widget generated `external_id`.
    pub anonymous: bool,
    /// True once any browser presented a valid identity token for this external id.
    pub verified: bool,
    /// The proof under which the following details were given.
    pub proof: Proof,
    /// The row of this proof's details; `None` before its first session.
    pub person: Option<PersonId>,
    /// Shown to operators.
    pub nickname: Option<String>,
    /// E-mail address from the page.
    pub email: Option<String>,
    /// Attributes from the page.
    pub attributes: BTreeMap<String, String>,
    /// The page of the last session start or page move; `None` when the browser does not send it.
    pub page: Option<Page>,
    /// "Firefox 140 on Windows".
    pub browser: Option<String>,
    /// A phone or tablet.
    pub mobile: bool,
    /// Language tag.
    pub locale: Option<String>,
    /// IANA zone.
    pub timezone: Option<String>,
    /// First session start.
    pub first_seen_at: Millis,
    /// Last session start.
    pub last_seen_at: Millis,
}
