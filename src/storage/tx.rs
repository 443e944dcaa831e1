//! A write: everything in it happens, or nothing does.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::ids::Blocks;
use super::value::{self, Value};
use super::{Record, dialect};
use crate::clock::Millis;
use crate::error::{Error, Result};

/// The one connection that writes.
pub struct Writer {
    conn: Option<SqliteConnection>,
    /// A transaction may have been begun and was neither committed nor undone (its owner was dropped).
    open: bool,
    ids: Blocks,
}

impl Writer {
    pub(super) fn new(conn: SqliteConnection) -> Writer {
        Writer { conn: Some(conn), open: false, ids: Blocks::default() }
    }

    pub(super) async fn close(&mut self) {
        if let Some(conn) = self.conn.take() {
            // Nothing is lost when this fails: what was acknowledged is in the log already.
            let _ = conn.close().await;
        }
    }

    fn conn(&mut self) -> Result<&mut SqliteConnection> {
        self.conn.as_mut().ok_or(Error::Unavailable)
    }

    async fn begin(&mut self) -> Result<()> {
        if self.open {
            // Fails when the engine undid it already, as it does on a full disk.
            let _ = self.conn()?.execute("ROLLBACK").await;
            self.ids.undone();
            self.open = false;
        }
        // Before the engine is asked: a caller that goes away while it answers leaves a transaction behind.
        self.open = true;
        self.conn()?.execute("BEGIN IMMEDIATE").await.map_err(dialect::error)?;
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        self.conn()?.execute("COMMIT").await.map_err(dialect::error)?;
        self.ids.committed();
        self.open = false;
        Ok(())
    }
}

/// A transaction on the writer. Dropped without [`Tx::commit`], it is undone.
pub struct Tx {
    writer: OwnedMutexGuard<Writer>,
    now: Millis,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
}

impl Tx {
    pub(super) async fn begin(writer: Arc<Mutex<Writer>>, now: Millis) -> Result<Tx> {
        let mut writer = writer.lock_owned().await;
        writer.begin().await?;
        Ok(Tx { writer, now, after_commit: Vec::new() })
    }

    /// The moment of this transaction.
    pub fn now(&self) -> Millis {
        self.now
    }

    pub(super) fn blocks(&mut self) -> &mut Blocks {
        &mut self.writer.ids
    }

    /// At most one row, as this transaction sees it.
    pub async fn one<T: Record>(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>> {
        value::query_as(sql, values).fetch_optional(self.writer.conn()?).await.map_err(dialect::error)
    }

    /// All rows, as this transaction sees them.
    pub async fn all<T: Record>(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>> {
        value::query_as(sql, values).fetch_all(self.writer.conn()?).await.map_err(dialect::error)
    }

    /// Changes rows and says how many.
    pub async fn run(&mut self, sql: &'static str, values: impl IntoIterator<Item = Value>) -> Result<u64> {
        let done = value::query(sql, values).execute(self.writer.conn()?).await.map_err(dialect::error)?;
        Ok(done.rows_affected())
    }

    /// Runs `act` once this transaction is durable, before the next one can begin: so acts run in commit order.
    pub fn after_commit(&mut self, act: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(act));
    }

    /// Makes it durable. When this returns `Ok`, the change is on disk and synced.
    /// Runs to its end even if the caller is dropped meanwhile, so that a committed change is never left untold.
    pub async fn commit(self) -> Result<()> {
        tokio::spawn(self.finish()).await.map_err(|error| Error::Internal(error.to_string()))?
    }

    async fn finish(mut self) -> Result<()> {
        self.writer.commit().await?;
        for act in self.after_commit.drain(..) {
            act();
        }
        Ok(())
    }
}
