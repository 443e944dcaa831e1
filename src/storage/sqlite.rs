//! SQLite: how its connections are opened, its statements run and its errors read.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Statement, ffi};

use crate::error::{Error, Result};

use super::Record;
use super::record::Columns;
use super::value::Value;

/// SQLite before 3.51.3 can corrupt a database in WAL mode (sqlite.org, "WAL-reset bug").
const OLDEST_SAFE: i32 = 3_051_003;
/// How long a statement waits for another process that has locked the database, such as a copying tool.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps; the product has about 250.
const STATEMENTS: usize = 300;
/// Pages in the write-ahead log at which SQLite itself checkpoints, 128 MB; our own checkpointer works below it.
const WAL_PAGES: i64 = 32_000;
/// A connection's page cache, in KiB as SQLite takes it: 2 MB.
const CACHE: i64 = -2_000;
/// The writer's page cache. Messages of many conversations touch pages everywhere; those that are not here are read from the
/// write-ahead log again for each message.
pub(super) const WRITER_CACHE: i64 = -16_000;

/// Refuses a library that can corrupt data.
pub(super) fn check_version() -> Result<()> {
    if rusqlite::version_number() < OLDEST_SAFE {
        let version = rusqlite::version();
        return Err(Error::Internal(format!("SQLite {version} can corrupt data; 3.51.3 or newer is required")));
    }
    Ok(())
}

/// A connection that writes; makes the database where there is none.
pub(super) fn open(path: &Path) -> Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

/// A connection that only reads.
pub(super) fn open_read_only(path: &Path) -> Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection> {
    // Each connection is used by one thread at a time, so the engine needs no lock of its own.
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(error)?;
    configure(&conn, access.contains(OpenFlags::SQLITE_OPEN_READ_WRITE)).map_err(error)?;
    Ok(conn)
}

fn configure(conn: &Connection, writes: bool) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans do not depend on bound values. Without it a statement with `LIMIT $1` is parsed and planned anew each time that it
    // is bound: more than half of what reading twenty messages takes (sqlite.org/c3ref/c_dbconfig_defensive.html, QPSG).
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if writes {
        conn.pragma_update(None, "journal_mode", "WAL")?;
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "cache_size", CACHE)?;
    conn.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    conn.pragma_update(None, "journal_size_limit", 134_217_728)?;
    conn.pragma_update(None, "temp_store", "MEMORY")
}

/// Runs a statement and reads its rows.
pub(super) fn rows<T: Record>(conn: &Connection, sql: &str, values: &[Value]) -> Result<Vec<T>> {
    let mut statement = conn.prepare_cached(sql).map_err(error)?;
    bind(&mut statement, values).map_err(error)?;
    let mut rows = statement.raw_query();
    let mut read = Vec::new();
    while let Some(row) = rows.next().map_err(error)? {
        read.push(T::read(&mut Columns::of(row)).map_err(error)?);
    }
    Ok(read)
}

/// Runs a statement and returns how many rows it changed.
pub(super) fn change(conn: &Connection, sql: &str, values: &[Value]) -> Result<u64> {
    let mut statement = conn.prepare_cached(sql).map_err(error)?;
    bind(&mut statement, values).map_err(error)?;
    statement.raw_execute().map(|changed| changed as u64).map_err(error)
}

/// Binds the values of `$1`, `$2` …: SQLite takes these for names and counts them in the order in which they appear.
fn bind(statement: &mut Statement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for index in 1..=statement.parameter_count() {
        let number = statement.parameter_name(index).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let value = number.and_then(|number| values.get(number.checked_sub(1)?));
        statement.raw_bind_parameter(index, value.unwrap_or(&Value::Null))?;
    }
    Ok(())
}

/// Moves pages of the write-ahead log into the database without making the writer or a reader wait. Returns how many
/// pages of the log have been moved since it was begun anew.
pub(super) fn checkpoint(conn: &Connection) -> Result<i64> {
    let pages: Vec<(i64, i64, i64)> = rows(conn, "PRAGMA wal_checkpoint(PASSIVE)", &[])?;
    Ok(pages.first().map_or(0, |(_busy, _log, moved)| *moved))
}

/// What an error of the engine means to the product (sqlite.org/rescode.html).
pub(super) fn error(error: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(code, text) = &error else {
        return Error::Internal(format!("database: {error}"));
    };
    let text = text.clone().unwrap_or_else(|| code.to_string());
    match code.code {
        ffi::ErrorCode::DiskFull => Error::StorageFull,
        ffi::ErrorCode::SystemIoFailure | ffi::ErrorCode::ReadOnly => {
            tracing::error!(cause = %text, "the database cannot be written");
            Error::StorageFull
        }
        ffi::ErrorCode::DatabaseBusy | ffi::ErrorCode::DatabaseLocked => Error::Unavailable,
        ffi::ErrorCode::ConstraintViolation => match code.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                // The engine names the columns in its text alone, behind the last colon.
                Error::Unique(text.rsplit(": ").next().unwrap_or_default().to_owned())
            }
            _ => Error::Constraint(format!("database: {text}")),
        },
        _ => Error::Internal(format!("database: {text}")),
    }
}
