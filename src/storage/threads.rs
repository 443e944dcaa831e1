//! Storage threads: one writer and several readers. Each owns a connection, runs whole closures, and wakes each caller once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{Error, Result};

use super::value::Value;
use super::{Record, sqlite};

/// What a thread that owns an `S` is asked to do.
enum Job<S> {
    Run(Box<dyn FnOnce(&mut S) + Send>),
    /// Answers when the thread has closed its connection.
    Close(oneshot::Sender<()>),
}

/// Threads of one kind, which take jobs from one queue in order. Cheap to clone.
pub(super) struct Threads<S> {
    jobs: Sender<Job<S>>,
    count: usize,
}

impl<S> Clone for Threads<S> {
    fn clone(&self) -> Threads<S> {
        Threads { jobs: self.jobs.clone(), count: self.count }
    }
}

impl<S: Send + 'static> Threads<S> {
    /// Starts a thread for each of `owned`; `close` is the last thing that each does.
    ///
    /// # Errors
    /// When the system allows no more threads.
    pub(super) fn start(name: &str, owned: Vec<S>, close: fn(S)) -> Result<Threads<S>> {
        let (jobs, queue) = unbounded();
        let count = owned.len();
        for one in owned {
            let queue = queue.clone();
            let started = thread::Builder::new().name(name.to_owned()).spawn(move || work(one, &queue, close));
            started.map_err(|error| Error::Internal(format!("a storage thread could not be started: {error}")))?;
        }
        Ok(Threads { jobs, count })
    }

    /// Runs `act` on one of the threads. Once begun it runs to its end even if the caller is dropped; if the caller was dropped
    /// before, it is skipped.
    ///
    /// # Errors
    /// What `act` returns; `Unavailable` when the threads have ended.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut S) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job = move |owned: &mut S| {
            if !answer.is_closed() {
                // The caller may be gone by now.
                let _ = answer.send(act(owned));
            }
        };
        self.jobs.send(Job::Run(Box::new(job))).map_err(|_| Error::Unavailable)?;
        answered.await.map_err(|_| Error::Unavailable)?
    }

    /// Ends the threads after the queued jobs. Returns when all connections are closed.
    pub(super) async fn close(&self) {
        let closing: Vec<_> = (0..self.count)
            .filter_map(|_| {
                let (closed, waiting) = oneshot::channel();
                self.jobs.send(Job::Close(closed)).ok().map(|()| waiting)
            })
            .collect();
        for one in closing {
            // An error means that the thread has ended already.
            let _ = one.await;
        }
    }
}

fn work<S>(mut owned: S, queue: &Receiver<Job<S>>, close: fn(S)) {
    while let Ok(job) = queue.recv() {
        match job {
            // A panic must not end a thread that all callers share. This caller gets `Unavailable`.
            Job::Run(act) => drop(catch_unwind(AssertUnwindSafe(|| act(&mut owned)))),
            Job::Close(closed) => {
                close(owned);
                let _ = closed.send(());
                return;
            }
        }
    }
    close(owned);
}

/// A connection that reads. Bodies get it from [`Store::read`](super::Store::read).
pub struct Reader(Connection);

impl Reader {
    pub(super) fn new(conn: Connection) -> Reader {
        Reader(conn)
    }

    pub(super) fn close(self) {
        // Nothing was written.
        let _ = self.0.close();
    }

    /// At most one row.
    ///
    /// # Errors
    /// When the database fails.
    pub fn one<T: Record>(&mut self, sql: &'static str, values: impl AsRef<[Value]>) -> Result<Option<T>> {
        Ok(self.all(sql, values)?.into_iter().next())
    }

    /// All rows.
    ///
    /// # Errors
    /// When the database fails.
    pub fn all<T: Record>(&mut self, sql: &'static str, values: impl AsRef<[Value]>) -> Result<Vec<T>> {
        sqlite::rows(&self.0, sql, values.as_ref())
    }

    /// Runs a body that sees one state of the database, whatever is committed meanwhile.
    pub(super) fn snapshot<T>(&mut self, body: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        sqlite::change(&self.0, "BEGIN", &[])?;
        let result = catch_unwind(AssertUnwindSafe(|| body(self)));
        // There is nothing to undo; it ends the snapshot.
        let _ = sqlite::change(&self.0, "ROLLBACK", &[]);
        result.unwrap_or_else(|_| Err(Error::Internal("a read panicked".into())))
    }

    pub(super) fn prepare(&mut self, sql: &str) -> Result<()> {
        self.0.prepare(sql).map(drop).map_err(sqlite::error)
    }
}
