//! Leaving.

use crate::app::App;
use crate::error::Result;
use crate::id::{AccountId, SessionId};

use super::{session, store};

/// Ends a session; what is open under it closes.
///
/// # Errors
/// When the database fails. A session that is over already is fine.
pub async fn sign_out(app: &App, account: AccountId, session: SessionId) -> Result<()> {
    let mut tx = app.store.begin().await?;
    store::end_session(&mut tx, account, session).await?;
    session::tell_ended(app, &mut tx, vec![(session,)]);
    tx.commit().await
}
