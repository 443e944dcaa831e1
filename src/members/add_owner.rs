//! The first member of a workspace.

use crate::error::Result;
use crate::id::{AccountId, WorkspaceId};
use crate::storage::Tx;

use super::{Member, Role, SiteScope, store};

/// Makes an account the owner of a workspace that was made in the same transaction.
///
/// # Errors
/// When the database fails.
pub fn add_owner(tx: &mut Tx, workspace: WorkspaceId, account: AccountId) -> Result<()> {
    let (role, sites, created_at) = (Role::Owner, SiteScope::All, tx.now());
    let member =
        Member { workspace_id: workspace, account_id: account, role, sites, active: true, version: 1, created_at };
    store::put(tx, &member)
}
