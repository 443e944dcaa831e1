//! The server loop. It is our own, so that its timeouts and limits apply to every connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::config::Network;
use crate::error::Error;

use crate::app::ConnectionCount;

use super::address::Peer;
use super::connection_limits::{ConnectionLimits, ConnectionPermit};
use super::http2_streams::{self, StreamExecutor};
use super::lingering_close::drain;
use super::timeouts::{ConnectionState, RequestBody, ResponseBody, TimeoutStream, Timeouts, UnreadBody};
use super::tls::Acceptor;

/// Timeout for a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest request head, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Header fields of a request.
const MAX_HEADERS: usize = 64;
/// HTTP/2: interval between pings.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// HTTP/2: timeout for the answer to a ping.
const PONG_TIMEOUT: Duration = Duration::from_secs(20);
/// Delay after an `accept` error, such as no file descriptors left, instead of spinning.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Configuration of the server loop.
pub struct Server {
    /// Source of connections.
    pub listener: TcpListener,
    /// TLS, if this server terminates it.
    pub tls: Option<Acceptor>,
    /// The service.
    pub router: Router,
    /// Concurrent connections; further ones wait in the system's backlog.
    pub max_connections: usize,
    /// Concurrent connections of one network; further ones are closed.
    pub max_connections_per_address: usize,
    /// Proxies, whose connections many people share.
    pub proxies: Vec<Network>,
    /// Timeouts of each part of a request.
    pub timeouts: Timeouts,
    /// Becomes true when the server starts to stop.
    pub stopping: watch::Receiver<bool>,
    /// Counts open connections.
    pub connections: ConnectionCount,
}

impl Server {
    /// Accepts connections until the server stops. Open connections finish their request and close.
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
                    // Once for each series of errors: a server without descriptors may also be short of disk space.
                    if !failing {
                        tracing::warn!(%error, "connections cannot be accepted; retrying");
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

/// Waits until the server stops, or until the sender is dropped.
async fn wait_for_stop(stopping: &mut watch::Receiver<bool>) {
    // `wait_for` returns a read lock, which must not be held.
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
        // Small frames must not wait for each other (Nagle).
        let _ = stream.set_nodelay(true);
        // Boxed: each task is as large as its own kind of connection only.
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
            // `TimeoutStream` enforces it, also before the first byte.
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
            let (unread, state) = (UnreadBody::default(), state.clone());
            let in_flight = state.start_request(request.version(), &request_limit);
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
                if let Some(rest) = unread.take()
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
