//! The first member of a workspace.

use crate::error::{Error, Result};
use crate::id::{AccountId, WorkspaceId};
use crate::storage::Tx;

use super::join::enter;
use super::{Role, SiteScope};

/// Makes an account the owner of a workspace that was made in the same transaction.
///
/// # Errors
/// `Conflict` for somebody who is in 100 workspaces.
pub fn add_owner(tx: &mut Tx, workspace: WorkspaceId, account: AccountId) -> Result<()> {
    let taken = Error::Conflict("this workspace has an owner already");
    enter(tx, (workspace, account), (Role::Owner, SiteScope::All), taken).map(drop)
}
