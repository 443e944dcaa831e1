//! Thread pool for CPU-heavy work: images, passwords, compression. Its threads run at a lower priority, so that chat
//! stays responsive meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// Nice value of the threads (nice(2), up to 19): beside a thread at 0, they get about a tenth of a core.
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// One thread more than there are cores, started on first use. Images use at most one thread a core, so that a password
/// never waits for an image. The queue is unbounded: callers limit what they enqueue.
static JOBS: LazyLock<Sender<Job>> = LazyLock::new(|| {
    let (sender, queue) = channel();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..=thread::available_parallelism().map_or(1, usize::from) {
        let queue = queue.clone();
        let spawned = thread::Builder::new().name("cpu-pool".into()).spawn(move || work_loop(&queue));
        if let Err(error) = spawned {
            tracing::error!(%error, "a thread of the CPU pool could not be started");
        }
    }
    sender
});

fn work_loop(queue: &Mutex<Receiver<Job>>) {
    // Linux sets this for each thread. If refused, the work runs at normal priority.
    let _ = rustix::process::nice(NICENESS);
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job();
    }
}

/// Runs `work` on the pool and returns its result, or `None` if it panicked. The work continues if the caller is
/// dropped.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move || {
        // The panic hook has already printed a panic; it ends this job only.
        if let Ok(run) = catch_unwind(AssertUnwindSafe(work)) {
            // The caller may be gone.
            let _ = answer.send(run);
        }
    });
    JOBS.send(job).ok()?;
    answered.await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_only_its_own_job() {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..=threads {
            assert_eq!(run::<()>(|| panic!("on purpose")).await, None);
        }
        assert_eq!(run(|| 7).await, Some(7));
    }

    #[tokio::test]
    async fn only_pool_threads_run_at_lower_priority() {
        let nice = || rustix::process::nice(0).expect("a number");
        let before = nice();
        assert_eq!(run(nice).await, Some((before + NICENESS).min(19)));
        assert_eq!(nice(), before);
    }
}
