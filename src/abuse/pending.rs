//! Attacks that wait for their owner's decision.

use crate::conversations;
use crate::error::Result;
use crate::id::SiteId;
use crate::storage::Store;

use super::{Attack, AttackView, store};

/// The attacks on a site that its owner has not dismissed, and what a clean-up would remove now.
///
/// # Errors
/// The database fails.
pub async fn pending_attack(store: &Store, site: SiteId) -> Result<Option<AttackView>> {
    let Some(attack) = store::pending(store, site).await? else { return Ok(None) };
    let conversations = conversations::store::count_unanswered(store, site, attack.period(store.now())).await?;
    let Attack { began_at, ended_at } = attack;
    Ok(Some(AttackView { began_at, ended_at, conversations }))
}
