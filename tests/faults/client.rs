//! HTTP and a WebSocket, as a client of the public API has them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is sent.
pub type Sending = Request<Full<Bytes>>;

/// What came back.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer.
    Answer(StatusCode, Bytes),
    /// Nothing that could be understood: nobody knows whether it was done.
    Nothing(String),
}

impl Reply {
    /// The JSON of a success.
    pub fn ok(self) -> Result<Value> {
        match self {
            Reply::Answer(status, bytes) if status.is_success() => Ok(serde_json::from_slice(&bytes)?),
            Reply::Answer(status, bytes) => bail!("{status}: {}", String::from_utf8_lossy(&bytes)),
            Reply::Nothing(why) => bail!("no answer: {why}"),
        }
    }

    /// The code of a refusal.
    pub fn code(&self) -> String {
        let Reply::Answer(_, bytes) = self else { return String::new() };
        let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let code = body["error"]["code"].as_str().or(body["error"].as_str());
        code.unwrap_or_default().to_owned()
    }
}

/// One connection that is kept, and made anew when it is gone.
pub struct Client {
    target: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// Connects at the first request.
    pub fn new(target: SocketAddr) -> Client {
        Client { target, sender: None }
    }

    /// Sends once and reads the whole answer.
    pub async fn send(&mut self, request: Sending) -> Reply {
        match timeout(PATIENCE, self.exchange(request)).await {
            Ok(Ok((status, bytes))) => Reply::Answer(status, bytes),
            Ok(Err(error)) => {
                self.sender = None;
                Reply::Nothing(format!("{error:#}"))
            }
            Err(_) => {
                self.sender = None;
                Reply::Nothing("it took too long".into())
            }
        }
    }

    /// Connects now, so that many requests can then start at the same moment.
    pub async fn connect(&mut self) -> Result<()> {
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            let (sender, connection) = handshake(TokioIo::new(dial(self.target, None).await?)).await?;
            // It ends with the sender; what went wrong shows at the next request.
            tokio::spawn(async move { drop(connection.await) });
            self.sender = Some(sender);
        }
        Ok(())
    }

    async fn exchange(&mut self, request: Sending) -> Result<(StatusCode, Bytes)> {
        self.connect().await?;
        let sender = self.sender.as_mut().context("a connection")?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Sends and gives the `Set-Cookie` of a success too.
    pub async fn sign_in(&mut self, request: Sending) -> Result<(String, Value)> {
        self.connect().await?;
        let sender = self.sender.as_mut().context("a connection")?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let (status, bytes) = (response.status(), response.into_body().collect().await?.to_bytes());
        Ok((cookie, Reply::Answer(status, bytes).ok()?))
    }
}

/// Opens a connection, from an address of its own where one is given.
pub async fn dial(target: SocketAddr, from: Option<IpAddr>) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(from) = from {
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let stream = timeout(PATIENCE, socket.connect(target)).await.context("no connection in time")??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A request.
pub fn request(
    method: Method,
    target: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Sending {
    let mut builder = Request::builder().method(method).uri(path).header("host", target.to_string());
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::new(body.into())).expect("the parts of a request of ours are valid")
}

/// A request with a JSON body.
pub fn json(method: Method, target: SocketAddr, path: &str, headers: &[(&str, &str)], body: &Value) -> Sending {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    request(method, target, path, &all, body.to_string())
}

/// One WebSocket.
pub struct Line(pub WebSocketStream<TcpStream>);

/// What came down a line.
#[derive(Debug)]
pub enum Down {
    /// A frame.
    Frame(Value),
    /// The end, with its close code where one was given.
    End(Option<u16>),
}

impl Line {
    /// Opens a socket and says hello. Small buffers: thousands of these run beside the server.
    pub async fn open(target: SocketAddr, from: Option<IpAddr>, path: &str, hello: &Value) -> Result<Line> {
        let mut request = format!("ws://{target}{path}").into_client_request()?;
        request.headers_mut().insert("origin", format!("http://{target}").parse()?);
        let config = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0);
        let stream = dial(target, from).await?;
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        let (mut socket, _) = timeout(PATIENCE, opened).await.context("no socket in time")??;
        socket.send(Message::text(hello.to_string())).await?;
        Ok(Line(socket))
    }

    /// Sends a frame.
    pub async fn say(&mut self, frame: &Value) -> Result<()> {
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    /// The next frame, or the end.
    pub async fn next(&mut self) -> Down {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(frame) => return Down::Frame(frame),
                    Err(_) => return Down::End(None),
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(frame))) => return Down::End(frame.map(|frame| frame.code.into())),
                _ => return Down::End(None),
            }
        }
    }
}
