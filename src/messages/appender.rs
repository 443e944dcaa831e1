//! The hot path: messages that wait share one commit.
//!
//! One message a commit gives some 2,000 a second on a plain disk; sharing the commit gives tens of thousands, at the
//! same promise: the answer leaves after the sync.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::storage::Store;

use super::queue::Queue;
use super::{Message, Outgoing, Target, batch};

/// Sends in one commit. More wait for the next, which keeps a commit short.
const BATCH: usize = 256;

type Answer = Result<Vec<Arc<Message>>>;

struct Job {
    outgoing: Outgoing,
    answer: oneshot::Sender<Answer>,
}

/// Takes messages and stores them in shared commits.
#[derive(Clone)]
pub struct Appender {
    jobs: Arc<Jobs>,
    done: Arc<Done>,
}

/// The senders' end of the queue: when the last one is gone, the task that appends ends.
struct Jobs(Arc<Queue<Job>>);

impl Drop for Jobs {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What was done since the start.
#[derive(Default)]
struct Done {
    messages: AtomicU64,
    commits: AtomicU64,
}

impl Appender {
    /// Starts the one task that appends.
    pub fn start(store: Store) -> Appender {
        let (queue, done) = (Arc::new(Queue::new()), Arc::<Done>::default());
        tokio::spawn(run(store, queue.clone(), done.clone()));
        Appender { jobs: Arc::new(Jobs(queue)), done }
    }

    /// Stores messages; answers once they are durable, or refused.
    pub async fn append(&self, outgoing: Outgoing) -> Answer {
        let (answer, answered) = oneshot::channel();
        if !self.jobs.0.push(outgoing.site, Job { outgoing, answer }) {
            return Err(Error::Unavailable);
        }
        answered.await.map_err(|_| Error::Unavailable)?
    }

    /// Sends stored since the start.
    pub fn stored(&self) -> u64 {
        self.done.messages.load(Ordering::Relaxed)
    }

    /// Batches committed since the start.
    pub fn commits(&self) -> u64 {
        self.done.commits.load(Ordering::Relaxed)
    }
}

async fn run(store: Store, queue: Arc<Queue<Job>>, done: Arc<Done>) {
    loop {
        let waiting = queue.next(BATCH).await;
        if waiting.is_empty() {
            return;
        }
        let (outgoing, answers): (Vec<_>, Vec<_>) = waiting.into_iter().map(|job| (job.outgoing, job.answer)).unzip();
        let results = append_all(&store, outgoing).await;
        let stored = results.iter().filter(|result| result.is_ok()).count();
        done.messages.fetch_add(stored as u64, Ordering::Relaxed);
        done.commits.fetch_add(1, Ordering::Relaxed);
        for (answer, result) in answers.into_iter().zip(results) {
            // The sender is gone: its message is stored, and its next try will be told so.
            let _ = answer.send(result);
        }
    }
}

/// Appends in one commit; where one message spoils the batch, each gets a commit of its own.
async fn append_all(store: &Store, outgoing: Vec<Outgoing>) -> Vec<Answer> {
    let outgoing: Arc<[Outgoing]> = outgoing.into();
    match batch::append(store, outgoing.clone()).await {
        Ok(answers) => answers,
        Err(error @ (Error::StorageFull | Error::Unavailable)) => outgoing.iter().map(|_| Err(error.clone())).collect(),
        Err(error) if outgoing.len() == 1 => vec![Err(explain(&outgoing[0], error))],
        Err(_) => {
            let mut answers = Vec::with_capacity(outgoing.len());
            for one in outgoing.iter() {
                let result = batch::append(store, Arc::new([one.clone()])).await;
                answers.push(match result {
                    Ok(mut answer) => answer.pop().unwrap_or(Err(Error::Unavailable)),
                    Err(error) => Err(explain(one, error)),
                });
            }
            answers
        }
    }
}

/// A visitor that was merged or removed meanwhile must start anew.
fn explain(outgoing: &Outgoing, error: Error) -> Error {
    let gone =
        matches!(error, Error::Unique(_) | Error::Constraint(_)) && matches!(outgoing.target, Target::Thread { .. });
    if gone { Error::InvalidToken } else { error }
}
