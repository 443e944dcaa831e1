//! Migrations: one list makes new databases and brings old ones up to date.
//!
//! All that are due run in one transaction: when one fails, or the process is killed, the database is as it was, and the
//! program of before can go on with it. A copy is made first all the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha384};

use crate::error::{Error, Result};
use crate::values;

use super::{Folder, backup, sqlite};

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
    Migration { schema: 8, name: "workspaces", sql: include_str!("../../migrations/sqlite/0008_workspaces.sql") },
    Migration { schema: 9, name: "log", sql: include_str!("../../migrations/sqlite/0009_log.sql") },
    Migration { schema: 10, name: "photos", sql: include_str!("../../migrations/sqlite/0010_photos.sql") },
];

/// The schema of this program.
pub fn newest_schema() -> i64 {
    newest(MIGRATIONS)
}

// The name and the columns are those of the library that made this table first: programs of before read it, too.
const MAKE_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL)";
const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
const NOTE: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES ($1, $2, TRUE, $3, $4)";

/// A migration that the database has, and the SHA-384 of its statements.
type Applied = (i64, Vec<u8>);

/// Brings the database up to date. The caller holds the folder's lock: nobody else migrates.
pub(super) fn run(conn: &mut Connection, folder: &Folder, migrations: &[Migration]) -> Result<()> {
    sqlite::change(conn, MAKE_TABLE, &[])?;
    let applied: Vec<Applied> = sqlite::rows(conn, APPLIED, &[])?;
    let due = due(migrations, &applied)?;
    if due.is_empty() {
        return Ok(());
    }
    if !applied.is_empty() {
        let copy = copy(conn, folder, newest(migrations))?;
        tracing::info!(copy = %copy.display(), steps = due.len(), "database copied before migrating");
    }
    // Rebuilding a table drops the old one, which would take with it what refers to it; so references are not followed
    // meanwhile. The switch has no effect within a transaction.
    conn.pragma_update(None, "foreign_keys", false).map_err(sqlite::error)?;
    let done = apply(conn, &due);
    conn.pragma_update(None, "foreign_keys", true).map_err(sqlite::error)?;
    done
}

fn apply(conn: &mut Connection, due: &[&Migration]) -> Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite::error)?;
    for migration in due {
        let begun = Instant::now();
        let run = tx.execute_batch(migration.sql).map_err(sqlite::error);
        run.map_err(|error| unchanged(&format!("step {}", migration.schema), error))?;
        let took = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let (name, checksum) = (migration.name, checksum(migration));
        sqlite::change(&tx, NOTE, &values![migration.schema, name, checksum, took])?;
    }
    backup::no_orphans(&tx).map_err(|error| unchanged("its result", error))?;
    tx.commit().map_err(sqlite::error)
}

/// Which migrations the database lacks. Refuses what is not a past of this program.
fn due<'a>(migrations: &'a [Migration], applied: &[Applied]) -> Result<Vec<&'a Migration>> {
    let mut due = Vec::new();
    for migration in migrations {
        match applied.iter().find(|(schema, _)| *schema == migration.schema) {
            Some((_, known)) if *known == checksum(migration) => {}
            Some(_) => {
                return Err(Error::Internal(format!(
                    "migration {} was changed after it was applied; use the program that made this database",
                    migration.schema
                )));
            }
            None => due.push(migration),
        }
    }
    match applied.iter().find(|(schema, _)| *schema > newest(migrations)) {
        Some((newer, _)) => Err(Error::Internal(format!(
            "this database has schema {newer}, which is newer than this program; use the newer ocs, or go back to the \
             copy in snapshots/before-schema-{newer}.db, or restore a backup"
        ))),
        None => Ok(due),
    }
}

fn checksum(migration: &Migration) -> Vec<u8> {
    Sha384::digest(migration.sql).to_vec()
}

/// Copies the database as it is and checks the copy. It is named after the schema that is to come, so that a server that
/// fails again and again does not fill the disk with copies.
fn copy(conn: &Connection, folder: &Folder, coming: i64) -> Result<PathBuf> {
    let target = folder.snapshots().join(format!("before-schema-{coming}.db"));
    let partial = target.with_extension("partial");
    // Left by an attempt that was cut off.
    let _ = fs::remove_file(&partial);
    let copied = copy_checked(conn, &partial).and_then(|()| fs::rename(&partial, &target).map_err(failed));
    copied.map_err(|error| unchanged("the copy that is made first", error))?;
    Ok(target)
}

fn copy_checked(conn: &Connection, target: &Path) -> Result<()> {
    copy_to(conn, target)?;
    backup::check(target)?;
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
pub(super) fn copy_to(conn: &Connection, target: &Path) -> Result<()> {
    let target = target.to_str().ok_or_else(|| Error::Internal("a path that is not UTF-8".into()))?;
    sqlite::change(conn, "VACUUM INTO $1", &[target.into()]).map(drop)
}

/// The database's epoch, made on the first start.
pub(super) fn epoch(conn: &Connection) -> Result<String> {
    const ENSURE: &str = "INSERT INTO instance (name, value) VALUES ('epoch', $1) ON CONFLICT (name) DO NOTHING";
    const READ: &str = "SELECT value FROM instance WHERE name = 'epoch'";
    let fresh = crate::secret::random_text(8);
    sqlite::change(conn, ENSURE, &[fresh.into()])?;
    let epoch: Vec<(String,)> = sqlite::rows(conn, READ, &[])?;
    epoch.into_iter().next().map(|(epoch,)| epoch).ok_or_else(|| Error::Internal("the database has no epoch".into()))
}

fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.schema)
}
