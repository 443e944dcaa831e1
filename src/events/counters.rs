//! The counters of the logs: every number of an event is taken here.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::id::{SiteId, WorkspaceId};
use crate::storage::Tx;

use super::store;

/// The counters of the workspaces that a transaction records events of. A transaction locks them first, decides, takes its
/// numbers, and writes them back: so the order of numbers is the order of commits.
#[derive(Debug, Default)]
pub struct Counters {
    workspace_of: BTreeMap<SiteId, WorkspaceId>,
    numbers: BTreeMap<WorkspaceId, Numbers>,
}

/// A workspace's last number.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    locked: i64,
    now: i64,
}

impl Counters {
    /// Locks the counters of the workspaces of these sites.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lock(tx: &mut Tx, sites: &BTreeSet<SiteId>) -> Result<Counters> {
        let mut counters = Counters::default();
        for (site, workspace, n) in store::lock(tx, sites)? {
            counters.workspace_of.insert(site, workspace);
            counters.numbers.insert(workspace, Numbers { locked: n, now: n });
        }
        Ok(counters)
    }

    /// The workspace of a locked site.
    ///
    /// # Errors
    /// `NotFound` when the site is deleted.
    pub fn workspace(&self, site: SiteId) -> Result<WorkspaceId> {
        self.workspace_of.get(&site).copied().ok_or(Error::NotFound)
    }

    /// The last number of each locked workspace: when it was locked, and now.
    pub fn numbers(&self) -> impl Iterator<Item = (WorkspaceId, i64, i64)> + '_ {
        self.numbers.iter().map(|(workspace, numbers)| (*workspace, numbers.locked, numbers.now))
    }

    /// Takes the next number of a workspace's log.
    ///
    /// # Errors
    /// `NotFound` when the workspace is not locked.
    pub fn next(&mut self, workspace: WorkspaceId) -> Result<i64> {
        let numbers = self.numbers.get_mut(&workspace).ok_or(Error::NotFound)?;
        numbers.now += 1;
        Ok(numbers.now)
    }

    /// Stores the numbers that were taken.
    pub fn write(&self, tx: &mut Tx) {
        let taken: Vec<_> = self
            .numbers()
            .filter(|(_, locked, now)| locked < now)
            .map(|(workspace, _, now)| (workspace, now))
            .collect();
        if !taken.is_empty() {
            store::set_last_numbers(tx, &taken);
        }
    }
}
