//! SQL of members and invitations.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{AccountId, InvitationId, SiteId, WorkspaceId};
use crate::record;
use crate::storage::{Columns, Record, Store, Tx, Value};
use crate::values;

use super::{Invitation, Member, Role, SiteScope};

const FIND: &str = "SELECT workspace_id, account_id, role, sites, active, version, created_at FROM members
    WHERE workspace_id = $1 AND account_id = $2";
const MEMBERSHIPS: &str =
    "SELECT w.name, m.workspace_id, m.account_id, m.role, m.sites, m.active, m.version, m.created_at
    FROM members AS m JOIN workspaces AS w ON w.id = m.workspace_id
    WHERE m.account_id = $1 AND m.active ORDER BY m.created_at, m.workspace_id";
const OF_WORKSPACE: &str =
    "SELECT a.name, a.email, a.photo, m.workspace_id, m.account_id, m.role, m.sites, m.active, m.version,
        m.created_at
    FROM members AS m JOIN accounts AS a ON a.id = m.account_id
    WHERE m.workspace_id = $1 ORDER BY m.created_at, m.account_id";
const WORKSPACES_OF: &str =
    "SELECT m.workspace_id, w.name FROM members AS m JOIN workspaces AS w ON w.id = m.workspace_id
    WHERE m.account_id = $1 ORDER BY m.workspace_id";
const ACCOUNTS_OF: &str = "SELECT account_id FROM members WHERE workspace_id = $1 ORDER BY account_id";
const OWNERS: &str = "SELECT m.workspace_id, a.email FROM members AS m JOIN accounts AS a ON a.id = m.account_id
    WHERE m.role = 'owner' ORDER BY m.workspace_id, m.account_id";
const COUNT: &str = "SELECT COUNT(*) FROM members WHERE workspace_id = $1";
const COUNT_OF_ACCOUNT: &str = "SELECT COUNT(*) FROM members WHERE account_id = $1";
const COUNT_OWNERS: &str = "SELECT COUNT(*) FROM members WHERE workspace_id = $1 AND role = 'owner' AND active";
const PUT: &str = "INSERT INTO members (workspace_id, account_id, role, sites, active, version, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (workspace_id, account_id) DO UPDATE SET role = $3, sites = $4, active = $5, version = $6";
const DELETE: &str = "DELETE FROM members WHERE workspace_id = $1 AND account_id = $2";
const EMAIL: &str = "SELECT email FROM accounts WHERE id = $1";
const SITES: &str = "SELECT id FROM sites WHERE workspace_id = $1";

const INVITATIONS: &str =
    "SELECT COALESCE(a.name, '') AS inviter, w.name AS workspace, i.workspace_id, i.id, i.note, i.role,
        i.sites, i.invited_by, i.created_at, i.expires_at
    FROM invitations AS i JOIN workspaces AS w ON w.id = i.workspace_id LEFT JOIN accounts AS a ON a.id = i.invited_by
    WHERE i.workspace_id = $1 AND i.expires_at > $2 ORDER BY i.id DESC";
const INVITATION: &str =
    "SELECT COALESCE(a.name, '') AS inviter, w.name AS workspace, i.workspace_id, i.id, i.note, i.role,
        i.sites, i.invited_by, i.created_at, i.expires_at
    FROM invitations AS i JOIN workspaces AS w ON w.id = i.workspace_id LEFT JOIN accounts AS a ON a.id = i.invited_by
    WHERE i.token_hash = $1 AND i.expires_at > $2";
const TAKE_INVITATION: &str = "DELETE FROM invitations WHERE token_hash = $1 AND expires_at > $2
    RETURNING workspace_id, id, note, role, sites, invited_by, created_at, expires_at";
const COUNT_INVITATIONS: &str = "SELECT COUNT(*) FROM invitations WHERE workspace_id = $1";
const INSERT_INVITATION: &str =
    "INSERT INTO invitations (workspace_id, id, token_hash, note, role, sites, invited_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const DELETE_INVITATION: &str = "DELETE FROM invitations WHERE workspace_id = $1 AND id = $2";
