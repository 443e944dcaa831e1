//! Reading sites: those of a workspace, all of them, and one with its keys.

use crate::error::{Error, Result};
use crate::id::{SiteId, WorkspaceId};
use crate::storage::Store;

use super::directory::Directory;
use super::store::{self, LineRow};
use super::{ChatKey, Key, Site};

/// The sites of a workspace, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn sites_of(store: &Store, workspace: WorkspaceId) -> Result<Vec<Site>> {
    store::of_workspace(store, workspace).await
}

/// The sites of a workspace as a list shows them, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn site_lines_of(store: &Store, workspace: WorkspaceId) -> Result<Vec<LineRow>> {
    store::lines_of(store, workspace).await
}

/// The names of sites; those that were deleted are left out.
pub async fn names_of(directory: &Directory, sites: &[SiteId]) -> Vec<String> {
    let mut names = Vec::with_capacity(sites.len());
    for site in sites {
        names.extend(directory.by_id(*site).await.ok().map(|site| site.name.clone()));
    }
    names
}

/// Every site of this server, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn all_sites(store: &Store) -> Result<Vec<Site>> {
    store::all(store).await
}

/// A site, read anew: the last page seen changes without the rest, and is not in the directory.
///
/// # Errors
/// `NotFound`.
pub async fn read_site(store: &Store, site: SiteId) -> Result<Site> {
    store::by_id(store, site).await?.ok_or(Error::NotFound)
}

/// The keys of the compatible API that work now, and the secrets that sign identities.
///
/// # Errors
/// When the database fails.
pub async fn keys_of(store: &Store, site: SiteId) -> Result<(Vec<ChatKey>, Vec<Key>)> {
    Ok((store::chat_keys(store, site).await?, store::identity_secrets(store, site).await?))
}

/// Visitors' messages that no operator has seen, of a thousand conversations at the most.
///
/// # Errors
/// When the database fails.
pub async fn unread_of(store: &Store, site: SiteId) -> Result<i64> {
    store::unread(store, site).await
}
