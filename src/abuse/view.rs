//! The console's view of an attack.

use serde::Serialize;

use crate::clock::Millis;

/// Attacks on a site that its owner has not dismissed, and what cleaning up would remove now.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct AttackView {
    /// Start of the first attack.
    pub began_at: Millis,
    /// End of the last attack; null while in progress.
    pub ended_at: Option<Millis>,
    /// Conversations that started in this period without a signed identity and that nobody has answered.
    pub conversations: i64,
}
