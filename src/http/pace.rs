//! The pace that a connection must keep: a head in time, no long silence, a body in time, answers that are read. Each
//! of these is on for every connection, also for one that never says a word.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Response, StatusCode, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::places::Place;

/// A peer that takes nothing of an answer for this long has gone away.
const UNREAD: Duration = Duration::from_secs(30);

/// How long each part of a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// From the first byte of a head (of the first one: from the connection) to its last.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// From a body's begin to its end.
    pub body: Duration,
}

/// What a connection is at, as its requests know it.
#[derive(Clone, Default)]
pub(super) struct Pace(Arc<Known>);

#[derive(Default)]
struct Known {
    /// Requests since its begin.
    begun: AtomicUsize,
    /// Those of them that are over, answer and all.
    done: AtomicUsize,
    /// HTTP/2: single heads cannot be told apart here, only silence.
    multiplexed: AtomicBool,
    /// It speaks another protocol now, which keeps time itself.
    upgraded: AtomicBool,
    /// Who reads: the wait for the next request begins with the last answer's end, of which no byte tells.
    reader: AtomicWaker,
}

impl Pace {
    /// A request begins; it lasts until what is answered here is gone, with the answer's last byte.
    pub(super) fn begin(&self, version: Version) -> UnderWay {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        if version == Version::HTTP_2 {
            self.0.multiplexed.store(true, Ordering::Relaxed);
        }
        UnderWay(self.clone())
    }

    fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Relaxed)
    }

    fn is_upgraded(&self) -> bool {
        self.0.upgraded.load(Ordering::Relaxed)
    }

    fn is_busy(&self) -> bool {
        self.begun() > self.0.done.load(Ordering::Relaxed) || self.is_upgraded()
    }
}

/// A request that is being answered.
pub(super) struct UnderWay(Pace);

impl UnderWay {
    /// Holds the request as under way until its answer has left.
    pub(super) fn until_sent<B>(self, response: Response<B>) -> Response<Answer<B>> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.0.0.upgraded.store(true, Ordering::Relaxed);
        }
        response.map(|body| Answer { body, _under_way: self })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.done.fetch_add(1, Ordering::Relaxed);
        self.0.0.reader.wake();
    }
}

/// An answer's body, and its request under way.
pub(super) struct Answer<B> {
    body: B,
    _under_way: UnderWay,
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body took too long")]
pub struct TooSlow;

/// A request's body, which must be whole in time. The clock starts when it is asked for.
pub(super) struct Timely {
    body: Incoming,
    time: Duration,
    due: Option<Pin<Box<Sleep>>>,
}

impl Timely {
    pub(super) fn new(body: Incoming, time: Duration) -> Timely {
        Timely { body, time, due: None }
    }
}

impl Body for Timely {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let time = self.time;
        if self.due.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(TooSlow.into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What the connection waits for, as its bytes show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A head that has begun.
    Head,
    /// Nothing in particular: requests are under way, or another protocol is spoken.
    Busy,
    /// The next request.
    Idle,
}

/// A connection's bytes. Reading or writing fails once the other side is too slow. A WebSocket takes them along, and with
/// them the connection's place.
pub(super) struct Paced<S> {
    stream: S,
    _place: Place,
    pace: Pace,
    times: Times,
    phase: Phase,
    /// Requests that had begun at the last look: one may begin and end between two.
    begun: usize,
    /// When that takes too long; none once another protocol is spoken. A timer that waits holds on to the task that set
    /// it, which here is the whole of HTTP.
    due: Option<Pin<Box<Sleep>>>,
    unread: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, place: Place, pace: Pace, times: Times) -> Paced<S> {
        Paced {
            stream,
            _place: place,
            pace,
            times,
            phase: Phase::Head,
            begun: 0,
            due: Some(Box::pin(sleep(times.head))),
            unread: None,
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        let time = if phase == Phase::Head { self.times.head } else { self.times.idle };
        if let Some(due) = &mut self.due {
            due.as_mut().reset(Instant::now() + time);
        }
    }

    /// An answer whose last bytes still leave is under way, too.
    fn look(&mut self) {
        let more = self.pace.begun() != std::mem::replace(&mut self.begun, self.pace.begun());
        if self.pace.is_upgraded() {
            (self.phase, self.due) = (Phase::Busy, None);
        } else if self.unread.is_some() || self.pace.is_busy() {
            self.phase = Phase::Busy;
        } else if more || self.phase == Phase::Busy {
            self.enter(Phase::Idle);
        }
    }

    /// What came of writing: progress starts the clock anew, waiting lets it run.
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        ready!(self.unread.get_or_insert_with(|| Box::pin(sleep(UNREAD))).as_mut().poll(cx));
        Poll::Ready(Err(too_slow("an answer was not read")))
    }
}

fn too_slow(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.look();
        let before = into.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, into) {
            let more = into.filled().len() > before;
            if more && self.phase == Phase::Idle && !self.pace.0.multiplexed.load(Ordering::Relaxed) {
                self.enter(Phase::Head);
            }
            return Poll::Ready(read);
        }
        if self.phase == Phase::Busy {
            self.pace.0.reader.register(cx.waker());
            // It may have ended meanwhile.
            self.look();
            if self.phase == Phase::Busy {
                return Poll::Pending;
            }
        }
        let Some(due) = &mut self.due else { return Poll::Pending };
        ready!(due.as_mut().poll(cx));
        Poll::Ready(Err(too_slow("no request came in time")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, shut)
    }
}
