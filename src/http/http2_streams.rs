//! Requests that share a connection (HTTP/2): each answer leaves in small pieces, and a stream whose client takes nothing of
//! its answer is reset, as a connection of HTTP/1.1 that nobody reads from is closed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Instant, sleep_until};

/// Streams of one connection at once. A browser's console page asks for less than that.
pub(super) const MAX_STREAMS: u32 = 32;
/// Bytes of an answer that are given to a stream at once. What a stream holds while its client reads nothing is about this.
pub(super) const PIECE: usize = 16 * 1024;
/// Bytes that a stream may have waiting to be written.
pub(super) const SEND_BUFFER: usize = 64 * 1024;
/// Bytes that a client may send on a stream, and on a connection, before they are read here.
pub(super) const WINDOW: u32 = 256 * 1024;
/// Streams reset by the client before they were looked at, and by us for its faults: beyond these the connection ends.
pub(super) const MAX_RESETS: usize = 20;

tokio::task_local! {
    static RESPONSE: Arc<SendState>;
}

/// What a stream was given of its answer. Only the stream's own task touches it.
#[derive(Default)]
struct SendState {
    pieces: AtomicU64,
    is_waiting: AtomicBool,
}

impl SendState {
    /// One more piece waits to be taken.
    fn piece_ready(&self) {
        self.pieces.fetch_add(1, Ordering::Relaxed);
        self.is_waiting.store(true, Ordering::Relaxed);
    }

    /// Everything was taken, and the answer itself is waited for.
    fn all_read(&self) {
        self.is_waiting.store(false, Ordering::Relaxed);
    }

    /// The number of the piece that waits to be taken.
    fn unread_piece(&self) -> Option<u64> {
        self.is_waiting.load(Ordering::Relaxed).then(|| self.pieces.load(Ordering::Relaxed))
    }
}

/// Is this called by a stream's own task?
pub(super) fn is_stream() -> bool {
    RESPONSE.try_with(|_| ()).is_ok()
}

/// A piece of the answer is there for the client to take. Elsewhere than on a stream the connection's own clock runs.
pub(super) fn mark_unread_piece() {
    let _ = RESPONSE.try_with(|state| state.piece_ready());
}

/// The answer itself is waited for.
pub(super) fn mark_all_read() {
    let _ = RESPONSE.try_with(|state| state.all_read());
}

/// Runs the streams of a connection.
#[derive(Clone)]
pub(super) struct StreamExecutor {
    /// For each next piece of an answer to be taken.
    pub(super) unread: Duration,
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for StreamExecutor {
    fn execute(&self, stream: F) {
        tokio::spawn(reset_when_stalled(stream, self.unread));
    }
}

/// Ends, and resets the stream by that, when a piece of its answer is not taken in time.
async fn reset_when_stalled(stream: impl Future, time: Duration) {
    let state = Arc::new(SendState::default());
    let mut stream = pin!(RESPONSE.scope(state.clone(), stream));
    let mut deadline = pin!(sleep_until(Instant::now()));
    let mut waits_for = 0;
    poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(piece) = state.unread_piece() else { return Poll::Pending };
        if piece != std::mem::replace(&mut waits_for, piece) {
            deadline.as_mut().reset(Instant::now() + time);
        }
        deadline.as_mut().poll(cx)
    })
    .await;
}
