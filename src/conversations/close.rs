//! An operator closes or reopens a conversation.

use crate::error::{Error, Result};
use crate::events::{self, Event, Scope};
use crate::id::{ConversationId, SiteId};
use crate::storage::{Store, Tx};

use super::{Conversation, State, store};

/// Closes an open conversation. It reopens when either side writes.
///
/// # Errors
/// `NotFound`; `Conflict` when it is closed already.
pub async fn close(store: &Store, site: SiteId, id: ConversationId) -> Result<()> {
    change(store, site, id, State::close).await
}

/// Reopens a closed conversation.
///
/// # Errors
/// `NotFound`; `Conflict` when it is open already, or the same visitor has another open one.
pub async fn reopen(store: &Store, site: SiteId, id: ConversationId) -> Result<()> {
    change(store, site, id, State::reopen).await
}

async fn change(store: &Store, site: SiteId, id: ConversationId, make: fn(State) -> Result<State>) -> Result<()> {
    store.write(move |tx| change_in(tx, site, id, make)).await
}

fn change_in(tx: &mut Tx, site: SiteId, id: ConversationId, make: fn(State) -> Result<State>) -> Result<()> {
    let conversation: Conversation = store::find_in(tx, site, id)?.ok_or(Error::NotFound)?;
    let state = make(conversation.state)?;
    if state == State::Open {
        let siblings = store::of_proof(tx, site, conversation.visitor_id, &conversation.proof)?;
        if siblings.iter().any(|sibling| sibling.state == State::Open) {
            return Err(Error::Conflict("this visitor has another open conversation; answer there"));
        }
    }
    store::set_state(tx, site, id, state)?;
    let scope = Scope::conversation(id, conversation.visitor_id, conversation.proof);
    events::record(tx, site, vec![(scope, Event::ConversationChanged { conversation_id: id })])
}
