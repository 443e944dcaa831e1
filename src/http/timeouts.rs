//! Connection timeouts: request head, idle keep-alive, request body, unread responses. They apply to every connection,
//! including one that never sends a byte.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::{Response, StatusCode, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::connection_limits::{ConnectionPermit, RequestLimit, RequestPermit};
use super::http2_streams;
use super::lingering_close::LingeringClose;

/// A client that reads nothing of a response for this long is gone.
pub const UNREAD_RESPONSE_TIME: Duration = Duration::from_secs(30);
/// Requests that a connection may cancel before they are answered, if those are most of its requests.
const MAX_CANCELLED: usize = 100;
/// Refusals (401, 413, 429) on one connection that are sent without delay. A page whose session has ended makes a
/// handful of such requests.
const UNDELAYED_REFUSALS: usize = 20;
/// Delay of each further refusal: a client that never pauses costs at most 20 refusals a second on a connection.
const REFUSAL_DELAY: Duration = Duration::from_millis(50);

/// Timeouts of each part of a request.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the first byte of a head to its last; for the first head, from the connection's start.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// From a body's start to its end.
    pub body: Duration,
    /// Grace period after which the body must have averaged [`MIN_BODY_RATE`].
    pub grace: Duration,
    /// For the client to read the next piece of a response.
    pub unread: Duration,
}

/// State of a connection, shared with its requests.
#[derive(Clone, Default)]
pub(super) struct ConnectionState(Arc<Counters>);

#[derive(Default)]
struct Counters {
    /// Requests started.
    started: AtomicUsize,
    /// Requests finished, with their responses sent.
    done: AtomicUsize,
    /// HTTP/2: heads are not visible here, only idleness.
    multiplexed: AtomicBool,
    /// Upgraded to another protocol, which has its own timeouts.
    upgraded: AtomicBool,
    /// Requests cancelled before they were answered.
    cancelled: AtomicUsize,
    /// Requests refused.
    refused: AtomicUsize,
    /// A request was answered before its body was read.
    unread: AtomicBool,
    /// Wakes the reader: the idle timeout starts when the last response is sent, an event that no byte announces.
    read_waker: AtomicWaker,
}

impl ConnectionState {
    /// Starts a request. It is in flight until the returned guard is dropped, with the response's last byte. `None`
    /// when its network has too many requests in flight.
    pub(super) fn start_request(&self, version: Version, limit: &RequestLimit) -> Option<InFlight> {
        // The first request uses the connection's own permit.
        let permit =
            if self.started() > self.0.done.load(Ordering::Relaxed) { Some(limit.try_acquire()?) } else { None };
        self.0.started.fetch_add(1, Ordering::Relaxed);
        if version == Version::HTTP_2 {
            self.0.multiplexed.store(true, Ordering::Relaxed);
        }
        Some(InFlight { state: self.clone(), is_answered: false, _permit: permit })
    }

    /// Counts refusals. Returns the delay of this response: none, unless it is a refusal after [`UNDELAYED_REFUSALS`]
    /// others. Only refusals are delayed: people behind one proxy share its connections, and a successful response must
    /// not wait because of a stranger.
    pub(super) fn refusal_delay(&self, status: StatusCode) -> Option<Sleep> {
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS) {
            return None;
        }
        let before = self.0.refused.fetch_add(1, Ordering::Relaxed);
        (before >= UNDELAYED_REFUSALS).then(|| sleep(REFUSAL_DELAY))
    }

    /// Marks that a request was answered before its body was read, so that the connection lingers on close.
    pub(super) fn mark_unread(&self) {
        self.0.unread.store(true, Ordering::Relaxed);
    }

    fn started(&self) -> usize {
        self.0.started.load(Ordering::Relaxed)
    }

    fn is_upgraded(&self) -> bool {
        self.0.upgraded.load(Ordering::Relaxed)
    }

    /// Detects rapid-reset abuse (CVE-2023-44487).
    fn is_rapid_reset(&self) -> bool {
        let cancelled = self.0.cancelled.load(Ordering::Relaxed);
        cancelled > MAX_CANCELLED && cancelled > self.started() / 2
    }

    fn is_busy(&self) -> bool {
        self.started() > self.0.done.load(Ordering::Relaxed) || self.is_upgraded()
    }
}

/// A request in flight; finished on drop.
pub(super) struct InFlight {
    state: ConnectionState,
    is_answered: bool,
    _permit: Option<RequestPermit>,
}

