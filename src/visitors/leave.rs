//! Logging out: the token ends, here and on every open socket of it.

use crate::app::App;
use crate::error::Result;

use super::{VisitorSession, store};

/// Ends a visitor's session. The next person on the same browser starts with nothing.
pub async fn log_out(app: &App, session: &VisitorSession) -> Result<()> {
    let mut tx = app.store.begin().await?;
    store::remove_token(&mut tx, session).await?;
    let (app, token_id) = (app.clone(), session.token_id);
    tx.after_commit(move || app.end_visitors(|session| session.token_id == token_id));
    tx.commit().await
}
