//! A member is a person in a workspace, with a role and the sites it looks after.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Millis;
use crate::events::Holder;
use crate::id::{AccountId, SiteId, WorkspaceId};

mod role;
pub mod store;

pub use role::Role;
pub use store::SQL;

/// The sites of a workspace that a member may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteScope {
    /// All, those made later included.
    All,
    /// These, and nothing of the others: neither their names nor who works on them.
    Only(Arc<BTreeSet<SiteId>>),
}

impl SiteScope {
    /// Whether the site is among them.
    pub fn contains(&self, site: SiteId) -> bool {
        match self {
            SiteScope::All => true,
            SiteScope::Only(sites) => sites.contains(&site),
        }
    }

    /// The sites it is limited to; `None` for all of the workspace.
    pub fn limit(&self) -> Option<&BTreeSet<SiteId>> {
        match self {
            SiteScope::All => None,
            SiteScope::Only(sites) => Some(sites),
        }
    }

    /// Whose cursors the consoles of such a member have.
    pub fn cursor_holder(&self, workspace: WorkspaceId, version: i64) -> Holder {
        Holder::Console { workspace, version, limited: self.limit().is_some() }
    }
}

/// A person in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The person.
    pub account_id: AccountId,
    /// What they may do.
    pub role: Role,
    /// Where they may do it.
    pub sites: SiteScope,
    /// Rises with every change of role, sites or activity.
    pub version: i64,
    /// Since when.
    pub created_at: Millis,
}