impl InFlight {
    /// Keeps the request in flight until its response is sent.
    pub(super) fn hold_until_sent(mut self, response: Response<Body>) -> Response<ResponseBody> {
        self.is_answered = true;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.state.0.upgraded.store(true, Ordering::Relaxed);
        }
        response.map(|body| ResponseBody { body, rest: Bytes::new(), _in_flight: Some(self) })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.state.0.done.fetch_add(1, Ordering::Relaxed);
        self.state.0.cancelled.fetch_add(usize::from(!self.is_answered), Ordering::Relaxed);
        self.state.0.read_waker.wake();
    }
}

/// A response body that keeps its request in flight.
pub(super) struct ResponseBody {
    body: Body,
    /// The rest of a frame that is sent in pieces.
    rest: Bytes,
    _in_flight: Option<InFlight>,
}

impl ResponseBody {
    /// A short refusal of a request that is not counted.
    pub(super) fn uncounted(body: Body) -> ResponseBody {
        ResponseBody { body, rest: Bytes::new(), _in_flight: None }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let next = Pin::new(&mut self.body).poll_frame(cx);
            if next.is_ready() {
                http2_streams::mark_unread_piece();
            } else {
                http2_streams::mark_all_read();
            }
            match ready!(next).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        } else {
            http2_streams::mark_unread_piece();
        }
        let most = if http2_streams::is_stream() { http2_streams::PIECE } else { usize::MAX };
        let size = self.rest.len().min(most);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        match hint.exact() {
            Some(exact) => hint.set_exact(exact + rest),
            None => hint.set_lower(hint.lower() + rest),
        }
        hint
    }
}

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body took too long")]
pub struct BodyTimeout;

/// Slot that receives the unread rest of a request body when its handler drops it; the server drains it.
#[derive(Clone, Default)]
pub(super) struct UnreadBody(Arc<Mutex<Option<Incoming>>>);

impl UnreadBody {
    /// The body, if part of it may still arrive.
    pub(super) fn take(&self) -> Option<Incoming> {
        // Held for a move only.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Default for [`Timeouts::grace`].
pub const BODY_GRACE_TIME: Duration = Duration::from_secs(20);
/// Minimum average rate of a request body after [`Timeouts::grace`], in bytes a second.
const MIN_BODY_RATE: u64 = 1024;

/// A request body with a total timeout and a minimum rate of [`MIN_BODY_RATE`]. The clock starts at the first poll.
pub(super) struct RequestBody {
    body: Option<Incoming>,
    timeouts: Timeouts,
    deadline: Option<(Instant, Pin<Box<Sleep>>)>,
    received: u64,
    unread: UnreadBody,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, timeouts: Timeouts, unread: UnreadBody) -> RequestBody {
        RequestBody { body: Some(body), timeouts, deadline: None, received: 0, unread }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            *self.unread.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let RequestBody { body, timeouts: Timeouts { body: time, grace, .. }, deadline, received, .. } = &mut *self;
        let (started, sleep) = deadline.get_or_insert_with(|| (Instant::now(), Box::pin(sleep((*grace).min(*time)))));
        if sleep.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(BodyTimeout.into())));
        }
        let Some(body) = body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
            *received += data.map_or(0, Bytes::len) as u64;
            sleep.as_mut().reset(*started + (*grace + Duration::from_secs(*received / MIN_BODY_RATE)).min(*time));
        }
        if !matches!(frame, Some(Ok(_))) {
            // Ended: nothing is left to drain.
            self.body = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

/// What the connection waits for, judged by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The rest of a request head.
    Head,
    /// Nothing: requests are in flight, or the protocol was upgraded.
    Busy,
    /// The next request.
    Idle,
}

/// A connection's byte stream. Reads and writes fail with `TimedOut` once the peer is too slow. An upgrade to WebSocket
/// keeps the stream, and with it the connection's permit.
pub(super) struct TimeoutStream<S> {
    stream: S,
    permit: ConnectionPermit,
    state: ConnectionState,
    timeouts: Timeouts,
    phase: Phase,
    /// Bytes arrived since the last complete request; more may be on the way.
    received_bytes: bool,
    /// Requests started at the last update: one may start and finish between two.
    started: usize,
    /// Deadline of the phase; `None` after an upgrade, because a pending timer keeps alive the task that polled it,
    /// here all HTTP state.
    deadline: Option<Pin<Box<Sleep>>>,
    unread: Option<Pin<Box<Sleep>>>,
    /// The sending half is shut down, and incoming bytes are discarded.
    lingering: Option<Box<LingeringClose>>,
}

