//! Lingering close, so that clients see refusals. Closing a connection with unread bytes makes the system send a reset,
//! which destroys the response on its way (RFC 9112, section 9.6); many clients and proxies read no response before they
//! have sent the whole request; and libcurl drops the response of an HTTP/2 stream that is reset while it sends. Therefore
//! the rest of a request body is drained twice: before the response, and after the sending half was shut down. Both are
//! bounded in bytes and time.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

/// Longest delay of a response while its request body is drained, and longest wait for each part of the body.
const MAX_DELAY: Duration = Duration::from_secs(10);
/// See [`MAX_DELAY`].
const MAX_PART_WAIT: Duration = Duration::from_secs(1);

/// Bytes drained each time: more than the largest body of any route.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// A client that sends nothing for this long is not waited for.
const IDLE_TIME: Duration = Duration::from_secs(5);
/// Longest lingering close.
const MAX_TIME: Duration = Duration::from_secs(30);
/// Size of one read, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Drains the rest of a request body before the response. Returns false if a limit stopped it early. A client that sent
/// `Expect: 100-continue` is told to continue first: it may be a proxy that does not wait and is already sending (Caddy).
pub(super) async fn drain(mut body: Incoming) -> bool {
    let end = Instant::now() + MAX_DELAY;
    let mut left = MAX_BYTES;
    while left > 0 {
        let next =
            timeout_at(end.min(Instant::now() + MAX_PART_WAIT), poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)));
        match next.await {
            Ok(Some(Ok(frame))) => left = left.saturating_sub(frame.data_ref().map_or(0, bytes::Bytes::len)),
            Ok(None) => return true,
            Ok(Some(Err(_))) | Err(_) => return false,
        }
    }
    false
}

/// A connection whose sending half is shut down.
pub(super) struct LingeringClose {
    left: usize,
    end: Instant,
    due: Pin<Box<Sleep>>,
}

impl LingeringClose {
    pub(super) fn new() -> LingeringClose {
        let now = Instant::now();
        LingeringClose { left: MAX_BYTES, end: now + MAX_TIME, due: Box::pin(sleep_until(now + IDLE_TIME)) }
    }

    /// Reads and discards; ready when the client has closed its half or a limit is reached.
    pub(super) fn poll<S: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, stream: &mut S) -> Poll<()> {
        let mut dropped = [0; READ_BYTES];
        while self.left > 0 && Instant::now() < self.end {
            let mut into = ReadBuf::new(&mut dropped);
            let read: Poll<io::Result<()>> = Pin::new(&mut *stream).poll_read(cx, &mut into);
            match read {
                Poll::Ready(Ok(())) if !into.filled().is_empty() => {
                    self.left = self.left.saturating_sub(into.filled().len());
                    self.due.as_mut().reset(self.end.min(Instant::now() + IDLE_TIME));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    ready!(self.due.as_mut().poll(cx));
                    return Poll::Ready(());
                }
            }
        }
        Poll::Ready(())
    }
}
