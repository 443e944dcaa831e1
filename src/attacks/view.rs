//! What a console may see of an attack.

use serde::Serialize;

use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::id::SiteId;
use crate::visitors;

use super::{Attack, store};

/// Attacks on a site that its owner has not settled, and what cleaning up would remove now.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct AttackView {
    /// When the first was noticed.
    pub began_at: Millis,
    /// When the last ended; none: under way.
    pub ended_at: Option<Millis>,
    /// New visitors of that time that are not verified and that nobody has answered.
    pub visitors: i64,
    /// Their conversations.
    pub conversations: i64,
}

impl AttackView {
    /// Of a site, if there is something to show.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(app: &App, site: SiteId) -> Result<Option<AttackView>> {
        let Some(attack) = store::unsettled(&app.store, site).await? else { return Ok(None) };
        let (visitors, conversations) =
            visitors::store::count_unanswered(&app.store, site, attack.span(app.store.now())).await?;
        let Attack { began_at, ended_at } = attack;
        Ok(Some(AttackView { began_at, ended_at, visitors, conversations }))
    }
}