impl<S> TimeoutStream<S> {
    pub(super) fn new(
        stream: S,
        permit: ConnectionPermit,
        state: ConnectionState,
        timeouts: Timeouts,
    ) -> TimeoutStream<S> {
        TimeoutStream {
            stream,
            permit,
            state,
            timeouts,
            phase: Phase::Head,
            received_bytes: false,
            started: 0,
            deadline: Some(Box::pin(sleep(timeouts.head))),
            unread: None,
            lingering: None,
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.received_bytes &= phase != Phase::Idle;
        let time = if phase == Phase::Head { self.timeouts.head } else { self.timeouts.idle };
        if let Some(deadline) = &mut self.deadline {
            deadline.as_mut().reset(Instant::now() + time);
        }
    }

    /// Updates the phase. A response that is still being sent counts as in flight.
    fn update_phase(&mut self) {
        let limit = self.state.started() != std::mem::replace(&mut self.started, self.state.started());
        if self.state.is_upgraded() {
            (self.phase, self.deadline) = (Phase::Busy, None);
        } else if self.unread.is_some() || self.state.is_busy() {
            self.phase = Phase::Busy;
        } else if limit || self.phase == Phase::Busy {
            self.enter(Phase::Idle);
        }
    }

    /// Checks the result of a write: progress restarts the timeout, a pending write lets it run.
    fn check_write<T>(&mut self, cx: &mut Context<'_>, check_write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if check_write.is_ready() {
            self.unread = None;
            return check_write;
        }
        let time = self.timeouts.unread;
        ready!(self.unread.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(cx));
        Poll::Ready(Err(too_slow("an answer was not read")))
    }
}

fn too_slow(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl<S: AsyncRead + Unpin> AsyncRead for TimeoutStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.update_phase();
        if self.state.is_rapid_reset() {
            return Poll::Ready(Err(io::Error::other("nearly every request was taken back")));
        }
        let before = into.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, into) {
            let limit = into.filled().len() > before;
            if limit && self.phase == Phase::Idle && !self.state.0.multiplexed.load(Ordering::Relaxed) {
                self.enter(Phase::Head);
            }
            self.received_bytes |= limit;
            return Poll::Ready(read);
        }
        if self.phase == Phase::Busy {
            self.state.0.read_waker.register(cx.waker());
            // The request may have ended meanwhile.
            self.update_phase();
            if self.phase == Phase::Busy {
                return Poll::Pending;
            }
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(too_slow("no request came in time")))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimeoutStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let check_write = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.check_write(cx, check_write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let check_write = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.check_write(cx, check_write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.check_write(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            let shut = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.check_write(cx, shut))?;
            let more_may_come = this.received_bytes || this.state.0.unread.load(Ordering::Relaxed);
            if !more_may_come || !this.permit.start_lingering() {
                return Poll::Ready(Ok(()));
            }
        }
        let lingering = this.lingering.get_or_insert_with(|| Box::new(LingeringClose::new()));
        lingering.poll(cx, &mut this.stream).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use hyper::Request;
    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncWriteExt;
    use tokio::time::timeout;

    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        head: Duration::from_secs(60),
        idle: Duration::from_secs(60),
        body: Duration::from_secs(60),
        grace: Duration::from_millis(100),
        unread: Duration::from_secs(60),
    };

    /// Reads a body of which `first` bytes come at once and the rest after `pause`, and returns how it ended.
    async fn read(first: usize, rest: usize, pause: Duration) -> Result<usize, String> {
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let sender = sender.clone();
            async move {
                let whole = RequestBody::new(request.into_body(), TIMEOUTS, UnreadBody::default()).collect().await;
                let length = whole.map(|whole| whole.to_bytes().len()).map_err(|error| error.to_string());
                sender.send(length).await.expect("a test that listens");
                Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
            }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(server), service);
        let served = tokio::spawn(connection);
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", first + rest);
        client.write_all(head.as_bytes()).await.expect("a head that goes up");
        client.write_all(&vec![b'x'; first]).await.expect("bytes that go up");
        let client = tokio::spawn(async move {
            sleep(pause).await;
            // A server that gave up may have closed already.
            let _ = client.write_all(&vec![b'x'; rest]).await;
            client
        });
        let ended = timeout(Duration::from_secs(10), receiver.recv()).await.expect("an end in time").expect("an end");
        served.abort();
        client.abort();
        ended
    }

    #[tokio::test]
    async fn a_body_keeps_the_minimum_rate_after_the_grace_period() {
        // A pause of ten grace periods: earned by 8 KiB, not by one byte.
        let pause = TIMEOUTS.grace * 10;
        assert_eq!(read(8 * 1024, 10, pause).await, Ok(8 * 1024 + 10));
        assert_eq!(read(1, 10, pause).await, Err("the body took too long".to_owned()));
    }
}
