//! Tokens whose time is over go, and what is open under them closes.

use std::collections::HashSet;

use crate::app::App;
use crate::error::Result;
use crate::id::TokenId;
use crate::storage::Pieces;

use super::store;

/// Removes tokens that have ended and says how many. Run now and then.
///
/// # Errors
/// When the database fails.
pub async fn end_expired(app: &App) -> Result<usize> {
    let (mut count, mut pieces) = (0, Pieces::default());
    loop {
        let mut tx = app.store.begin().await?;
        let rows = pieces.begin();
        let ended: HashSet<TokenId> = store::remove_expired(&mut tx, rows).await?.into_iter().collect();
        let removed = ended.len();
        if removed > 0 {
            let app = app.clone();
            tx.after_commit(move || app.end_visitors(|session| ended.contains(&session.token_id)));
        }
        tx.commit().await?;
        count += removed;
        if (removed as i64) < rows {
            return Ok(count);
        }
        pieces.rest().await;
    }
}
