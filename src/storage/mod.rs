//! Storage: one SQLite database with one writer thread and several reader threads.
//!
//! Only `store.rs` files and this folder contain SQL. [`Store::write`] runs a closure in one transaction, [`Store::read`] runs
//! one on a snapshot, and [`Store::one`] and [`Store::all`] run a single statement. The closures are not async: each owns its
//! inputs, runs whole on a storage thread, and may be run again. Statements use `$1` placeholders.

mod backup;
mod cache;
mod dialect;
mod files;
mod write_behind;
mod ids;
mod lock;
mod migrate;
mod pieces;
mod record;
mod sqlite;
mod threads;
mod tx;
mod value;

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use threads::Threads;
use tx::{Apply, OnCommit};

pub use backup::{Contents, begin_new_life, inspect, pictures};
pub use dialect::{Term, all_of_any};
pub use files::Folder;
pub use ids::Kind;
pub use lock::{DataLock, LockError};
pub use migrate::{MIGRATIONS, Migration, newest_schema};
pub use pieces::remove_in_pieces;
pub use record::{Column, Columns, Record};
pub use threads::Reader;
pub use tx::Tx;
pub use value::Value;
pub use write_behind::WriteBehind;

/// Statements of this folder, for the test that prepares them all.
pub const SQL: &[&[&str]] = &[ids::SQL, backup::SQL];

/// Interval between the checkpoints of long background work. In it a purge writes some 20 MB to the write-ahead log.
const PIECES_CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// Most repeats of such a checkpoint while messages are written: one of them falls between two messages.
const MAX_CHECKPOINT_REPEATS: usize = 8;

/// Reader threads. Each has a page cache of about 2 MB.
const READERS: usize = 4;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    readers: Threads<Reader>,
    writer: Threads<Tx>,
    /// Opened by the first checkpoint. A connection of its own, so that neither the writer nor a reader waits for a checkpoint.
    checkpointer: Arc<Mutex<Option<Connection>>>,
    /// When [`Store::checkpoint_between_pieces`] last ran a checkpoint.
    pieces_checkpoint_at: Arc<Mutex<Instant>>,
    on_commit: OnCommit,
    clock: Clock,
    path: Arc<PathBuf>,
    epoch: Arc<str>,
}

impl Store {
    /// Opens (or makes) the database in `folder`, copies it when a migration is due, and migrates.
    ///
    /// # Errors
    /// When the SQLite library is too old to be safe, or the schema is newer than this program.
    pub async fn open(folder: &Folder, clock: Clock) -> Result<Store> {
        Store::open_at(folder, clock, MIGRATIONS).await
    }

    /// As [`Store::open`], at the schema of this list, which a test makes longer than it is.
    ///
    /// # Errors
    /// As [`Store::open`]; a migration that fails has changed nothing.
    pub async fn open_at(folder: &Folder, clock: Clock, migrations: &[Migration]) -> Result<Store> {
        let (folder, migrations) = (folder.clone(), migrations.to_vec());
        blocking(move || Store::connect(&folder, clock, &migrations)).await
    }

    fn connect(folder: &Folder, clock: Clock, migrations: &[Migration]) -> Result<Store> {
        sqlite::check_version()?;
        let path = folder.database();
        let mut conn = sqlite::open(&path)?;
        conn.pragma_update(None, "cache_size", sqlite::WRITER_CACHE).map_err(sqlite::error)?;
        migrate::run(&mut conn, folder, migrations)?;
        let epoch = migrate::epoch(&conn)?;
        let on_commit = OnCommit::default();
        let writer = Tx::new(conn, clock.clone(), on_commit.clone());
        let readers =
            (0..READERS).map(|_| sqlite::open_read_only(&path).map(Reader::new)).collect::<Result<Vec<_>>>()?;
        Ok(Store {
            readers: Threads::start("ocs-reader", readers, Reader::close)?,
            writer: Threads::start("ocs-writer", vec![writer], Tx::close)?,
            checkpointer: Arc::default(),
            pieces_checkpoint_at: Arc::new(Mutex::new(Instant::now())),
            on_commit,
            clock,
            path: Arc::new(path),
            epoch: epoch.into(),
        })
    }

