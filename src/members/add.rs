//! Making somebody a member without an invitation.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{AccountId, SiteId, WorkspaceId};
use crate::storage::{Store, Tx};

use super::change::check_sites;
use super::join::enter;
use super::{Role, SiteScope, check_grant};

/// Makes an existing account a member, on the word of the machine's operator. Somebody who was deactivated works again.
///
/// # Errors
/// `Conflict` for an active member, when the workspace has 1,000 members or the person 100 workspaces; a site that is not the workspace's.
pub async fn add(
    store: &Store,
    by: &By,
    (workspace, account): (WorkspaceId, AccountId),
    role: Role,
    sites: Option<Vec<SiteId>>,
) -> Result<()> {
    let (by, sites) = (by.clone(), SiteScope::of(sites));
    check_grant(role, &sites)?;
    let act = move |tx: &mut Tx| {
        check_sites(tx, workspace, &sites)?;
        let taken = Error::Conflict("this account is a member of the workspace already");
        let email = enter(tx, (workspace, account), (role, sites.clone()), taken)?;
        audit::record(tx, &by, Action::MemberAdded, None, &format!("{email}: {}", role.as_str()))
    };
    store.write(act).await
}
