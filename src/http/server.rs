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
use super::linger::drop_rest;
use super::pace::{Answer, Pace, Paced, Timely, Times, Unread};
use super::places::{Connections, Place, Places};
use super::streams::{self, Streams};
use super::tls::Acceptor;

/// Time for a TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 32 * 1024;
/// Header lines of a request.
const HEAD_LINES: usize = 64;
/// HTTP/2: time between two pings of ours, and for their answers.
const PING_PAUSE: Duration = Duration::from_secs(20);
/// See [`PING_PAUSE`].
const PONG_TIME: Duration = Duration::from_secs(20);
/// After an error of `accept` (no file descriptors left, say): wait instead of spinning.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
    pub times: Times,
    /// Becomes true when the server begins to stop.
    pub stopping: watch::Receiver<bool>,
    /// Counts what is open.
    pub connections: Connections,
}

impl Server {
    /// Accepts until stopping begins. Connections that are open then finish their request and close.
    pub async fn run(self) {
        let places =
            Places::new(self.max_connections, self.max_connections_per_address, self.proxies, self.connections);
        let mut stopping = self.stopping.clone();
        let mut failing = false;
        loop {
            let Some(place) = places.next().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = begun(&mut stopping) => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Once for each time that it begins: who is out of descriptors may be out of disk next.
                    if !failing {
                        tracing::warn!(%error, "connections cannot be accepted; trying again");
                    }
                    failing = true;
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            failing = false;
            let Some(place) = places.give(place, peer.ip()) else { continue };
            let connection = Connection {
                router: self.router.clone(),
                tls: self.tls.clone(),
                stopping: self.stopping.clone(),
                times: self.times,
                peer,
                place,
            };
            tokio::spawn(connection.serve(stream));
        }
    }
}

/// Waits until stopping begins, or the one who would say so is gone.
async fn begun(stopping: &mut watch::Receiver<bool>) {
    // The answer is a read lock, which must not live on.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

struct Connection {
    router: Router,
    tls: Option<Acceptor>,
    stopping: watch::Receiver<bool>,
    times: Times,
    peer: SocketAddr,
    place: Place,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        // Small frames must not wait for each other.
        let _ = stream.set_nodelay(true);
        // Boxed: each connection takes the room of its own kind.
        match self.tls.clone() {
            None => Box::pin(self.answer(stream)).await,
            Some(tls) => match Box::pin(tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream))).await {
                Ok(Ok(Some(stream))) => Box::pin(self.answer(stream)).await,
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
    }

    async fn answer(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let mut builder = auto::Builder::new(Streams { unread: self.times.unread });
        let timer = TokioTimer::new();
        builder
            .http1()
            .timer(timer.clone())
            // Ours counts from the first byte and also before it (`pace`).
            .header_read_timeout(None)
            .max_headers(HEAD_LINES)
            .max_buf_size(HEAD_BYTES)
            .http2()
            .timer(timer)
            .keep_alive_interval(PING_PAUSE)
            .keep_alive_timeout(PONG_TIME)
            .max_concurrent_streams(streams::AT_ONCE)
            .max_send_buf_size(streams::SEND_BUFFER)
            .initial_stream_window_size(streams::WINDOW)
            .initial_connection_window_size(streams::WINDOW)
            .max_pending_accept_reset_streams(streams::RESETS)
            .max_local_error_reset_streams(streams::RESETS)
            .max_header_list_size(HEAD_BYTES as u32);
        let peer = Peer(self.peer);
        let (router, times, pace, more) = (self.router.clone(), self.times, Pace::default(), self.place.more());
        let stream = Paced::new(stream, self.place, pace.clone(), times);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let (version, unread, pace) = (request.version(), Unread::default(), pace.clone());
            let under_way = pace.begin(version, &more);
            // A body that waits for our word is not sent once it is refused; a stream of HTTP/2 ends by itself.
            let is_on_its_way = version != Version::HTTP_2 && !request.headers().contains_key(EXPECT);
            let timely = |body| Body::new(Timely::new(body, times, unread.clone()));
            let answered = under_way.is_some().then(|| router.clone().oneshot(request.map(timely)));
            async move {
                let (Some(under_way), Some(answered)) = (under_way, answered) else {
                    return Ok(Error::Unavailable.into_response().map(Answer::alone));
                };
                let response = answered.await?;
                // The rest of the body is not read during the delay: back-pressure stops the client.
                if let Some(delay) = pace.delay_of(response.status()) {
                    Box::pin(delay).await;
                }
                if let Some(rest) = unread.take().filter(|_| is_on_its_way)
                    && !Box::pin(drop_rest(rest)).await
                {
                    pace.leave_unread();
                }
                Ok::<_, Infallible>(under_way.until_sent(response))
            }
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = begun(&mut self.stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
