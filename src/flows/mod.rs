//! What spans several nouns: a visitor's session begins, a thread changes hands, a deleted site is purged, an owner looks at
//! its sites. A flow calls nouns and search; it knows neither connections nor HTTP.

mod delete_account;
mod purge;
mod site_overview;
mod start_session;
mod transfer;

pub use delete_account::delete_account;
pub use purge::{purge, run as run_purge};
pub use site_overview::{Details, SiteLine, SiteView, details, details_of, lines_of};
pub use start_session::{Arrived, is_known, start_session};
