//! The sites of an account, and all of them.

use crate::app::App;
use crate::error::Result;
use crate::id::AccountId;

use super::{Site, store};

/// The sites of an account, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn sites_of(app: &App, owner: AccountId) -> Result<Vec<Site>> {
    store::of_owner(&app.store, owner).await
}

/// Every site of this server, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn all_sites(app: &App) -> Result<Vec<Site>> {
    store::all(&app.store).await
}
