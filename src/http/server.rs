//! The server loop: our own, so that its time-outs and limits are really on.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::header::EXPECT;
use hyper::{Request, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::config::Network;
use crate::error::Error;

use super::address::Peer;
use super::connection_limits::{ConnectionCount, ConnectionLimits, ConnectionPermit};
use super::http2_streams::{self, StreamExecutor};
use super::lingering_close::drain;
use super::timeouts::{ConnectionState, RequestBody, ResponseBody, TimeoutStream, Timeouts, UnreadBody};
use super::tls::Acceptor;

/// Time for a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Header lines of a request.
const MAX_HEADERS: usize = 64;
/// HTTP/2: time between two pings of ours, and for their answers.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// See [`PING_INTERVAL`].
const PONG_TIMEOUT: Duration = Duration::from_secs(20);
/// After an error of `accept` (no file descriptors left, say): wait instead of spinning.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Everything that serving needs.
pub struct Server {
    /// Where connections come from.
    pub listener: TcpListener,
    /// TLS, when this server does it itself.
    pub tls: Option<Acceptor>,
    /// What answers.
    pub router: Router,
    /// Most connections at once; the system's queue holds the next ones.
    pub max_connections: usize,
    /// Most from one network; the next ones are closed at once.
    pub max_connections_per_address: usize,
    /// Whose connections are many people's.
    pub proxies: Vec<Network>,
    /// How long each part of a request may take.
    pub timeouts: Timeouts,
    /// Becomes true when the server begins to stop.
    pub stopping: watch::Receiver<bool>,
    /// Counts what is open.
    pub connections: ConnectionCount,
}

impl Server {
    /// Accepts until stopping begins. Connections that are open then finish their request and close.
    pub async fn run(self) {
        let limits = ConnectionLimits::new(
            self.max_connections,
            self.max_connections_per_address,
            self.proxies,
            self.connections,
        );
        let mut stopping = self.stopping.clone();
        let mut failing = false;
        loop {
            let Some(permit) = limits.accept().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = wait_for_stop(&mut stopping) => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Once for each time that it begins: who is out of descriptors may be out of disk next.
                    if !failing {
                        tracing::warn!(%error, "connections cannot be accepted; trying again");
                    }
                    failing = true;
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            };
            failing = false;
            let Some(permit) = limits.admit(permit, peer.ip()) else { continue };
            let connection = Connection {
                router: self.router.clone(),
                tls: self.tls.clone(),
                stopping: self.stopping.clone(),
                timeouts: self.timeouts,
                peer,
                permit,
            };
            tokio::spawn(connection.serve(stream));
        }
    }
}

/// Waits until stopping begins, or the one who would say so is gone.
async fn wait_for_stop(stopping: &mut watch::Receiver<bool>) {
    // The answer is a read lock, which must not live on.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

struct Connection {
    router: Router,
    tls: Option<Acceptor>,
    stopping: watch::Receiver<bool>,
    timeouts: Timeouts,
    peer: SocketAddr,
    permit: ConnectionPermit,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        // Small frames must not wait for each other.
        let _ = stream.set_nodelay(true);
        // Boxed: each connection takes the room of its own kind.
        match self.tls.clone() {
            None => Box::pin(self.answer(stream)).await,
            Some(tls) => match Box::pin(tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream))).await {
                Ok(Ok(Some(stream))) => Box::pin(self.answer(stream)).await,
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
    }

    async fn answer(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let mut builder = auto::Builder::new(StreamExecutor { unread: self.timeouts.unread });
        let timer = TokioTimer::new();
        builder
            .http1()
            .timer(timer.clone())
            // Ours counts from the first byte and also before it (`timeouts`).
            .header_read_timeout(None)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES)
            .http2()
            .timer(timer)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PONG_TIMEOUT)
            .max_concurrent_streams(http2_streams::MAX_STREAMS)
            .max_send_buf_size(http2_streams::SEND_BUFFER)
            .initial_stream_window_size(http2_streams::WINDOW)
            .initial_connection_window_size(http2_streams::WINDOW)
            .max_pending_accept_reset_streams(http2_streams::MAX_RESETS)
            .max_local_error_reset_streams(http2_streams::MAX_RESETS)
            .max_header_list_size(MAX_HEAD_BYTES as u32);
        let peer = Peer(self.peer);
        let (router, timeouts, state, request_limit) =
            (self.router.clone(), self.timeouts, ConnectionState::default(), self.permit.request_limit());
        let stream = TimeoutStream::new(stream, self.permit, state.clone(), timeouts);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let (version, unread, state) = (request.version(), UnreadBody::default(), state.clone());
            let in_flight = state.start_request(version, &request_limit);
            // A body that waits for our word is not sent once it is refused; a stream of HTTP/2 ends by itself.
            let body_is_in_flight = version != Version::HTTP_2 && !request.headers().contains_key(EXPECT);
            let with_timeout = |body| Body::new(RequestBody::new(body, timeouts, unread.clone()));
            let response = in_flight.is_some().then(|| router.clone().oneshot(request.map(with_timeout)));
            async move {
                let (Some(in_flight), Some(response)) = (in_flight, response) else {
                    return Ok(Error::Unavailable.into_response().map(ResponseBody::uncounted));
                };
                let response = response.await?;
                // The rest of the body is not read during the delay: back-pressure stops the client.
                if let Some(delay) = state.refusal_delay(response.status()) {
                    Box::pin(delay).await;
                }
                if let Some(rest) = unread.take().filter(|_| body_is_in_flight)
                    && !Box::pin(drain(rest)).await
                {
                    state.mark_unread();
                }
                Ok::<_, Infallible>(in_flight.hold_until_sent(response))
            }
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = wait_for_stop(&mut self.stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
