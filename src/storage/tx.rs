//! A write transaction: everything in it happens, or nothing does.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::Record;
use super::cache::Cache;
use super::ids::Blocks;
use super::sqlite;
use super::value::Value;
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};

/// The callback of [`Store::on_commit`](super::Store::on_commit), once it is set.
pub(super) type OnCommit = Arc<Mutex<Option<Apply>>>;

/// Receives the outcome of a committed transaction.
pub(super) type Apply = Box<dyn Fn(Box<dyn Any + Send>) + Send>;

/// The writer connection and the transaction that runs on it. Closures get it from [`Store::write`](super::Store::write).
pub struct Tx {
    conn: Connection,
    clock: Clock,
    now: Millis,
    ids: Blocks,
    cache: Cache,
    /// The error of the first statement that failed: the transaction can only be rolled back.
    spoiled: Option<Error>,
    outcome: Option<Box<dyn Any + Send>>,
    on_commit: OnCommit,
}

impl Tx {
    pub(super) fn new(conn: Connection, clock: Clock, on_commit: OnCommit) -> Tx {
        Tx {
            conn,
            now: clock.now(),
            clock,
            ids: Blocks::default(),
            cache: Cache::default(),
            spoiled: None,
            outcome: None,
            on_commit,
        }
    }

    /// The time at which this transaction began.
    pub fn now(&self) -> Millis {
        self.now
    }

    pub(super) fn blocks(&mut self) -> &mut Blocks {
        &mut self.ids
    }

    /// The transaction cache's value of this type, as earlier transactions left it, or its default. The value itself knows
    /// whether it still matches the database; it is dropped when a transaction that may have changed it is undone.
    pub fn cache<T: Any + Send + Default>(&mut self) -> &mut T {
        self.cache.of()
    }

    /// The value that the callback of [`Store::on_commit`](super::Store::on_commit) receives once this transaction is durable:
    /// before its caller gets the result and before the next transaction begins, so in commit order.
    pub fn outcome<T: Any + Send + Default>(&mut self) -> &mut T {
        let outcome = self.outcome.get_or_insert_with(|| Box::<T>::default());
        outcome.downcast_mut().expect("all transactions of a program hand over one type")
    }

    /// At most one row, as this transaction sees it.
    ///
    /// # Errors
    /// When the database fails, now or earlier in this transaction.
    pub fn one<T: Record>(&mut self, sql: &'static str, values: impl AsRef<[Value]>) -> Result<Option<T>> {
        // All rows, because a statement that changes rows does so while they are read.
        Ok(self.all(sql, values)?.into_iter().next())
    }

    /// All rows, as this transaction sees them.
    ///
    /// # Errors
    /// As [`Self::one`].
    pub fn all<T: Record>(&mut self, sql: &'static str, values: impl AsRef<[Value]>) -> Result<Vec<T>> {
        self.attempt(|conn| sqlite::rows(conn, sql, values.as_ref()))
    }

    /// Changes rows and returns how many.
    ///
    /// # Errors
    /// As [`Self::one`]; `Unique` and `Constraint` where a constraint refuses the change.
    pub fn run(&mut self, sql: &'static str, values: impl AsRef<[Value]>) -> Result<u64> {
        self.attempt(|conn| sqlite::change(conn, sql, values.as_ref()))
    }

    /// Changes rows where the caller need not know how many. An error is returned by the next statement, at the latest by
    /// the commit.
    pub fn enqueue(&mut self, sql: &'static str, values: impl AsRef<[Value]>) {
        // SQLite answers at once, so nothing is gained by sending several statements together.
        let _ = self.run(sql, values);
    }

    fn attempt<T>(&mut self, act: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.spoiled {
            return Err(error.clone());
        }
        let result = act(&self.conn);
        self.spoiled = result.as_ref().err().cloned();
        result
    }

    /// Runs a body in a transaction and commits it. Any error undoes the transaction, whether it cannot begin, the body fails
    /// or panics, or the commit fails: nothing of it is left for the next one.
    pub(super) fn transact<T>(&mut self, body: &mut impl FnMut(&mut Tx) -> Result<T>) -> Result<T> {
        self.now = self.clock.now();
        let done = self.run("BEGIN IMMEDIATE", []).and_then(|_| self.run_body(body));
        let done = done.and_then(|value| self.commit().map(|()| value));
        if done.is_err() {
            self.undo();
        }
        done
    }

    fn run_body<T>(&mut self, body: &mut impl FnMut(&mut Tx) -> Result<T>) -> Result<T> {
        let done = catch_unwind(AssertUnwindSafe(|| body(self)));
        done.unwrap_or_else(|_| Err(Error::Internal("a transaction panicked; it was undone".into())))
    }

    fn commit(&mut self) -> Result<()> {
        self.run("COMMIT", [])?;
        self.ids.committed();
        if let Some(outcome) = self.outcome.take()
            && let Some(apply) = &*self.on_commit.lock().unwrap_or_else(PoisonError::into_inner)
        {
            apply(outcome);
        }
        Ok(())
    }

    fn undo(&mut self) {
        // Fails when there is nothing to undo: it did not begin, or the engine undid it already, as it does on a full disk.
        let _ = self.conn.execute_batch("ROLLBACK");
        self.ids.undone();
        self.cache.clear();
        self.outcome = None;
        self.spoiled = None;
    }

    /// Gives back the ids that were taken and not used, and closes the connection.
    pub(super) fn close(mut self) {
        let unused = self.ids.give_back();
        if !unused.is_empty() {
            // Ids that are not given back are skipped, as after a crash.
            let _ = self.transact(&mut |tx| unused.iter().try_for_each(|(sql, values)| tx.run(sql, values).map(drop)));
        }
        // Nothing is lost when this fails: what was acknowledged is in the write-ahead log already.
        let _ = self.conn.close();
    }
}
