//! What a backup needs to know of a copy of the database: is it whole, what is in it; and the new life after a restore.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::error::{Error, Result};

use super::{Value, dialect, value};

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
const PICTURES: &str = "SELECT name, sha256 FROM images WHERE attached";
const RENEW_EPOCH: &str = "UPDATE instance SET value = $1 WHERE name = 'epoch'";
const END_SESSIONS: &str = "DELETE FROM sessions";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[COUNTS, EPOCH, SCHEMA, FILES, PICTURES, RENEW_EPOCH, END_SESSIONS];

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
    let options = SqliteConnectOptions::new().filename(database).read_only(true).disable_statement_logging();
    let mut conn = options.connect().await.map_err(dialect::error)?;
    let pictures = all(&mut conn, PICTURES).await;
    let _ = conn.close().await;
    pictures
}

/// Checks a copy from end to end and says what is in it.
///
/// # Errors
/// What is damaged.
pub async fn inspect(database: &Path) -> Result<Contents> {
    let mut conn = open(database).await?;
    let contents = read(&mut conn).await;
    let _ = conn.close().await;
    contents
}

async fn open(database: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(database).read_only(true).disable_statement_logging();
    options.connect().await.map_err(dialect::error)
}

/// Checks a copy from end to end, whatever its schema is.
pub(super) async fn check(database: &Path) -> Result<()> {
    let mut conn = open(database).await?;
    let checked = is_sound(&mut conn).await;
    let _ = conn.close().await;
    checked
}

async fn is_sound(conn: &mut SqliteConnection) -> Result<()> {
    let damage: Vec<(String,)> = all(conn, "PRAGMA integrity_check(5)").await?;
    if damage.first().is_none_or(|(text,)| text != "ok") {
        let damage: Vec<String> = damage.into_iter().map(|(text,)| text).collect();
        return Err(Error::Internal(format!("the database is damaged: {}", damage.join("; "))));
    }
    no_orphans(conn).await
}

/// Refuses rows that refer to nothing.
pub(super) async fn no_orphans(conn: &mut SqliteConnection) -> Result<()> {
    let orphans: Vec<(String,)> = all(conn, "SELECT DISTINCT \"table\" FROM pragma_foreign_key_check").await?;
    match orphans.first() {
        Some((table,)) => Err(Error::Internal(format!("the database is damaged: rows of {table} belong to nothing"))),
        None => Ok(()),
    }
}

async fn read(conn: &mut SqliteConnection) -> Result<Contents> {
    is_sound(conn).await?;
    let epoch: Vec<(String,)> = all(conn, EPOCH).await?;
    let schema: Vec<(i64,)> = all(conn, SCHEMA).await?;
    let files: Vec<(String,)> = all(conn, FILES).await?;
    Ok(Contents {
        schema: schema.first().map_or(0, |(version,)| *version),
        epoch: epoch.into_iter().next().map(|(epoch,)| epoch).unwrap_or_default(),
        rows: all(conn, COUNTS).await?.into_iter().collect(),
        files: files.into_iter().map(|(name,)| name).collect(),
    })
}

async fn all<T: super::Record>(conn: &mut SqliteConnection, sql: &'static str) -> Result<Vec<T>> {
    value::query_as(sql, Vec::<Value>::new()).fetch_all(conn).await.map_err(dialect::error)
}

/// Begins a new life of a restored database: clients load their state anew, and everybody signs in again, because a
/// session that was ended after the backup would be back otherwise.
///
/// # Errors
/// When the file cannot be written.
pub async fn begin_new_life(database: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(database).disable_statement_logging();
    let mut conn = options.connect().await.map_err(dialect::error)?;
    let fresh = crate::secret::random_text(8);
    value::query(RENEW_EPOCH, [fresh.into()]).execute(&mut conn).await.map_err(dialect::error)?;
    value::query(END_SESSIONS, []).execute(&mut conn).await.map_err(dialect::error)?;
    conn.close().await.map_err(dialect::error)
}
