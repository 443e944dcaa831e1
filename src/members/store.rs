//! SQL of members.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{AccountId, SiteId, WorkspaceId};
use crate::record;
use crate::storage::{Store, Tx, Value};
use crate::values;

use super::{Member, Role, SiteScope};

const OF_ACCOUNT: &str = "SELECT workspace_id, account_id, role, sites, version, created_at FROM members
    WHERE account_id = $1 AND active ORDER BY created_at, workspace_id";
const FIRST_OWNERS: &str =
    "SELECT workspace_id, MIN(account_id) FROM members WHERE role = 'owner' GROUP BY workspace_id";
const INSERT: &str = "INSERT INTO members (workspace_id, account_id, role, sites, version, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[OF_ACCOUNT, FIRST_OWNERS, INSERT];

struct Row {
    workspace_id: WorkspaceId,
    account_id: AccountId,
    role: String,
    sites: Option<String>,
    version: i64,
    created_at: Millis,
}
record!(Row { workspace_id, account_id, role, sites, version, created_at });

impl From<Row> for Member {
    fn from(row: Row) -> Member {
        Member {
            workspace_id: row.workspace_id,
            account_id: row.account_id,
            role: Role::parse(&row.role),
            sites: row.sites.as_deref().map_or(SiteScope::All, read_sites),
            version: row.version,
            created_at: row.created_at,
        }
    }
}

/// An unreadable list is of no site: nobody sees more than was granted.
fn read_sites(json: &str) -> SiteScope {
    SiteScope::Only(Arc::new(serde_json::from_str::<BTreeSet<SiteId>>(json).unwrap_or_default()))
}

fn sites_value(sites: &SiteScope) -> Value {
    match sites {
        SiteScope::All => Value::Null,
        SiteScope::Only(sites) => Value::json(&**sites),
    }
}

/// The active memberships of a person, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_account(store: &Store, account: AccountId) -> Result<Vec<Member>> {
    let rows: Vec<Row> = store.all(OF_ACCOUNT, values![account]).await?;
    Ok(rows.into_iter().map(Member::from).collect())
}

/// Each workspace with the oldest account that owns it.
///
/// # Errors
/// When the database fails.
pub async fn first_owners(store: &Store) -> Result<Vec<(WorkspaceId, AccountId)>> {
    store.all(FIRST_OWNERS, []).await
}

/// Adds a member.
pub fn insert(tx: &mut Tx, member: &Member) -> Result<()> {
    let Member { workspace_id, account_id, role, sites, version, created_at } = member;
    let values = values![*workspace_id, *account_id, role.as_str(), sites_value(sites), *version, *created_at];
    tx.run(INSERT, values).map(drop)
}
