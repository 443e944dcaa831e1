//! Logging out: the token ends, here and on every open socket of it.

use crate::app::App;
use crate::error::Result;
use crate::events::{self, Effect};
use crate::storage::Tx;

use super::{VisitorSession, store};

/// Ends a visitor's session. The next person on the same browser starts with nothing.
pub async fn log_out(app: &App, session: &VisitorSession) -> Result<()> {
    let session = session.clone();
    let act = move |tx: &mut Tx| {
        events::effect(tx, Effect::TokensEnded(vec![session.token_id]));
        store::remove_token(tx, &session)
    };
    app.store.write(act).await
}
