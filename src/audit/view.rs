//! What people may see of the audit log: the entries of their own account, and those of a workspace.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::id::{AccountId, AuditId, SiteId};
use crate::record;

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
    fn from(Entry { id, account_id: _, workspace_id: _, site_id, action, subject, network, at }: Entry) -> AuditLine {
        AuditLine { id, action, site_id, subject, network, at }
    }
}

/// An entry of a workspace.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WorkspaceAuditEntry {
    /// Id.
    pub id: AuditId,
    /// The action, such as `member_invited`. Clients must accept unknown names.
    pub action: String,
    /// Who did it; null: the operator of the machine.
    pub account_id: Option<AccountId>,
    /// Their name; null when the account is gone.
    pub account_name: Option<String>,
    /// The site concerned; it may be deleted.
    pub site_id: Option<SiteId>,
    /// The object of the action.
    pub subject: String,
    /// The client's network; empty for the command line.
    pub network: String,
    /// Time.
    pub at: Millis,
}
record!(WorkspaceAuditEntry { id, action, account_id, account_name, site_id, subject, network, at });
