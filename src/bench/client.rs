//! HTTP/1.1 and WebSocket clients of the benchmark: persistent connections, with a selectable source address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

/// How a heartbeat frame begins, and the page's reply.
const HEARTBEAT: &str = r#"{"type":"beat""#;
const HEARTBEAT_REPLY: &str = r#"{"type":"alive"}"#;

/// A request with a complete body.
pub type HttpRequest = Request<Full<Bytes>>;

/// A persistent HTTP/1.1 connection.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects, from a given local address if any.
    pub async fn connect(target: SocketAddr, from: Option<IpAddr>) -> anyhow::Result<Client> {
        let stream = dial(target, from).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the sender; errors show at the next request.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Client { sender })
    }

    /// Sends a request and reads the whole response.
    pub async fn send(&mut self, request: HttpRequest) -> anyhow::Result<(StatusCode, Bytes)> {
        let response = self.exchange(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Sends a request and returns the response with its headers.
    pub async fn exchange(&mut self, request: HttpRequest) -> anyhow::Result<hyper::Response<hyper::body::Incoming>> {
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    /// Sends a request that must succeed, and parses the JSON response.
    pub async fn json(&mut self, request: HttpRequest) -> anyhow::Result<Value> {
        let path = request.uri().path().to_owned();
        let (status, bytes) = self.send(request).await?;
        if !status.is_success() {
            bail!("{path} answered {status}: {}", String::from_utf8_lossy(&bytes));
        }
        Ok(serde_json::from_slice(&bytes)?)
    }
}

/// Opens a TCP connection.
pub async fn dial(target: SocketAddr, from: Option<IpAddr>) -> anyhow::Result<TcpStream> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from {
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(from, 0)).with_context(|| format!("{from} is no address of this machine"))?;
    }
    let stream = socket.connect(target).await.with_context(|| format!("{target} cannot be reached"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The n-th of many loopback source addresses, if the server is on loopback, so that limits by address see many
/// clients.
pub fn source(target: SocketAddr, block: u8, n: usize) -> Option<IpAddr> {
    let (high, low) = (u8::try_from(n / 250 % 250).unwrap_or(0), u8::try_from(n % 250).unwrap_or(0));
    let loopback = target.ip().is_loopback() && target.is_ipv4();
    (loopback && cfg!(target_os = "linux")).then(|| Ipv4Addr::new(127, block, high, low + 1).into())
}

/// Builds a request with a JSON body.
pub fn json(method: Method, target: SocketAddr, path: &str, headers: &[(&str, &str)], body: &Value) -> HttpRequest {
    let mut request = request(method, target, path, headers, body.to_string());
    request.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    request
}

/// Builds a request.
pub fn request(
    method: Method,
    target: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> HttpRequest {
    let mut builder = Request::builder().method(method).uri(path).header(HOST, target.to_string());
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::new(body.into())).expect("the parts of a request of ours are valid")
}

/// Builds a visitor's command.
pub fn command(target: SocketAddr, token: &str, body: &Value) -> HttpRequest {
    let bearer = format!("Bearer {token}");
    json(Method::POST, target, "/api/widget", &[(AUTHORIZATION.as_str(), &bearer)], body)
}

/// A WebSocket client.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a WebSocket with small buffers: ten thousand of these must fit beside the server.
    pub async fn open(
        target: SocketAddr,
        from: Option<IpAddr>,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> anyhow::Result<Socket> {
        let mut request = format!("ws://{target}{path}").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        let config = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0);
        let stream = dial(target, from).await?;
        let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        Ok(Socket(socket))
    }

    /// Sends a frame.
    pub async fn send_frame(&mut self, frame: &Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    /// The next frame as text; `None` at the end. Answers heartbeats, as a page does.
    pub async fn next_text(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => {
                    if text.starts_with(HEARTBEAT) {
                        self.0.send(Message::text(HEARTBEAT_REPLY)).await.ok()?;
                    }
                    return Some(text);
                }
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                _ => return None,
            }
        }
    }

    /// The next frame; `None` at the end.
    pub async fn next(&mut self) -> Option<Value> {
        serde_json::from_str(&self.next_text().await?).ok()
    }

    /// Sends the hello frame and waits until the server accepts it.
    pub async fn handshake(mut self, hello: &Value) -> anyhow::Result<Socket> {
        self.send_frame(hello).await?;
        while let Some(frame) = self.next().await {
            match frame["type"].as_str() {
                Some("welcome") => return Ok(self),
                Some("refused" | "bye" | "resync") => bail!("a socket was refused: {frame}"),
                _ => {}
            }
        }
        bail!("a socket was closed before its handshake")
    }

    /// Splits the socket, so that two tasks can use it.
    pub fn split(self) -> (SplitSink<WebSocketStream<TcpStream>, Message>, SplitStream<WebSocketStream<TcpStream>>) {
        self.0.split()
    }
}