const REMOVE_EXPIRED: &str = "DELETE FROM invitations WHERE workspace_id = $1 AND expires_at <= $2";
const WITHDRAW_BY: &str = "DELETE FROM invitations WHERE workspace_id = $1 AND invited_by = $2";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[
    FIND,
    MEMBERSHIPS,
    OF_WORKSPACE,
    WORKSPACES_OF,
    ACCOUNTS_OF,
    OWNERS,
    COUNT,
    COUNT_OF_ACCOUNT,
    COUNT_OWNERS,
    PUT,
    DELETE,
    EMAIL,
    SITES,
    INVITATIONS,
    INVITATION,
    TAKE_INVITATION,
    COUNT_INVITATIONS,
    INSERT_INVITATION,
    DELETE_INVITATION,
    REMOVE_EXPIRED,
    WITHDRAW_BY,
];

/// Made the invitations of the machine's operator; no account has this number.
const NOBODY: AccountId = AccountId(0);

impl Record for Member {
    fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Member> {
        Ok(Member {
            workspace_id: columns.named("workspace_id")?,
            account_id: columns.named("account_id")?,
            role: Role::parse(&columns.named::<String>("role")?),
            sites: read_sites(columns.named::<Option<String>>("sites")?.as_deref()),
            active: columns.named("active")?,
            version: columns.named("version")?,
            created_at: columns.named("created_at")?,
        })
    }
}

impl Record for Invitation {
    fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Invitation> {
        Ok(Invitation {
            workspace_id: columns.named("workspace_id")?,
            id: columns.named("id")?,
            note: columns.named("note")?,
            role: Role::parse(&columns.named::<String>("role")?),
            sites: read_sites(columns.named::<Option<String>>("sites")?.as_deref()),
            invited_by: Some(columns.named("invited_by")?).filter(|account| *account != NOBODY),
            created_at: columns.named("created_at")?,
            expires_at: columns.named("expires_at")?,
        })
    }
}

/// An unreadable list is of no site: nobody sees more than was granted.
fn read_sites(json: Option<&str>) -> SiteScope {
    let read = |json| SiteScope::Only(Arc::new(serde_json::from_str::<BTreeSet<SiteId>>(json).unwrap_or_default()));
    json.map_or(SiteScope::All, read)
}

fn sites_value(sites: &SiteScope) -> Value {
    match sites {
        SiteScope::All => Value::Null,
        SiteScope::Only(sites) => Value::json(&**sites),
    }
}

/// A person's membership, with the name of the workspace.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The membership.
    pub member: Member,
    /// Name of the workspace.
    pub name: String,
}
record!(Membership { name; member });

/// A member, with what is known of the person.
#[derive(Debug, Clone)]
pub struct Named {
    /// The membership.
    pub member: Member,
    /// The person's name.
    pub name: String,
    /// The person's address.
    pub email: String,
    /// File name of the person's picture.
    pub photo: Option<String>,
}
record!(Named { name, email, photo; member });

/// An invitation, with names.
#[derive(Debug, Clone)]
pub struct NamedInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// Name of who made it; empty for the operator of the machine.
    pub inviter: String,
    /// Name of the workspace.
    pub workspace: String,
}
record!(NamedInvitation { inviter, workspace; invitation });

pub(super) async fn find(store: &Store, workspace: WorkspaceId, account: AccountId) -> Result<Option<Member>> {
    store.one(FIND, values![workspace, account]).await
}

pub(super) fn find_in(tx: &mut Tx, workspace: WorkspaceId, account: AccountId) -> Result<Option<Member>> {
    tx.one(FIND, values![workspace, account])
}

pub(super) async fn memberships(store: &Store, account: AccountId) -> Result<Vec<Membership>> {
    store.all(MEMBERSHIPS, values![account]).await
}

pub(super) async fn of_workspace(store: &Store, workspace: WorkspaceId) -> Result<Vec<Named>> {
    store.all(OF_WORKSPACE, values![workspace]).await
}

pub(super) async fn owners(store: &Store) -> Result<Vec<(WorkspaceId, String)>> {
    store.all(OWNERS, []).await
}

