//! Catching up: exactly the events after a cursor that the client may hear, or the word that it must load anew.

use crate::app::App;
use crate::conversations;
use crate::error::Result;
use crate::events::{Cursor, Event, Position, Recorded, store};
use crate::id::AccountId;
use crate::sites::IdentityMode;
use crate::visitors::VisitorSession;

use super::news::{self, News};
use crate::hub::subscriber::Item;

/// Events that a client may have missed; beyond this loading the state is cheaper for both sides.
const MOST: i64 = 2_000;
/// Messages, and other events, of the whole database among which a console looks for what it missed. A console that
/// listens is told with each beat that there is nothing more, so that this is behind only one that was away.
const LOOKED_THROUGH: i64 = 20_000;

/// What a returning client gets.
pub(super) enum Resume {
    /// Missed events in order, where the client stands before the first of them, and where after the last.
    Missed { items: Vec<Item>, from: Cursor, upto: Cursor },
    /// The log does not reach back that far.
    Resync,
}

/// For a visitor: the events of its own conversations.
pub(super) async fn visitor(app: &App, session: &VisitorSession, mode: IdentityMode, held: &Cursor) -> Result<Resume> {
    let site = session.site_id;
    let Some(ends) = store::ends(&app.store, site).await? else { return Ok(Resume::Resync) };
    let Some(position) = held.on_site(app.store.epoch(), site).filter(|n| (ends.trimmed..=ends.n).contains(n)) else {
        return Ok(Resume::Resync);
    };
    let mut missed = Vec::new();
    if position < ends.n {
        let conversations = conversations::store::of_visitor(&app.store, session).await?;
        for conversation in conversations.iter().filter(|c| c.is_visible_to(session, mode)) {
            let range = (position, ends.n);
            missed.extend(store::of_conversation_after(&app.store, site, conversation.id, range, MOST).await?);
        }
    }
    if missed.len() as i64 >= MOST {
        return Ok(Resume::Resync);
    }
    missed.sort_by_key(|recorded| recorded.place.n);
    let news = News::load(app, &missed).await?;
    let items = missed.iter().filter_map(|recorded| Some(item(recorded, &news.for_visitor(recorded)?))).collect();
    let at = |n| Cursor::of_site(app.store.epoch(), site, n);
    Ok(Resume::Missed { items, from: at(position), upto: at(ends.n) })
}

/// For an operator: the events of all sites of the account.
pub(super) async fn operator(app: &App, account: AccountId, held: &Cursor) -> Result<Resume> {
    let reach = store::reach(&app.store).await?;
    let Some(from) = held.position(app.store.epoch()).filter(|from| is_within(*from, reach)) else {
        return Ok(Resume::Resync);
    };
    let upto = from.max(reach.end);
    let missed = if from == upto {
        Vec::new()
    } else {
        let Some(missed) = store::owned_after(&app.store, account, (from, upto), MOST).await? else {
            return Ok(Resume::Resync);
        };
        missed
    };
    if missed.iter().any(|recorded| recorded.event == Event::BrokenOff) {
        return Ok(Resume::Resync);
    }
    let news = News::load(app, &missed).await?;
    let items = missed.iter().filter_map(|recorded| Some(item(recorded, &news.for_operator(recorded)?))).collect();
    let at = |position| Cursor::of_everything(app.store.epoch(), position);
    Ok(Resume::Missed { items, from: at(from), upto: at(upto) })
}

/// Does the log reach back that far, and not too far?
fn is_within(from: Position, reach: store::Reach) -> bool {
    from.event >= reach.trimmed
        && reach.end.event - from.event <= LOOKED_THROUGH
        && reach.end.message - from.message <= LOOKED_THROUGH
}

fn item<E: serde::Serialize>(recorded: &Recorded, event: &E) -> Item {
    Item::Event { place: recorded.place, json: news::json(event) }
}
