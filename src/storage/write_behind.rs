//! Write-behind: writes that may be late or lost are batched for a moment, merged, and written in one transaction.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use crate::error::Result;

/// Batching delay: too short to be noticed, long enough to share one commit.
const DELAY: Duration = Duration::from_millis(80);
/// Maximum queued writes; further ones are dropped.
const QUEUE_LENGTH: usize = 20_000;

/// A write-behind queue of `T`. Queueing never waits.
#[derive(Debug)]
pub struct WriteBehind<T>(mpsc::Sender<T>);

impl<T: Send + 'static> WriteBehind<T> {
    /// Spawns the task that merges the values of 80 ms into one `W` and writes it. `what` names it in log messages.
    pub fn start<W, F>(
        what: &'static str,
        fold: fn(&mut W, T),
        write: impl Fn(W) -> F + Send + 'static,
    ) -> WriteBehind<T>
    where
        W: Default + Send + 'static,
        F: Future<Output = Result<()>> + Send,
    {
        let (sender, mut hints) = mpsc::channel(QUEUE_LENGTH);
        tokio::spawn(async move {
            while let Some(first) = hints.recv().await {
                tokio::time::sleep(DELAY).await;
                let mut batch = W::default();
                fold(&mut batch, first);
                while let Ok(hint) = hints.try_recv() {
                    fold(&mut batch, hint);
                }
                // A panic over one batch must not end the task.
                match AssertUnwindSafe(write(batch)).catch_unwind().await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "{what} were not written; newer ones will be"),
                    Err(_) => tracing::error!("writing {what} panicked; newer ones will be written"),
                }
            }
        });
        WriteBehind(sender)
    }

    /// Queues a value. A full queue drops it.
    pub fn queue(&self, hint: T) {
        let _ = self.0.try_send(hint);
    }
}
