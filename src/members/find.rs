//! Reading memberships.

use crate::error::{Error, Result};
use crate::id::{AccountId, WorkspaceId};
use crate::storage::Store;

use super::Member;
use super::store::{self, Membership, Named};

/// The active membership of a person in a workspace: what proves access.
///
/// # Errors
/// `NotFound`, alike for a workspace that does not exist and one that is not theirs.
pub async fn find(store: &Store, workspace: WorkspaceId, account: AccountId) -> Result<Member> {
    store::find(store, workspace, account).await?.filter(|member| member.active).ok_or(Error::NotFound)
}

/// The workspaces of a person in which they are active, oldest membership first.
///
/// # Errors
/// When the database fails.
pub async fn memberships(store: &Store, account: AccountId) -> Result<Vec<Membership>> {
    store::memberships(store, account).await
}

/// The members of a workspace whom `viewer` may know of: those who share a site with them. Oldest first.
///
/// # Errors
/// When the database fails.
pub async fn colleagues(store: &Store, viewer: &Member) -> Result<Vec<Named>> {
    let mut all = store::of_workspace(store, viewer.workspace_id).await?;
    all.retain(|named| named.member.account_id == viewer.account_id || viewer.sites.meets(&named.member.sites));
    Ok(all)
}

/// All members of a workspace, for the operator of the machine. Oldest first.
///
/// # Errors
/// When the database fails.
pub async fn all_members(store: &Store, workspace: WorkspaceId) -> Result<Vec<Named>> {
    store::of_workspace(store, workspace).await
}

/// The addresses of the owners of every workspace, oldest account first, for the operator of the machine.
///
/// # Errors
/// When the database fails.
pub async fn owners(store: &Store) -> Result<Vec<(WorkspaceId, String)>> {
    store::owners(store).await
}

/// One member whom `viewer` may know of.
///
/// # Errors
/// `NotFound`.
pub async fn member_of(store: &Store, viewer: &Member, account: AccountId) -> Result<Named> {
    let all = colleagues(store, viewer).await?;
    all.into_iter().find(|named| named.member.account_id == account).ok_or(Error::NotFound)
}
