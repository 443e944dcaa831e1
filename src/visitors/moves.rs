//! A visitor goes to another page of the site. Operators hear at once; what is kept is gathered for a moment.

use std::collections::HashMap;

use crate::error::Result;
use crate::id::TokenId;
use crate::sites::IdentityMode;
use crate::storage::{Gathered, Store, Tx};

use super::{Page, VisitorSession, store};

/// A visitor's session, the identity mode of its site, and the page that it is on now.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the sentence above")]
pub struct Moved {
    pub session: VisitorSession,
    pub mode: IdentityMode,
    pub page: Page,
}

/// Keeps where visitors are.
pub struct Moves(Gathered<Moved>);

impl Moves {
    /// Starts gathering.
    pub fn start(store: Store) -> Moves {
        Moves(Gathered::start("pages of visitors", add, move |moves| {
            let store = store.clone();
            async move { write(&store, moves).await }
        }))
    }

    /// Notes a page. Never waits; one that was dropped is replaced by the next.
    pub fn note(&self, moved: Moved) {
        self.0.add(moved);
    }
}

/// By token: the last page of a browser counts.
type Last = HashMap<TokenId, Moved>;

fn add(last: &mut Last, moved: Moved) {
    last.insert(moved.session.token_id, moved);
}

async fn write(store: &Store, moves: Last) -> Result<()> {
    let act = move |tx: &mut Tx| {
        tx.keep_cache();
        for Moved { session, mode, page } in moves.values() {
            for proof in session.shown_by(*mode) {
                store::move_to(tx, (session.site_id, session.visitor_id, proof), page)?;
            }
        }
        Ok(())
    };
    store.write(act).await
}
