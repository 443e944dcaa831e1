//! Transfers a thread with its author: from an anonymous visitor to an identified one, or from unsigned to signed.

use crate::conversations::State;
use crate::conversations::store as conversations;
use crate::error::Result;
use crate::events::{self, Event, Scope};
use crate::messages;
use crate::storage::Tx;
use crate::visitors::{Proof, Visitor, VisitorSession};

/// Transfers the conversations of `session` to (`visitor`, `proof`). If that pair has an open conversation already, the
/// transferred one is closed: a visitor and proof have at most one open conversation.
pub(super) fn transfer(tx: &mut Tx, session: &VisitorSession, visitor: &Visitor, proof: &Proof) -> Result<()> {
    if session.visitor_id == visitor.id && session.proof == *proof {
        return Ok(());
    }
    let threads = conversations::of_proof(tx, session.site_id, session.visitor_id, &session.proof)?;
    let mut open_already = conversations::of_proof(tx, session.site_id, visitor.id, proof)?
        .iter()
        .any(|conversation| conversation.state == State::Open);
    let mut changes = Vec::with_capacity(threads.len());
    for thread in threads {
        let state = if open_already { State::Closed } else { thread.state };
        open_already |= state == State::Open;
        conversations::transfer(tx, &thread, visitor.id, proof, state)?;
        if visitor.id != session.visitor_id {
            messages::store::transfer(tx, (thread.site_id, thread.id), visitor.id)?;
        }
        let scope = Scope::conversation(thread.id, visitor.id, proof.clone());
        changes.push((scope, Event::ConversationChanged { conversation_id: thread.id }));
    }
    events::record(tx, session.site_id, changes)
}
