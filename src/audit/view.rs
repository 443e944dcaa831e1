//! What an owner sees of the log: the lines of their own account.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::id::{AuditId, SiteId};

use super::Entry;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditLine {
    /// Its number.
    pub id: AuditId,
    /// What was done, such as `site_changed`. There may be words that a client does not know yet.
    pub action: String,
    /// The site it concerns; it may be gone.
    pub site_id: Option<SiteId>,
    /// To what.
    pub subject: String,
    /// The network it was asked from; empty: the server's own command line.
    pub network: String,
    /// When.
    pub at: Millis,
}

impl From<Entry> for AuditLine {
    fn from(Entry { id, account_id: _, site_id, action, subject, network, at }: Entry) -> AuditLine {
        AuditLine { id, action, site_id, subject, network, at }
    }
}
