//! Flows that span several nouns: start a visitor's session, transfer a thread, purge a deleted site, list a workspace's sites. A
//! flow calls nouns and search; it knows neither connections nor HTTP.

mod add_account;
mod delete_account;
mod photo;
mod purge;
mod site_overview;
mod start_session;
mod transfer;
mod workspace;

pub use add_account::{add_account, sign_up, sign_up_invited};
pub use delete_account::delete_account;
pub use photo::{remove_photo, set_photo};
pub use purge::{purge, run as run_purge};
pub use site_overview::{Details, SiteLine, SiteView, details, details_of, lines_of};
pub use start_session::{StartedSession, is_known, start_session};
pub use workspace::{create_workspace, delete_workspace, remove_workspace};
