//! A visitor goes to another page of the site. Operators are signalled at once; the stored page is written behind.

use std::collections::HashMap;

use crate::error::Result;
use crate::id::TokenId;
use crate::sites::IdentityMode;
use crate::storage::{Store, Tx, WriteBehind};

use super::{Page, VisitorSession, store};

/// A visitor's session, the identity mode of its site, and its current page.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the sentence above")]
pub struct PageMove {
    pub session: VisitorSession,
    pub mode: IdentityMode,
    pub page: Page,
}

/// Queues page moves and writes them behind.
pub struct PageMoves(WriteBehind<PageMove>);

impl PageMoves {
    /// Spawns the task that writes page moves.
    pub fn start(store: Store) -> PageMoves {
        PageMoves(WriteBehind::start("pages of visitors", add, move |moves| {
            let store = store.clone();
            async move { write(&store, moves).await }
        }))
    }

    /// Queues a page move. Never waits: a full queue drops it, and the next one replaces it.
    pub fn queue(&self, page_move: PageMove) {
        self.0.queue(page_move);
    }
}

/// The last page of each browser, by token.
type Last = HashMap<TokenId, PageMove>;

fn add(last: &mut Last, page_move: PageMove) {
    last.insert(page_move.session.token_id, page_move);
}

async fn write(store: &Store, moves: Last) -> Result<()> {
    let act = move |tx: &mut Tx| {
        for PageMove { session, mode, page } in moves.values() {
            for proof in session.shown_by(*mode) {
                store::set_page(tx, (session.site_id, session.visitor_id, proof), page)?;
            }
        }
        Ok(())
    };
    store.write(act).await
}
