//! Resume: the events after a client's cursor that the client may see, or a resync.

use crate::app::App;
use crate::conversations;
use crate::error::Result;
use crate::events::{Event, Recorded, store};
use crate::id::WorkspaceId;
use crate::sites::Site;
use crate::visitors::VisitorSession;

use super::views::{self, EventViews};
use crate::hub::OperatorPass;
use crate::hub::subscriber::Item;

/// Maximum messages, and maximum other events, that are replayed. Beyond it a resync is cheaper for both sides.
const MAX_MISSED: i64 = 2_000;

/// What a resuming client receives.
pub(super) enum Resume {
    /// Missed events in order, the number of the last one before them, and the last number of the log.
    Missed { items: Vec<Item>, from: i64, upto: i64 },
    /// The log no longer contains all missed events.
    Resync,
}

/// Resumes a visitor's page: the events of its own conversations.
pub(super) async fn visitor(app: &App, session: &VisitorSession, site: &Site, held: Option<i64>) -> Result<Resume> {
    let Some((from, upto)) = missing(app, site.workspace_id, held).await? else { return Ok(Resume::Resync) };
    let mut missed = Vec::new();
    if from < upto {
        let conversations = conversations::store::of_visitor(&app.store, session).await?;
        for conversation in conversations.iter().filter(|c| c.is_visible_to(session, site.identity_mode)) {
            let range = (from, upto);
            missed.extend(store::of_conversation_after(&app.store, site.id, conversation.id, range, MAX_MISSED).await?);
        }
    }
    if missed.len() as i64 >= MAX_MISSED {
        return Ok(Resume::Resync);
    }
    missed.sort_by_key(|recorded| recorded.n);
    let views = EventViews::load(app, &missed).await?;
    let items = missed.iter().filter_map(|recorded| Some(item(recorded, &views.for_visitor(recorded)?))).collect();
    Ok(Resume::Missed { items, from, upto })
}

/// Resumes an operator's console: the events of the sites that the member looks after.
pub(super) async fn operator(app: &App, pass: &OperatorPass, held: Option<i64>) -> Result<Resume> {
    let Some((from, upto)) = missing(app, pass.workspace, held).await? else { return Ok(Resume::Resync) };
    // All numbers are those of her events, unless she is limited to some sites.
    let too_many = pass.sites.limit().is_none() && upto - from >= 2 * MAX_MISSED;
    let missed = match upto - from {
        0 => Some(Vec::new()),
        _ if too_many => None,
        _ => {
            let of = (pass.workspace, pass.sites.limit());
            store::of_sites_after(&app.store, of, (from, upto), MAX_MISSED).await?
        }
    };
    let Some(missed) = missed.filter(|all| all.iter().all(|one| one.event != Event::HistoryTruncated)) else {
        return Ok(Resume::Resync);
    };
    let views = EventViews::load(app, &missed).await?;
    let items = missed.iter().filter_map(|recorded| Some(item(recorded, &views.for_operator(recorded)?))).collect();
    Ok(Resume::Missed { items, from, upto })
}

/// The numbers after which and up to which events are missed; `None` when the log does not have all of them.
async fn missing(app: &App, workspace: WorkspaceId, held: Option<i64>) -> Result<Option<(i64, i64)>> {
    let range = store::range(&app.store, workspace).await?;
    let within = held.zip(range).filter(|(n, range)| (range.trimmed..=range.n).contains(n));
    Ok(within.map(|(n, range)| (n, range.n)))
}

fn item<E: serde::Serialize>(recorded: &Recorded, event: &E) -> Item {
    Item::Event { n: recorded.n, json: views::json(event) }
}
