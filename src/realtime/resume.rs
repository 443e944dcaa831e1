//! Resume: the events after a client's cursor that the client may see, or a resync.

use crate::app::App;
use crate::conversations;
use crate::error::Result;
use crate::events::{Cursor, Event, LogPosition, Recorded, store};
use crate::sites::IdentityMode;
use crate::visitors::VisitorSession;

use super::views::{self, EventViews};
use crate::hub::OperatorPass;
use crate::hub::subscriber::Item;

/// Maximum events that are replayed. Beyond it a resync is cheaper for both sides.
const MAX_MISSED: i64 = 2_000;
/// Maximum messages, and maximum other events, of the whole database that are scanned for the events of a console. Each
/// heartbeat advances the cursor of a connected console, so that only a console that was away is this far behind.
const MAX_SCANNED: i64 = 20_000;

/// What a resuming client receives.
pub(super) enum Resume {
    /// Missed events in order, the cursor before the first and the cursor after the last.
    Missed { items: Vec<Item>, from: Cursor, upto: Cursor },
    /// The log no longer contains all missed events.
    Resync,
}

/// Resumes a visitor's page: the events of its own conversations.
pub(super) async fn visitor(app: &App, session: &VisitorSession, mode: IdentityMode, held: &Cursor) -> Result<Resume> {
    let site = session.site_id;
    let Some(range) = store::site_range(&app.store, site).await? else { return Ok(Resume::Resync) };
    let Some(position) = held.on_site(app.store.epoch(), site).filter(|n| (range.trimmed..=range.n).contains(n)) else {
        return Ok(Resume::Resync);
    };
    let mut missed = Vec::new();
    if position < range.n {
        let conversations = conversations::store::of_visitor(&app.store, session).await?;
        for conversation in conversations.iter().filter(|c| c.is_visible_to(session, mode)) {
            let missing = (position, range.n);
            missed.extend(store::of_conversation_after(&app.store, site, conversation.id, missing, MAX_MISSED).await?);
        }
    }
    if missed.len() as i64 >= MAX_MISSED {
        return Ok(Resume::Resync);
    }
    missed.sort_by_key(|recorded| recorded.numbers.n);
    let views = EventViews::load(app, &missed).await?;
    let items = missed.iter().filter_map(|recorded| Some(item(recorded, &views.for_visitor(recorded)?))).collect();
    let at = |n| Cursor::of_site(app.store.epoch(), site, n);
    Ok(Resume::Missed { items, from: at(position), upto: at(range.n) })
}

/// Resumes an operator's console: the events of the sites that the member looks after.
pub(super) async fn operator(app: &App, pass: &OperatorPass, held: &Cursor) -> Result<Resume> {
    let range = store::range(&app.store).await?;
    let Some(from) = held.position(app.store.epoch()).filter(|from| is_within(*from, range)) else {
        return Ok(Resume::Resync);
    };
    let upto = from.max(range.end);
    let missed = if from == upto {
        Vec::new()
    } else {
        let Some(missed) = store::of_workspace_after(&app.store, pass.workspace, (from, upto), MAX_MISSED).await?
        else {
            return Ok(Resume::Resync);
        };
        missed.into_iter().filter(|recorded| pass.sites.contains(recorded.site)).collect()
    };
    if missed.iter().any(|recorded| recorded.event == Event::HistoryTruncated) {
        return Ok(Resume::Resync);
    }
    let views = EventViews::load(app, &missed).await?;
    let items = missed.iter().filter_map(|recorded| Some(item(recorded, &views.for_operator(recorded)?))).collect();
    let at = |position| Cursor::of_everything(app.store.epoch(), position);
    Ok(Resume::Missed { items, from: at(from), upto: at(upto) })
}

/// Whether the log still contains everything after `from`, and few enough events to scan.
fn is_within(from: LogPosition, range: store::LogRange) -> bool {
    from.event >= range.trimmed
        && range.end.event - from.event <= MAX_SCANNED
        && range.end.message - from.message <= MAX_SCANNED
}

fn item<E: serde::Serialize>(recorded: &Recorded, event: &E) -> Item {
    Item::Event { numbers: recorded.numbers, json: views::json(event) }
}
