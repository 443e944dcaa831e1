//! Leaving.

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::Result;
use crate::id::{AccountId, SessionId};

use super::{session, store};

/// Ends a session; what is open under it closes.
///
/// # Errors
/// When the database fails. A session that is over already is fine.
pub async fn sign_out(app: &App, by: &By, account: AccountId, session: SessionId) -> Result<()> {
    let mut tx = app.store.begin().await?;
    if store::end_session(&mut tx, account, session).await? {
        audit::record(&mut tx, by, Action::SignedOut, None, "").await?;
    }
    session::tell_ended(app, &mut tx, vec![(session,)]);
    tx.commit().await
}
