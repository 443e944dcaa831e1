//! A write: everything in it happens, or nothing does.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Record;
use super::ids::Blocks;
use super::memory::Memory;
use super::trip::{Answers, Statement, Trip};
use super::value::Value;
use crate::clock::Millis;
use crate::error::{Error, Result};

/// The one connection that writes.
pub struct Writer {
    conn: Option<SqliteConnection>,
    /// A transaction may have been begun and was neither committed nor undone (its owner was dropped).
    open: bool,
    ids: Blocks,
    memory: Memory,
}

impl Writer {
    pub(super) fn new(conn: SqliteConnection) -> Writer {
        Writer { conn: Some(conn), open: false, ids: Blocks::default(), memory: Memory::default() }
    }

    pub(super) async fn close(&mut self) {
        self.give_ids_back().await;
        if let Some(conn) = self.conn.take() {
            // Nothing is lost when this fails: what was acknowledged is in the log already.
            let _ = conn.close().await;
        }
    }

    async fn give_ids_back(&mut self) {
        if self.clean_up().await.is_err() {
            return;
        }
        let unused = self.ids.give_back();
        if unused.is_empty() {
            return;
        }
        let mut trip = Trip::default();
        trip.add(Statement::new("BEGIN IMMEDIATE", []));
        unused.into_iter().for_each(|statement| trip.add(statement));
        trip.add(Statement::new("COMMIT", []));
        let count = trip.len();
        // What is not given back is skipped, as after a crash.
        let _ = self.run(trip, count).await;
    }

    fn conn(&mut self) -> Result<&mut SqliteConnection> {
        self.conn.as_mut().ok_or(Error::Unavailable)
    }

    /// Undoes what a transaction left that was dropped.
    async fn clean_up(&mut self) -> Result<()> {
        if self.open {
            // Fails when the engine undid it already, as it does on a full disk.
            let _ = self.conn()?.execute("ROLLBACK").await;
            self.ids.undone();
            self.memory.forget();
            self.open = false;
        }
        Ok(())
    }

    async fn run(&mut self, trip: Trip, wanted: usize) -> Result<Answers> {
        // Before the engine is asked: a caller that goes away while it answers leaves a transaction behind.
        self.open = true;
        trip.run(self.conn()?, wanted).await
    }

    fn committed(&mut self) {
        self.ids.committed();
        self.open = false;
    }
}

/// A transaction on the writer. Dropped without [`Tx::commit`], it is undone. A statement that fails spoils it: nothing
/// but undoing it is left.
pub struct Tx {
    writer: OwnedMutexGuard<Writer>,
    now: Millis,
    /// What goes to the engine with the next statement that somebody waits for; the beginning itself at first.
    waiting: Trip,
    spoiled: Option<Error>,
    keeps_memory: bool,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
}

impl Tx {
    pub(super) async fn begin(writer: Arc<Mutex<Writer>>, now: Millis) -> Result<Tx> {
        let mut writer = writer.lock_owned().await;
        writer.clean_up().await?;
        let mut waiting = Trip::default();
        waiting.add(Statement::new("BEGIN IMMEDIATE", []));
        Ok(Tx { writer, now, waiting, spoiled: None, keeps_memory: false, after_commit: Vec::new() })
    }

    /// The moment of this transaction.
    pub fn now(&self) -> Millis {
        self.now
    }

    pub(super) fn blocks(&mut self) -> &mut Blocks {
        &mut self.writer.ids
    }

    /// What the transaction before left here. Whoever changes it, or leaves rows behind that are otherwise than it says,
    /// says so by [`Tx::keep_memory`] or has it forgotten.
    pub fn memory<T: Any + Send + Default>(&mut self) -> &mut T {
        // A transaction that ends without a word may have changed it: then it is forgotten.
        self.writer.open = true;
        self.writer.memory.of()
    }

    /// What is in [`Tx::memory`] is right after this transaction, too. Without this word it is all forgotten at the end; and
    /// it is when the transaction is undone.
    pub fn keep_memory(&mut self) {
        self.keeps_memory = true;
    }

    /// At most one row, as this transaction sees it.
    pub async fn one<T: Record>(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    /// All rows, as this transaction sees them.
    pub async fn all<T: Record>(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>> {
        self.ask([Statement::new(sql, values)]).await?.rows()
    }

    /// Changes rows and says how many.
    pub async fn run(&mut self, sql: &'static str, values: impl IntoIterator<Item = Value>) -> Result<u64> {
        Ok(self.ask([Statement::new(sql, values)]).await?.changed())
    }

    /// Runs several statements in one trip to the engine.
    pub async fn ask(&mut self, statements: impl IntoIterator<Item = Statement>) -> Result<Answers> {
        if let Some(error) = &self.spoiled {
            return Err(error.clone());
        }
        let mut trip = std::mem::take(&mut self.waiting);
        let before = trip.len();
        statements.into_iter().for_each(|statement| trip.add(statement));
        let wanted = trip.len() - before;
        let answers = self.writer.run(trip, wanted).await;
        self.spoiled = answers.as_ref().err().cloned();
        answers
    }

    /// Changes rows in the trip of the next statement, at the latest in that of the commit, which is where it may fail.
    pub fn later(&mut self, sql: &'static str, values: impl IntoIterator<Item = Value>) {
        self.waiting.add(Statement::new(sql, values));
    }

    /// Runs `act` once this transaction is durable, before the next one can begin: so acts run in commit order.
    pub fn after_commit(&mut self, act: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(act));
    }

    /// Makes it durable. When this returns `Ok`, the change is on disk and synced.
    /// Runs to its end even if the caller is dropped meanwhile, so that a committed change is never left untold.
    pub async fn commit(self) -> Result<()> {
        Finishing(Some(Box::pin(self.finish()))).await
    }

    async fn finish(mut self) -> Result<()> {
        self.ask([Statement::new("COMMIT", [])]).await?;
        self.writer.committed();
        if !self.keeps_memory {
            self.writer.memory.forget();
        }
        for act in self.after_commit.drain(..) {
            act();
        }
        Ok(())
    }
}

/// A commit under way. Where its caller goes away, it goes on by itself.
struct Finishing(Option<Pin<Box<dyn Future<Output = Result<()>> + Send>>>);

impl Future for Finishing {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Finishing>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(commit) = &mut self.0 else { return Poll::Pending };
        let result = std::task::ready!(commit.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(result)
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        if let Some(commit) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            drop(runtime.spawn(commit));
        }
    }
}
