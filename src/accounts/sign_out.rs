//! Leaving.

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::Result;
use crate::id::{AccountId, SessionId};
use crate::storage::Tx;

use super::{session, store};

/// Ends a session; what is open under it closes.
///
/// # Errors
/// When the database fails. A session that is over already is fine.
pub async fn sign_out(app: &App, by: &By, account: AccountId, session: SessionId) -> Result<()> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        if store::end_session(tx, account, session)? {
            audit::record(tx, &by, Action::SignedOut, None, "")?;
        }
        session::tell_ended(tx, vec![session]);
        Ok(())
    };
    app.store.write(act).await
}
