//! Catching up: exactly the events after a cursor that the client may hear, or the word that it must load anew.

use crate::app::App;
use crate::conversations;
use crate::error::Result;
use crate::events::{Cursor, Recorded, store};
use crate::id::AccountId;
use crate::sites::IdentityMode;
use crate::visitors::VisitorSession;

use super::news::{self, News};
use super::seat::Item;

/// Events that a client may have missed; beyond this loading the state is cheaper for both sides.
const MOST: i64 = 2_000;

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
    let Some(position) = held.position(app.store.epoch(), site).filter(|n| (ends.trimmed..=ends.n).contains(n)) else {
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
    missed.sort_by_key(|recorded| recorded.n);
    let news = News::load(app, &missed).await?;
    let items = missed.iter().filter_map(|recorded| Some(item(recorded, &news.for_visitor(recorded)?))).collect();
    let at = |n| Cursor::new(app.store.epoch(), [(site, n)]);
    Ok(Resume::Missed { items, from: at(position), upto: at(ends.n) })
}

/// For an operator: the events of all sites of the account.
pub(super) async fn operator(app: &App, account: AccountId, held: &Cursor) -> Result<Resume> {
    let all_ends = store::owned_ends(&app.store, account).await?;
    let (mut missed, mut from) = (Vec::new(), Cursor::new(app.store.epoch(), []));
    for ends in &all_ends {
        // A site that is younger than the cursor is replayed from its beginning.
        let known = held.sites().any(|site| site == ends.site_id);
        let position =
            if known { held.position(app.store.epoch(), ends.site_id) } else { held.same_life(app.store.epoch()) };
        let Some(position) = position.filter(|n| (ends.trimmed..=ends.n).contains(n)) else {
            return Ok(Resume::Resync);
        };
        if known {
            from.advance(ends.site_id, position);
        }
        if position < ends.n {
            missed.extend(store::after(&app.store, ends.site_id, position, ends.n, MOST).await?);
        }
        if missed.len() as i64 >= MOST {
            return Ok(Resume::Resync);
        }
    }
    let news = News::load(app, &missed).await?;
    let items = missed.iter().filter_map(|recorded| Some(item(recorded, &news.for_operator(recorded)?))).collect();
    let upto = Cursor::new(app.store.epoch(), all_ends.iter().map(|ends| (ends.site_id, ends.n)));
    Ok(Resume::Missed { items, from, upto })
}

fn item<E: serde::Serialize>(recorded: &Recorded, event: &E) -> Item {
    Item::Event { site: recorded.site, n: recorded.n, json: news::json(event) }
}
