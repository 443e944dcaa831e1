//! What differs between engines, and nothing else: error codes, versions, checkpoints, an index of terms.

use sqlx::sqlite::SqliteConnection;

use crate::error::{Error, Result};

use super::Value;

/// A parameter that holds a JSON array of arrays, as rows with one column `value`; read a cell with
/// `CAST(r.value ->> 0 AS BIGINT)`. One parameter and one statement serve any number of rows. In the engine's own form of
/// JSON: as text it would be written and read again for each cell.
#[macro_export]
macro_rules! bulk_rows {
    ($parameter:literal) => {
        concat!("jsonb_each(", $parameter, ")")
    };
}

/// A parameter that holds a JSON array of ids, made by [`Value::ids`](crate::storage::Value::ids), as a list to look in.
#[macro_export]
macro_rules! id_rows {
    ($parameter:literal) => {
        concat!("(SELECT CAST(r.value AS BIGINT) FROM json_each(", $parameter, ") AS r)")
    };
}

/// The rows of an index of terms that have all that a parameter names, which [`all_of_any`] writes; and the number of a row.
#[macro_export]
macro_rules! has_terms {
    ($index:literal, $parameter:literal) => {
        concat!($index, " MATCH ", $parameter)
    };
    (row) => {
        "rowid"
    };
}

/// Folds some of an index of terms together; a little each time, because the writer has others to serve.
#[macro_export]
macro_rules! fold_terms {
    ($index:literal) => {
        concat!("INSERT INTO ", $index, " (", $index, ", rank) VALUES ('merge', 30)")
    };
}

/// A term that an index is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// This term.
    Whole(String),
    /// Every term that begins so.
    Beginning(String),
}

/// The value for a statement's `has_terms!`: rows that have all terms of one of these lists. Terms consist of letters and
/// digits, so that none can end its quotes.
pub fn all_of_any(lists: &[Vec<Term>]) -> Value {
    let quoted = |term: &Term| match term {
        Term::Whole(term) => format!("\"{term}\""),
        Term::Beginning(term) => format!("\"{term}\"*"),
    };
    let all = |list: &Vec<Term>| format!("({})", list.iter().map(quoted).collect::<Vec<_>>().join(" AND "));
    Value::Text(lists.iter().map(all).collect::<Vec<_>>().join(" OR "))
}

/// SQLite before 3.51.3 can corrupt a database in WAL mode (sqlite.org, "WAL-reset bug").
const OLDEST_SAFE: [u32; 3] = [3, 51, 3];

pub(super) async fn assert_version(conn: &mut SqliteConnection) -> Result<()> {
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()").fetch_one(conn).await.map_err(error)?;
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts.as_slice() < OLDEST_SAFE.as_slice() {
        return Err(Error::Internal(format!("SQLite {version} can corrupt data; 3.51.3 or newer is required")));
    }
    Ok(())
}

/// Checkpoints: PASSIVE never makes the writer or a reader wait.
pub(super) async fn checkpoint(conn: &mut SqliteConnection) -> Result<i64> {
    let (_busy, log, done): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(conn).await.map_err(error)?;
    Ok(log - done)
}

/// SQLITE_FULL, SQLITE_IOERR and SQLITE_READONLY, the low byte of SQLite's extended codes (sqlite.org/rescode.html).
const FULL: i64 = 13;
const IOERR: i64 = 10;
const READONLY: i64 = 8;
const BUSY: i64 = 5;

pub(super) fn error(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(cause) => {
            let code = cause.code().and_then(|code| code.parse::<i64>().ok()).unwrap_or(0) & 0xff;
            match code {
                FULL => Error::StorageFull,
                IOERR | READONLY => {
                    tracing::error!(%cause, "the database cannot be written");
                    Error::StorageFull
                }
                BUSY => Error::Unavailable,
                _ => Error::Internal(format!("database: {cause}")),
            }
        }
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Error::Unavailable,
        _ => Error::Internal(format!("database: {error}")),
    }
}

/// Did this fail because a unique key or another constraint refused it?
pub fn is_constraint(error: &Error) -> bool {
    matches!(error, Error::Internal(text) if text.contains("constraint failed"))
}
