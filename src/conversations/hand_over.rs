//! A thread follows its writer: from an anonymous visitor to the named one, from unsigned to signed.

use crate::error::Result;
use crate::events::{self, Event, Scope};
use crate::messages;
use crate::storage::Tx;
use crate::visitors::{Proof, Visitor, VisitorSession};

use super::store;

/// Gives what `session` wrote to (`visitor`, `proof`). Where that pair has an open conversation already, the one handed
/// over is closed: there is at most one open conversation for a visitor and proof.
pub fn hand_over(tx: &mut Tx, session: &VisitorSession, visitor: &Visitor, proof: &Proof) -> Result<()> {
    if session.visitor_id == visitor.id && session.proof == *proof {
        return Ok(());
    }
    let threads = store::of_proof(tx, session.site_id, session.visitor_id, &session.proof)?;
    let mut open_already = store::of_proof(tx, session.site_id, visitor.id, proof)?
        .iter()
        .any(|conversation| conversation.state == super::State::Open);
    let mut changes = Vec::with_capacity(threads.len());
    for thread in threads {
        let state = if open_already { super::State::Closed } else { thread.state };
        open_already |= state == super::State::Open;
        store::give(tx, &thread, visitor.id, proof, state)?;
        if visitor.id != session.visitor_id {
            messages::store::give(tx, (thread.site_id, thread.id), visitor.id)?;
        }
        let scope = Scope::conversation(thread.id, visitor.id, proof.clone());
        changes.push((scope, Event::ConversationChanged { conversation_id: thread.id }));
    }
    events::record(tx, session.site_id, changes)
}
