//! Tokens whose time is over go, and what is open under them closes.

use std::collections::HashSet;

use futures_util::FutureExt;

use crate::app::App;
use crate::error::Result;
use crate::id::TokenId;
use crate::storage::remove_in_pieces;

use super::store;

/// Removes tokens that have ended and says how many. Run now and then.
///
/// # Errors
/// When the database fails.
pub async fn end_expired(app: &App) -> Result<u64> {
    let owned = app.clone();
    remove_in_pieces(&app.store, move |tx, rows| {
        let app = owned.clone();
        async move {
            let ended: HashSet<TokenId> = store::remove_expired(tx, rows).await?.into_iter().collect();
            let removed = ended.len() as i64;
            if removed > 0 {
                tx.after_commit(move || app.end_visitors(|session| ended.contains(&session.token_id)));
            }
            Ok(removed)
        }
        .boxed()
    })
    .await
}