pub(super) fn workspaces_of(tx: &mut Tx, account: AccountId) -> Result<Vec<(WorkspaceId, String)>> {
    tx.all(WORKSPACES_OF, values![account])
}

pub(super) fn accounts_of(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<AccountId>> {
    Ok(tx.all(ACCOUNTS_OF, values![workspace])?.into_iter().map(|(account,)| account).collect())
}

pub(super) fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(tx.one::<(i64,)>(COUNT, values![workspace])?.map_or(0, |(count,)| count))
}

pub(super) fn count_of_account(tx: &mut Tx, account: AccountId) -> Result<i64> {
    Ok(tx.one::<(i64,)>(COUNT_OF_ACCOUNT, values![account])?.map_or(0, |(count,)| count))
}

pub(super) fn count_owners(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(tx.one::<(i64,)>(COUNT_OWNERS, values![workspace])?.map_or(0, |(count,)| count))
}

/// Adds a member, or replaces what is kept of one.
pub(super) fn put(tx: &mut Tx, member: &Member) -> Result<()> {
    let Member { workspace_id, account_id, role, sites, active, version, created_at } = member;
    let (role, sites) = (role.as_str(), sites_value(sites));
    tx.run(PUT, values![*workspace_id, *account_id, role, sites, *active, *version, *created_at]).map(drop)
}

pub(super) fn delete(tx: &mut Tx, workspace: WorkspaceId, account: AccountId) -> Result<bool> {
    Ok(tx.run(DELETE, values![workspace, account])? > 0)
}

/// The address of a person, for the audit log.
pub(super) fn email(tx: &mut Tx, account: AccountId) -> Result<String> {
    Ok(tx.one::<(String,)>(EMAIL, values![account])?.map(|(email,)| email).unwrap_or_default())
}

pub(super) fn sites_of(tx: &mut Tx, workspace: WorkspaceId) -> Result<BTreeSet<SiteId>> {
    Ok(tx.all(SITES, values![workspace])?.into_iter().map(|(site,)| site).collect())
}

pub(super) async fn invitations(store: &Store, workspace: WorkspaceId, now: Millis) -> Result<Vec<NamedInvitation>> {
    store.all(INVITATIONS, values![workspace, now]).await
}

pub(super) async fn invitation(store: &Store, token_hash: [u8; 32], now: Millis) -> Result<Option<NamedInvitation>> {
    store.one(INVITATION, values![token_hash, now]).await
}

/// Uses an invitation up.
pub(super) fn take_invitation(tx: &mut Tx, token_hash: [u8; 32]) -> Result<Option<Invitation>> {
    let now = tx.now();
    tx.one(TAKE_INVITATION, values![token_hash, now])
}

pub(super) fn count_invitations(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(tx.one::<(i64,)>(COUNT_INVITATIONS, values![workspace])?.map_or(0, |(count,)| count))
}

pub(super) fn insert_invitation(tx: &mut Tx, invitation: &Invitation, token_hash: [u8; 32]) -> Result<()> {
    let Invitation { workspace_id, id, note, role, sites, invited_by, created_at, expires_at } = invitation;
    let (role, sites) = (role.as_str(), sites_value(sites));
    let inviter = invited_by.unwrap_or(NOBODY);
    let values = values![*workspace_id, *id, token_hash, note, role, sites, inviter, *created_at, *expires_at];
    tx.run(INSERT_INVITATION, values).map(drop)
}

pub(super) fn delete_invitation(tx: &mut Tx, workspace: WorkspaceId, invitation: InvitationId) -> Result<bool> {
    Ok(tx.run(DELETE_INVITATION, values![workspace, invitation])? > 0)
}

pub(super) fn remove_expired_invitations(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    let now = tx.now();
    tx.run(REMOVE_EXPIRED, values![workspace, now]).map(drop)
}

/// Withdraws the open invitations of somebody who may invite no longer.
pub(super) fn withdraw_invitations_by(tx: &mut Tx, workspace: WorkspaceId, account: AccountId) -> Result<()> {
    tx.run(WITHDRAW_BY, values![workspace, account]).map(drop)
}
