//! Work that keeps a processor busy for long: pictures, passwords, compressing. It is done on threads of its own that step
//! back for all others, so that whoever chats meanwhile notices little of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// How far the threads step back, of 19 (nice(2)): beside one that does not, they get about a tenth of a processor.
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// One thread more than there are processors, begun with the first work: pictures take as many as there are processors
/// at most, so that a password never waits for a picture. Whoever gives work bounds how much of it waits.
static JOBS: LazyLock<Sender<Job>> = LazyLock::new(|| {
    let (sender, queue) = channel();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..=thread::available_parallelism().map_or(1, usize::from) {
        let queue = queue.clone();
        let spawned = thread::Builder::new().name("toil".into()).spawn(move || work_loop(&queue));
        if let Err(error) = spawned {
            tracing::error!(%error, "a thread for pictures and passwords cannot be begun");
        }
    }
    sender
});

fn work_loop(queue: &Mutex<Receiver<Job>>) {
    // Linux keeps this for each thread. Where it is refused, the work is only less polite.
    let _ = rustix::process::nice(NICENESS);
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job();
    }
}

/// Does `work` and gives what comes of it; nothing where it panicked. It goes on if the caller leaves.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move || {
        // A panic is told on the error output already, and ends this work alone.
        if let Ok(run) = catch_unwind(AssertUnwindSafe(work)) {
            // Nobody waits any more: then nobody is told.
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
    async fn work_that_panics_ends_itself_alone() {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..=threads {
            assert_eq!(run::<()>(|| panic!("on purpose")).await, None);
        }
        assert_eq!(run(|| 7).await, Some(7));
    }

    #[tokio::test]
    async fn its_threads_step_back_and_no_others_do() {
        let nice = || rustix::process::nice(0).expect("a number");
        let before = nice();
        assert_eq!(run(nice).await, Some((before + NICENESS).min(19)));
        assert_eq!(nice(), before);
    }
}
