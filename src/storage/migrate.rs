//! Migrations: one list makes new databases and brings old ones up to date.
//!
//! All that are due run in one transaction: when one fails, or the process is killed, the database is as it was, and the
//! program of before can go on with it. A copy is made first all the same.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, MigrationType};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor, SqlSafeStr};

use crate::error::{Error, Result};

use super::{Folder, backup, dialect, value};

/// One step of the schema. A released one is never edited: databases remember its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The schema that it makes, counted from 1.
    pub schema: i64,
    /// Its file name without the number.
    pub name: &'static str,
    /// Its statements. References between tables are checked when all are through, not while they run.
    pub sql: &'static str,
}

/// All migrations, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration { schema: 1, name: "start", sql: include_str!("../../migrations/sqlite/0001_start.sql") },
    Migration {
        schema: 2,
        name: "tokens_keys_terms",
        sql: include_str!("../../migrations/sqlite/0002_tokens_keys_terms.sql"),
    },
    Migration { schema: 3, name: "owner_log", sql: include_str!("../../migrations/sqlite/0003_owner_log.sql") },
    Migration { schema: 4, name: "stretches", sql: include_str!("../../migrations/sqlite/0004_stretches.sql") },
    Migration {
        schema: 5,
        name: "visitor_networks",
        sql: include_str!("../../migrations/sqlite/0005_visitor_networks.sql"),
    },
    Migration { schema: 6, name: "people", sql: include_str!("../../migrations/sqlite/0006_people.sql") },
    Migration { schema: 7, name: "page_since", sql: include_str!("../../migrations/sqlite/0007_page_since.sql") },
];

/// The schema of this program.
pub fn newest_schema() -> i64 {
    newest(MIGRATIONS)
}

const APPLIED: &str = "_sqlx_migrations";

/// The caller holds the folder's lock: nobody else migrates.
pub(super) async fn run(conn: &mut SqliteConnection, folder: &Folder, migrations: &[Migration]) -> Result<()> {
    conn.ensure_migrations_table(APPLIED).await.map_err(explain)?;
    let applied = conn.list_applied_migrations(APPLIED).await.map_err(explain)?;
    let due = due(migrations, &applied)?;
    if due.is_empty() {
        return Ok(());
    }
    if !applied.is_empty() {
        let copy = copy(conn, folder, newest(migrations)).await?;
        tracing::info!(copy = %copy.display(), steps = due.len(), "database copied before migrating");
    }
    // Rebuilding a table drops the old one, which would take with it what refers to it; so references are not followed
    // meanwhile. The switch has no effect within a transaction.
    conn.execute("PRAGMA foreign_keys = OFF").await.map_err(dialect::error)?;
    let done = apply(conn, &due).await;
    conn.execute("PRAGMA foreign_keys = ON").await.map_err(dialect::error)?;
    done
}

async fn apply(conn: &mut SqliteConnection, due: &[sqlx::migrate::Migration]) -> Result<()> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.map_err(dialect::error)?;
    for migration in due {
        tx.apply(APPLIED, migration).await.map_err(explain)?;
    }
    backup::no_orphans(&mut tx).await.map_err(|error| unchanged("its result", error))?;
    tx.commit().await.map_err(dialect::error)
}

/// Which migrations the database lacks. Refuses what is not a past of this program.
fn due(migrations: &[Migration], applied: &[AppliedMigration]) -> Result<Vec<sqlx::migrate::Migration>> {
    let mut due = Vec::new();
    for migration in migrations.iter().map(to_sqlx) {
        match applied.iter().find(|done| done.version == migration.version) {
            Some(done) if done.checksum == migration.checksum => {}
            Some(_) => return Err(explain(MigrateError::VersionMismatch(migration.version))),
            None => due.push(migration),
        }
    }
    match applied.iter().find(|done| done.version > newest(migrations)) {
        Some(newer) => Err(explain(MigrateError::VersionMissing(newer.version))),
        None => Ok(due),
    }
}

/// Copies the database as it is and checks the copy. It is named after the schema that is to come, so that a server that
/// fails again and again does not fill the disk with copies.
async fn copy(conn: &mut SqliteConnection, folder: &Folder, coming: i64) -> Result<PathBuf> {
    let target = folder.snapshots().join(format!("before-schema-{coming}.db"));
    let partial = target.with_extension("partial");
    // Left by an attempt that was cut off.
    let _ = fs::remove_file(&partial);
    let copied = copy_checked(conn, &partial).await.and_then(|()| fs::rename(&partial, &target).map_err(failed));
    copied.map_err(|error| unchanged("the copy that is made first", error))?;
    Ok(target)
}

async fn copy_checked(conn: &mut SqliteConnection, target: &Path) -> Result<()> {
    snapshot(conn, target).await?;
    backup::check(target).await?;
    fs::File::open(target).and_then(|file| file.sync_all()).map_err(failed)
}

fn failed(error: std::io::Error) -> Error {
    Error::Internal(error.to_string())
}

fn unchanged(what: &str, error: Error) -> Error {
    let cause = match error {
        Error::Internal(cause) => cause,
        other => other.to_string(),
    };
    Error::Internal(format!("migrating failed, nothing was changed: {what}: {cause}"))
}

/// Writes a consistent copy of the whole database into a new file.
pub async fn snapshot(conn: &mut SqliteConnection, target: &Path) -> Result<()> {
    let target = target.to_str().ok_or_else(|| Error::Internal("a path that is not UTF-8".into()))?;
    value::query("VACUUM INTO $1", [target.into()]).execute(conn).await.map_err(dialect::error)?;
    Ok(())
}

/// The database's epoch, made on the first start.
pub(super) async fn epoch(conn: &mut SqliteConnection) -> Result<String> {
    const ENSURE: &str = "INSERT INTO instance (name, value) VALUES ('epoch', $1) ON CONFLICT (name) DO NOTHING";
    const READ: &str = "SELECT value FROM instance WHERE name = 'epoch'";
    let fresh = crate::secret::random_text(8);
    value::query(ENSURE, [fresh.into()]).execute(&mut *conn).await.map_err(dialect::error)?;
    let (epoch,): (String,) = sqlx::query_as(READ).fetch_one(conn).await.map_err(dialect::error)?;
    Ok(epoch)
}

fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.schema)
}

fn to_sqlx(migration: &Migration) -> sqlx::migrate::Migration {
    let (name, sql) = (Cow::Borrowed(migration.name), migration.sql.into_sql_str());
    sqlx::migrate::Migration::new(migration.schema, name, MigrationType::Simple, sql, false)
}

fn explain(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => Error::Internal(format!(
            "this database has schema {version}, which is newer than this program; use the newer ocs, or go back to the \
             copy in snapshots/before-schema-{version}.db, or restore a backup"
        )),
        MigrateError::VersionMismatch(version) => Error::Internal(format!(
            "migration {version} was changed after it was applied; use the program that made this database"
        )),
        other => Error::Internal(format!("migrating failed, nothing was changed: {other}")),
    }
}
