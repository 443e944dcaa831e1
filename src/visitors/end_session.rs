//! Log out: the token ends, and so do its open connections.

use crate::error::Result;
use crate::events::{self, Effect};
use crate::storage::{Store, Tx};

use super::{VisitorSession, store};

/// Ends a visitor's session. The next person on the same browser starts with nothing.
pub async fn end_session(store: &Store, session: &VisitorSession) -> Result<()> {
    let session = session.clone();
    let act = move |tx: &mut Tx| {
        events::effect(tx, Effect::TokensEnded(vec![session.token_id]));
        store::remove_token(tx, &session)
    };
    store.write(act).await
}
