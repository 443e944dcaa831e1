//! The owner's view of the audit log: the entries of their own account.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::id::{AuditId, SiteId};

use super::Entry;

/// An entry.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditLine {
    /// Id.
    pub id: AuditId,
    /// The action, such as `site_changed`. Clients must accept unknown names.
    pub action: String,
    /// The site concerned; it may be deleted.
    pub site_id: Option<SiteId>,
    /// The object of the action.
    pub subject: String,
    /// The client's network; empty for the command line.
    pub network: String,
    /// Time.
    pub at: Millis,
}

impl From<Entry> for AuditLine {
    fn from(Entry { id, account_id: _, site_id, action, subject, network, at }: Entry) -> AuditLine {
        AuditLine { id, action, site_id, subject, network, at }
    }
}