    /// Sets the callback that receives what transactions leave in [`Tx::outcome`]. It runs on the writer thread after each
    /// commit, so it must not block. [`Store::close`] drops it, because it usually holds a clone of the store.
    pub fn on_commit<T: Any + Send>(&self, apply: impl Fn(T) + Send + 'static) {
        let apply: Apply = Box::new(move |outcome| {
            if let Ok(outcome) = outcome.downcast::<T>() {
                apply(*outcome);
            }
        });
        *self.on_commit.lock().unwrap_or_else(PoisonError::into_inner) = Some(apply);
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

    /// Runs `body` in a write transaction and commits it. When this returns `Ok`, the change is on disk and synced. There is
    /// one writer: callers queue in order. The body runs to its end, and is committed, even if the caller goes away.
    ///
    /// # Errors
    /// What the body returns: nothing is changed then. `StorageFull`, `Unavailable`.
    pub async fn write<T: Send + 'static>(
        &self,
        mut body: impl FnMut(&mut Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.run(move |tx| tx.transact(&mut body)).await
    }

    /// Runs `body` on a snapshot: all of its statements see the same state, whatever is committed meanwhile.
    ///
    /// # Errors
    /// What the body returns; `Unavailable`.
    pub async fn read<T: Send + 'static>(
        &self,
        mut body: impl FnMut(&mut Reader) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.readers.run(move |reader| reader.snapshot(&mut body)).await
    }

    /// At most one row of a single statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn one<T: Record>(
        &self,
        sql: &'static str,
        values: impl AsRef<[Value]> + Send + 'static,
    ) -> Result<Option<T>> {
        self.readers.run(move |reader| reader.one(sql, values)).await
    }

    /// All rows of a single statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all<T: Record>(
        &self,
        sql: &'static str,
        values: impl AsRef<[Value]> + Send + 'static,
    ) -> Result<Vec<T>> {
        self.readers.run(move |reader| reader.all(sql, values)).await
    }

    /// Moves committed pages from the write-ahead log into the database without blocking the writer.
    /// Returns how many pages of the log have been moved since it was begun anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checkpoint(&self) -> Result<i64> {
        let (checkpointer, path) = (self.checkpointer.clone(), self.path.clone());
        blocking(move || {
            // A panic while the lock was held leaves the connection usable.
            let mut checkpointer = checkpointer.lock().unwrap_or_else(PoisonError::into_inner);
            let conn = match &mut *checkpointer {
                Some(conn) => conn,
                none => none.insert(sqlite::open(&path)?),
            };
            sqlite::checkpoint(conn)
        })
        .await
    }

    /// A checkpoint, if the last one of this kind is a second ago. Long background work waits for it between two pieces.
    ///
    /// SQLite starts the log anew only when a checkpoint has moved all of it, which it never has while pieces are written
    /// meanwhile. The log then grows to its limit, where each commit runs a checkpoint itself: a message that waits for this
    /// commit waits for two syncs and a thousand pages more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checkpoint_between_pieces(&self) -> Result<()> {
        {
            let mut at = self.pieces_checkpoint_at.lock().unwrap_or_else(PoisonError::into_inner);
            if at.elapsed() < PIECES_CHECKPOINT_INTERVAL {
                return Ok(());
            }
            *at = Instant::now();
        }
        let mut moved = self.checkpoint().await?;
        for _ in 0..MAX_CHECKPOINT_REPEATS {
            // Moves what messages wrote meanwhile, which is little.
            let now = self.checkpoint().await?;
            if now == moved {
                break;
            }
            moved = now;
        }
        Ok(())
    }

    /// Asks the database to answer a trivial question: is it there?
    ///
    /// # Errors
    /// When it is not.
    pub async fn ping(&self) -> Result<()> {
        self.one::<(i64,)>("SELECT 1", []).await.map(drop)
    }

    /// Writes a consistent copy of the database while it is in use.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub async fn copy_to(&self, target: &Path) -> Result<()> {
        let (path, target) = (self.path.clone(), target.to_owned());
        blocking(move || migrate::copy_to(&sqlite::open_read_only(&path)?, &target)).await
    }

    /// Closes all connections after what is queued; the last one moves the write-ahead log into the database.
    pub async fn close(&self) {
        self.readers.close().await;
        let checkpointer = self.checkpointer.clone();
        // What it leaves in the log, the writer moves.
        let _ = blocking(move || {
            drop(checkpointer.lock().unwrap_or_else(PoisonError::into_inner).take());
            Ok(())
        })
        .await;
        self.writer.close().await;
        drop(self.on_commit.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Checks a statement without running it. For the test that prepares every statement of the product.
    ///
    /// # Errors
    /// When the engine refuses it.
    pub async fn prepare(&self, sql: &'static str) -> Result<()> {
        self.readers.run(move |reader| reader.prepare(sql)).await
    }
}

/// Runs blocking file work on the runtime's blocking threads.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(act).await;
    done.map_err(|_| Error::Internal("a piece of storage work panicked".into()))?
}
