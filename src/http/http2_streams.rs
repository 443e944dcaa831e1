//! HTTP/2 streams: responses are sent in small pieces, and a stream whose client stops reading is reset, as an unread
//! HTTP/1.1 connection is closed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Instant, sleep_until};

/// Concurrent streams of one connection. A console page opens fewer.
pub(super) const MAX_STREAMS: u32 = 32;
/// Bytes of a response handed to a stream at once. An unread stream holds about this much.
pub(super) const PIECE: usize = 16 * 1024;
/// Bytes that a stream may buffer for sending.
pub(super) const SEND_BUFFER: usize = 64 * 1024;
/// Flow-control window in bytes, for a stream and for a connection.
pub(super) const WINDOW: u32 = 256 * 1024;
/// Pending resets by the client, and resets by the server for protocol errors; beyond these the connection is closed.
pub(super) const MAX_RESETS: usize = 20;

tokio::task_local! {
    static RESPONSE: Arc<SendState>;
}

/// How much of the response a stream was given. Only the stream's own task uses it.
#[derive(Default)]
struct SendState {
    pieces: AtomicU64,
    is_waiting: AtomicBool,
}

impl SendState {
    /// Another piece waits to be sent.
    fn piece_ready(&self) {
        self.pieces.fetch_add(1, Ordering::Relaxed);
        self.is_waiting.store(true, Ordering::Relaxed);
    }

    /// Everything was sent; the response body has not produced more yet.
    fn all_read(&self) {
        self.is_waiting.store(false, Ordering::Relaxed);
    }

    /// The number of the piece that waits to be sent.
    fn unread_piece(&self) -> Option<u64> {
        self.is_waiting.load(Ordering::Relaxed).then(|| self.pieces.load(Ordering::Relaxed))
    }
}

/// Whether the caller runs in a stream's own task.
pub(super) fn is_stream() -> bool {
    RESPONSE.try_with(|_| ()).is_ok()
}

/// Marks that a piece waits for the client. Outside a stream, the connection's own timeout applies.
pub(super) fn mark_unread_piece() {
    let _ = RESPONSE.try_with(|state| state.piece_ready());
}

/// Marks that the response body has not produced more yet.
pub(super) fn mark_all_read() {
    let _ = RESPONSE.try_with(|state| state.all_read());
}

/// Spawns the streams of a connection.
#[derive(Clone)]
pub(super) struct StreamExecutor {
    /// Timeout for the client to take the next piece.
    pub(super) unread: Duration,
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for StreamExecutor {
    fn execute(&self, stream: F) {
        tokio::spawn(reset_when_stalled(stream, self.unread));
    }
}

/// Runs a stream; drops and thereby resets it when a piece is not taken in time.
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
