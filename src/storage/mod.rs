//! How things are kept: one SQLite database, one writer, readers beside it.
//!
//! Stores know SQL and nothing else does. Reads go through [`Store`], writes need a [`Tx`]. One SQL text with `$1`
//! placeholders and values bound through a short list serves this engine and the next.

mod backup;
mod dialect;
mod files;
mod gather;
mod ids;
mod lock;
mod memory;
mod migrate;
mod pieces;
mod trip;
mod tx;
mod value;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::SqlitePool;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};

pub use backup::{Contents, begin_new_life, inspect, pictures};
pub use dialect::{Term, all_of_any, is_constraint};
pub use files::Folder;
pub use gather::Gathered;
pub use ids::Kind;
pub use lock::{DataLock, LockError};
pub use migrate::{MIGRATIONS, Migration, newest_schema, snapshot};
pub use pieces::remove_in_pieces;
pub use trip::{Answers, Statement};
pub use tx::Tx;
pub use value::Value;

/// A row that a query can be read into.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin> Record for T {}

/// Statements of this folder, for the test that prepares them all.
pub const SQL: &[&[&str]] = &[ids::SQL, backup::SQL];

/// Read connections. Each keeps a page cache of about 2 MB; two cores cannot use more.
const READERS: u32 = 4;
/// The writer's page cache, in KiB as SQLite takes it. Messages of many conversations touch pages everywhere; those that are
/// not here are read from the log again for each message.
const WRITER_CACHE: &str = "-16000";
/// Pages in the write-ahead log at which SQLite itself checkpoints, 128 MB; our own checkpointer works below it.
const WAL_PAGES: u32 = 32_000;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    readers: SqlitePool,
    writer: Arc<tokio::sync::Mutex<tx::Writer>>,
    /// Made by the first checkpoint: beside the others, so that none of them waits for one.
    checkpointer: Arc<tokio::sync::Mutex<Option<SqliteConnection>>>,
    clock: Clock,
    path: Arc<PathBuf>,
    epoch: Arc<str>,
}

impl Store {
    /// Opens (or makes) the database in `folder`, snapshots it when a migration is due, and migrates.
    /// Fails when the library is too old to be safe, or the schema is newer than this program.
    pub async fn open(folder: &Folder, clock: Clock) -> Result<Store> {
        Store::open_at(folder, clock, MIGRATIONS).await
    }

    /// As [`Store::open`], at the schema of this list, which a test makes longer than it is.
    ///
    /// # Errors
    /// As [`Store::open`]; a migration that fails has changed nothing.
    pub async fn open_at(folder: &Folder, clock: Clock, migrations: &[Migration]) -> Result<Store> {
        let path = folder.database();
        let writer = connect_options(&path).pragma("cache_size", WRITER_CACHE);
        let mut conn = writer.connect().await.map_err(dialect::error)?;
        dialect::assert_version(&mut conn).await?;
        migrate::run(&mut conn, folder, migrations).await?;
        let epoch = migrate::epoch(&mut conn).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            // All at once: one that is still being opened when the server stops would touch the files after that.
            .min_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(connect_options(&path).read_only(true))
            .await
            .map_err(dialect::error)?;
        Ok(Store {
            readers,
            writer: Arc::new(tokio::sync::Mutex::new(tx::Writer::new(conn))),
            checkpointer: Arc::default(),
            clock,
            path: Arc::new(path),
            epoch: epoch.into(),
        })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names this life of the database; renewed by a restore, so that clients notice.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Now, by the store's clock.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The clock, for parts that keep time themselves.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// At most one row.
    pub async fn one<T: Record>(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>> {
        value::query_as(sql, values).fetch_optional(&self.readers).await.map_err(dialect::error)
    }

    /// All rows.
    pub async fn all<T: Record>(&self, sql: &'static str, values: impl IntoIterator<Item = Value>) -> Result<Vec<T>> {
        value::query_as(sql, values).fetch_all(&self.readers).await.map_err(dialect::error)
    }

    /// Begins a write. There is one writer: callers queue in order. Dropping the transaction undoes it.
    pub async fn begin(&self) -> Result<Tx> {
        Tx::begin(self.writer.clone(), self.clock.now()).await
    }

    /// Moves committed pages from the log into the database without blocking the writer.
    /// Returns the pages still waiting in the log.
    pub async fn checkpoint(&self) -> Result<i64> {
        let mut checkpointer = self.checkpointer.lock().await;
        let conn = match &mut *checkpointer {
            Some(conn) => conn,
            none => none.insert(connect_options(&self.path).connect().await.map_err(dialect::error)?),
        };
        dialect::checkpoint(conn).await
    }

    /// Asks the database to answer a trivial question: is it there?
    pub async fn ping(&self) -> Result<()> {
        self.one::<(i64,)>("SELECT 1", []).await.map(|_| ())
    }

    /// Writes a consistent copy of the database while it is in use.
    pub async fn copy_to(&self, target: &Path) -> Result<()> {
        let mut conn = connect_options(&self.path).read_only(true).connect().await.map_err(dialect::error)?;
        snapshot(&mut conn, target).await
    }

    /// Closes all connections; the last one folds the log into the database.
    pub async fn close(&self) {
        self.readers.close().await;
        if let Some(conn) = self.checkpointer.lock().await.take() {
            // What it leaves in the log, the writer folds in.
            let _ = conn.close().await;
        }
        self.writer.lock().await.close().await;
    }

    /// Checks a statement without running it. For the test that prepares every statement of the product.
    pub async fn prepare(&self, sql: &'static str) -> Result<()> {
        use sqlx::{Executor, SqlSafeStr};
        let mut conn = self.readers.acquire().await.map_err(dialect::error)?;
        conn.prepare(sql.into_sql_str()).await.map(|_| ()).map_err(dialect::error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        dialect::error(error)
    }
}

pub(crate) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(std::time::Duration::from_secs(5))
        .statement_cache_capacity(200)
        .pragma("cache_size", "-2000")
        .pragma("wal_autocheckpoint", WAL_PAGES.to_string())
        .pragma("journal_size_limit", "134217728")
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}
