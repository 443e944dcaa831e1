//! Tokens whose time is over go, and what is open under them closes.

use std::collections::HashSet;

use crate::app::App;
use crate::error::Result;
use crate::id::TokenId;

use super::store;

/// Tokens removed in one transaction: nobody waits long behind it.
const AT_ONCE: usize = 1_000;

/// Removes tokens that have ended and says how many. Run now and then.
///
/// # Errors
/// When the database fails.
pub async fn end_expired(app: &App) -> Result<usize> {
    let mut count = 0;
    loop {
        let mut tx = app.store.begin().await?;
        let ended: HashSet<TokenId> = store::remove_expired(&mut tx, AT_ONCE as i64).await?.into_iter().collect();
        let removed = ended.len();
        if removed > 0 {
            let app = app.clone();
            tx.after_commit(move || app.end_visitors(|session| ended.contains(&session.token_id)));
        }
        tx.commit().await?;
        count += removed;
        if removed < AT_ONCE {
            return Ok(count);
        }
    }
}
