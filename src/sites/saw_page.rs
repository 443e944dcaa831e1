//! "We saw your page": the last page that loaded the widget.

use crate::id::SiteId;

use super::directory::{Directory, Note};
use super::store;

/// Longest origin that is kept, in bytes.
const ORIGIN_BYTES: usize = 300;

/// Notes the origin of a page that loaded the widget: when it is another one or a minute has passed, and without making
/// the page wait.
pub fn saw_page(sites: &Directory, site: SiteId, origin: &str) {
    if origin.len() > ORIGIN_BYTES || !sites.should_note(Note::PageSeen(site), origin) {
        return;
    }
    let (store, origin) = (sites.store().clone(), origin.to_owned());
    tokio::spawn(async move {
        if let Err(error) = store.write(move |tx| store::seen_page(tx, site, &origin)).await {
            tracing::warn!(%error, "the page that loaded a widget was not noted");
        }
    });
}
