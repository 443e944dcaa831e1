//! What a backup needs to know of a copy of the database: is it whole, what is in it; and the new life after a restore.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use crate::error::{Error, Result};

use super::{blocking, sqlite};

const COUNTS: &str = "SELECT 'accounts', COUNT(*) FROM accounts
    UNION ALL SELECT 'sites', COUNT(*) FROM sites
    UNION ALL SELECT 'visitors', COUNT(*) FROM visitors
    UNION ALL SELECT 'conversations', COUNT(*) FROM conversations
    UNION ALL SELECT 'messages', COUNT(*) FROM messages
    UNION ALL SELECT 'images', COUNT(*) FROM images
    UNION ALL SELECT 'events', COUNT(*) FROM events";
const EPOCH: &str = "SELECT value FROM instance WHERE name = 'epoch'";
const SCHEMA: &str = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
const FILES: &str = "SELECT name FROM images UNION SELECT thumb_name FROM images
    UNION SELECT logo FROM sites WHERE logo IS NOT NULL";
// Since schema 10.
const PHOTOS: &str = "SELECT photo FROM accounts WHERE photo IS NOT NULL";
const FIRST_SCHEMA_WITH_PHOTOS: i64 = 10;
const PICTURES: &str = "SELECT name, sha256 FROM images WHERE attached";
const RENEW_EPOCH: &str = "UPDATE instance SET value = $1 WHERE name = 'epoch'";
const END_SESSIONS: &str = "DELETE FROM sessions";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[COUNTS, EPOCH, SCHEMA, FILES, PHOTOS, PICTURES, RENEW_EPOCH, END_SESSIONS];

/// What is in a database file that nobody writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Newest migration.
    pub schema: i64,
    /// Which life of the database.
    pub epoch: String,
    /// Rows by table.
    pub rows: BTreeMap<String, i64>,
    /// Names of the files that it speaks of.
    pub files: Vec<String>,
}

/// Names of the pictures that messages show, and the SHA-256 of each.
///
/// # Errors
/// When the database cannot be read.
pub async fn pictures(database: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let database = database.to_owned();
    blocking(move || sqlite::rows(&sqlite::open_read_only(&database)?, PICTURES, &[])).await
}

/// Checks a copy from end to end and says what is in it.
///
/// # Errors
/// What is damaged.
pub async fn inspect(database: &Path) -> Result<Contents> {
    let database = database.to_owned();
    blocking(move || read(&sqlite::open_read_only(&database)?)).await
}

/// Checks a copy from end to end, whatever its schema is.
pub(super) fn check(database: &Path) -> Result<()> {
    check_all(&sqlite::open_read_only(database)?)
}

fn check_all(conn: &Connection) -> Result<()> {
    let damage: Vec<(String,)> = sqlite::rows(conn, "PRAGMA integrity_check(5)", &[])?;
    if damage.first().is_none_or(|(text,)| text != "ok") {
        let damage: Vec<String> = damage.into_iter().map(|(text,)| text).collect();
        return Err(Error::Internal(format!("the database is damaged: {}", damage.join("; "))));
    }
    no_orphans(conn)
}

/// Refuses rows that refer to nothing.
pub(super) fn no_orphans(conn: &Connection) -> Result<()> {
    let orphans: Vec<(String,)> = sqlite::rows(conn, "SELECT DISTINCT \"table\" FROM pragma_foreign_key_check", &[])?;
    match orphans.first() {
        Some((table,)) => Err(Error::Internal(format!("the database is damaged: rows of {table} belong to nothing"))),
        None => Ok(()),
    }
}

fn read(conn: &Connection) -> Result<Contents> {
    check_all(conn)?;
    let epoch: Vec<(String,)> = sqlite::rows(conn, EPOCH, &[])?;
    let schema: Vec<(i64,)> = sqlite::rows(conn, SCHEMA, &[])?;
    let schema = schema.first().map_or(0, |(version,)| *version);
    let mut files: Vec<(String,)> = sqlite::rows(conn, FILES, &[])?;
    if schema >= FIRST_SCHEMA_WITH_PHOTOS {
        files.extend(sqlite::rows::<(String,)>(conn, PHOTOS, &[])?);
    }
    Ok(Contents {
        schema,
        epoch: epoch.into_iter().next().map(|(epoch,)| epoch).unwrap_or_default(),
        rows: sqlite::rows(conn, COUNTS, &[])?.into_iter().collect(),
        files: files.into_iter().map(|(name,)| name).collect(),
    })
}

/// Begins a new life of a restored database: clients load their state anew, and everybody signs in again, because a
/// session that was ended after the backup would be back otherwise.
///
/// # Errors
/// When the file cannot be written.
pub async fn begin_new_life(database: &Path) -> Result<()> {
    let database = database.to_owned();
    blocking(move || {
        let conn = sqlite::open(&database)?;
        let fresh = crate::secret::random_text(8);
        sqlite::change(&conn, RENEW_EPOCH, &[fresh.into()])?;
        sqlite::change(&conn, END_SESSIONS, &[])?;
        conn.close().map_err(|(_, error)| sqlite::error(error))
    })
    .await
}
