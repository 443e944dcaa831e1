//! A visitor is somebody on one site's pages: known by the site's own id for them, or by a random one.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::id::{PersonId, SiteId, VisitorId};

mod browser;
mod draft;
mod expire;
mod identity;
mod leave;
mod moves;
mod page;
mod same_id;
mod session;
pub mod store;
mod view;

pub use crate::events::Proof;
pub use browser::describe as describe_browser;
pub use draft::{Arrival, Start};
pub use expire::end_expired;
pub use identity::verify;
pub use leave::log_out;
pub use moves::{Moved, Moves};
pub use page::{Page, PageSaid};
pub use same_id::{NetworkBucket, SAMPLE_ID, SameExternalId, same_external_ids};
pub use session::{Sessions, VisitorSession};
pub use view::{VisitorForOperator, VisitorForVisitor};

/// Longest external id, in bytes.
pub const EXTERNAL_ID_BYTES: usize = 128;
/// Longest nickname, in characters as people see them.
pub const NICKNAME_GRAPHEMES: usize = 64;
/// Longest nickname, in bytes.
pub const NICKNAME_BYTES: usize = 1_024;
/// Attributes kept for a visitor, and the bytes of each name and value.
pub const ATTRIBUTES: usize = 32;
/// See [`ATTRIBUTES`].
pub const ATTRIBUTE_BYTES: usize = 256;
/// A token unused for this long has ended: 180 days.
pub const TOKEN_IDLE_S: i64 = 180 * 86_400;
/// A token of this age is replaced at the next arrival, and its end is moved no more: 28 days.
pub const TOKEN_RENEWED_AFTER_S: i64 = 28 * 86_400;
/// A replaced token ends so long after the new one was shown: pages that are open still hold the old one. 10 minutes.
pub const TOKEN_GRACE_S: i64 = 600;

/// A visitor of a site, as one proof shows it: its name, page and the rest were said under that proof, and what is said
/// under another changes nothing of them.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The site.
    pub site_id: SiteId,
    /// Its number.
    pub id: VisitorId,
    /// `visitor_…`, random: what the compatible API shows.
    pub public_id: String,
    /// The site's own id for this person, or a random one when `anonymous`.
    pub external_id: String,
    /// The widget made `external_id`.
    pub anonymous: bool,
    /// True once any browser presented a valid identity token for this external id.
    pub verified: bool,
    /// The proof under which all that follows was said.
    pub proof: Proof,
    /// The person that this proof shows; none before it first arrived.
    pub person: Option<PersonId>,
    /// Shown to operators.
    pub nickname: Option<String>,
    /// As the page gave it.
    pub email: Option<String>,
    /// As the page gave them.
    pub attributes: BTreeMap<String, String>,
    /// The page of the last arrival or move; none when the browser does not tell.
    pub page: Option<Page>,
    /// "Firefox 140 on Windows".
    pub browser: Option<String>,
    /// A phone or tablet.
    pub mobile: bool,
    /// Language tag.
    pub locale: Option<String>,
    /// IANA zone.
    pub timezone: Option<String>,
    /// First arrival.
    pub first_seen_at: Millis,
    /// Last arrival.
    pub last_seen_at: Millis,
}
