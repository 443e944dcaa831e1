//! Writes that may be late and may be lost: gathered for a moment, folded, and written in one transaction.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use crate::error::Result;

/// How long writes are gathered: short enough for the eye, long enough to share one commit.
const GATHER: Duration = Duration::from_millis(80);
/// Writes that may wait; more are dropped.
const WAITING: usize = 20_000;

/// A queue of hints of type `T`. Adding never waits.
#[derive(Debug)]
pub struct Gathered<T>(mpsc::Sender<T>);

impl<T: Send + 'static> Gathered<T> {
    /// Spawns the task that folds what came within 80 ms into one `W` and writes it. `what` names it in the log.
    pub fn start<W, F>(what: &'static str, fold: fn(&mut W, T), write: impl Fn(W) -> F + Send + 'static) -> Gathered<T>
    where
        W: Default + Send + 'static,
        F: Future<Output = Result<()>> + Send,
    {
        let (sender, mut hints) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            while let Some(first) = hints.recv().await {
                tokio::time::sleep(GATHER).await;
                let mut wanted = W::default();
                fold(&mut wanted, first);
                while let Ok(hint) = hints.try_recv() {
                    fold(&mut wanted, hint);
                }
                // A panic over some hints must not end the writing of all.
                match AssertUnwindSafe(write(wanted)).catch_unwind().await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "{what} were not written; newer ones will be"),
                    Err(_) => tracing::error!("writing {what} panicked; newer ones will be written"),
                }
            }
        });
        Gathered(sender)
    }

    /// Adds a hint. A full queue drops it.
    pub fn add(&self, hint: T) {
        let _ = self.0.try_send(hint);
    }
}
