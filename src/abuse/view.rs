//! What a console may see of an attack.

use serde::Serialize;

use crate::clock::Millis;

/// Attacks on a site that its owner has not dismissed, and what cleaning up would remove now.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct AttackView {
    /// When the first was noticed.
    pub began_at: Millis,
    /// When the last ended; none: under way.
    pub ended_at: Option<Millis>,
    /// Conversations that began in that time without a signed identity, and that nobody has answered.
    pub conversations: i64,
}
