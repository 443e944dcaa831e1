//! Closing and reopening by an operator.

use crate::app::App;
use crate::error::{Error, Result};
use crate::events::{Event, Scope};
use crate::id::{ConversationId, SiteId};

use super::{Conversation, State, store};

/// Closes an open conversation. It opens again when either side writes.
pub async fn close(app: &App, site: SiteId, id: ConversationId) -> Result<()> {
    change(app, site, id, State::close).await
}

/// Opens a closed conversation. Refused while the same visitor has another open one.
pub async fn reopen(app: &App, site: SiteId, id: ConversationId) -> Result<()> {
    change(app, site, id, State::reopen).await
}

async fn change(app: &App, site: SiteId, id: ConversationId, make: fn(State) -> Result<State>) -> Result<()> {
    let mut tx = app.store.begin().await?;
    let conversation: Conversation = store::find_in(&mut tx, site, id).await?.ok_or(Error::NotFound)?;
    let state = make(conversation.state)?;
    if state == State::Open {
        let siblings = store::of_proof(&mut tx, site, conversation.visitor_id, &conversation.proof).await?;
        if siblings.iter().any(|sibling| sibling.state == State::Open) {
            return Err(Error::Conflict("this visitor has another open conversation; answer there"));
        }
    }
    store::set_state(&mut tx, site, id, state).await?;
    let scope = Scope::conversation(id, conversation.visitor_id, conversation.proof);
    app.events.record(&mut tx, site, vec![(scope, Event::ConversationChanged { conversation_id: id })]).await?;
    tx.commit().await
}
