//! A member is a person in a workspace, with a role and the sites it looks after.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Millis;
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
