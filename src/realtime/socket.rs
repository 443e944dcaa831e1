//! The WebSocket transport: the first frame authenticates, then the server sends events and the client sends hints.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::SinkExt;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use crate::app::App;
use crate::error::{Error, ErrorCode, Result};
use crate::fair_limit::Tenant;
use crate::http::address::ClientAddress;
use crate::http::body::object;
use crate::sites::Site;

use super::feed::{Feed, Next};
use super::{FRAME_BYTES, HELLO_TIME, SILENCE, WRITE_TIME, hints};
use crate::hub::OperatorPass;
use crate::hub::bye;
use crate::hub::frame::{ByeReason, OperatorHello, PlainFrame, VisitorHello};
use crate::hub::subscriber::Principal;

/// Read buffer of each socket, in bytes. The library's default of 128 KiB would cost a gigabyte for 10,000 sockets. Clients
/// send small frames; a larger one is read in several steps.
const READ_BUFFER: usize = 512;
/// Write buffer in bytes: queued frames are sent in writes of about this size.
const WRITE_BUFFER: usize = 4_096;
/// Maximum frames sent before a flush.
const FRAMES_PER_WRITE: usize = 64;

/// Upgrades a visitor's request. `origin` is the origin of the customer's page, checked once the token names the site;
/// hints are charged to `address`.
pub fn visitor_socket(app: App, upgrade: WebSocketUpgrade, origin: Option<String>, address: ClientAddress) -> Response {
    with_limits(upgrade).on_upgrade(move |mut socket| async move {
        let opened = Box::pin(open_visitor(&app, &mut socket, origin.as_deref(), address)).await;
        serve(app, socket, opened).await;
    })
}

/// Upgrades an operator's request. The API has checked its origin.
pub fn operator_socket(app: App, upgrade: WebSocketUpgrade) -> Response {
    with_limits(upgrade).on_upgrade(move |mut socket| async move {
        let opened = Box::pin(open_operator(&app, &mut socket)).await;
        serve(app, socket, opened).await;
    })
}

fn with_limits(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(FRAME_BYTES)
        .max_frame_size(FRAME_BYTES)
}

/// The sender of the hints.
enum Party {
    Visitor(Arc<Site>, ClientAddress),
    Operator(OperatorPass),
}

async fn open_visitor(
    app: &App,
    socket: &mut WebSocket,
    origin: Option<&str>,
    address: ClientAddress,
) -> Result<(Feed, Party)> {
    let VisitorHello::Hello { token, cursor } = hello(socket).await?;
    let permit = admission(app).await?;
    let session = app.visitors.find(&app.store, &token).await?;
    // Clients of one site queue at its own concurrency limit without holding permits that other sites need.
    drop(permit);
    let site = app.sites.by_id(session.site_id).await.map_err(Error::not_found_as(Error::InvalidToken))?;
    session.check(&site, origin)?;
    let _permit = app.fair_limit.acquire(Tenant::Visitors(site.workspace_id)).await?;
    let _admission = admission(app).await?;
    let feed = Feed::visitor(app, session, &site, origin, &cursor).await?;
    // A token that ended before the subscription did not end it: look it up again, usually from the cache.
    app.visitors.find(&app.store, &token).await?;
    Ok((feed, Party::Visitor(site, address)))
}

async fn open_operator(app: &App, socket: &mut WebSocket) -> Result<(Feed, Party)> {
    let OperatorHello::Hello { ticket, cursor, present } = hello(socket).await?;
    let pass = app.tickets.redeem(&ticket).ok_or(Error::NotSignedIn)?;
    let _permit = app.fair_limit.acquire(Tenant::Workspace(pass.workspace)).await?;
    let _admission = admission(app).await?;
    let feed = Feed::operator(app, &pass, &cursor, present.unwrap_or(true)).await?;
    Ok((feed, Party::Operator(pass)))
}

/// A permit to authenticate and catch up. Waits at most 4 s.
///
/// # Errors
/// `Unavailable` after that: the client reconnects later.
async fn admission(app: &App) -> Result<tokio::sync::SemaphorePermit<'_>> {
    let permit = timeout(Duration::from_secs(4), app.hub.admission.acquire()).await;
    permit.ok().and_then(std::result::Result::ok).ok_or(Error::Unavailable)
}

async fn hello<T: DeserializeOwned>(socket: &mut WebSocket) -> Result<T> {
    let first = timeout(HELLO_TIME, socket.recv()).await.ok().flatten();
    let Some(Ok(Message::Text(text))) = first else {
        return Err(Error::InvalidRequest("the first frame must be a hello, within 5 s".into()));
    };
    object(text.as_bytes())
}

async fn serve(app: App, mut socket: WebSocket, opened: Result<(Feed, Party)>) {
    match opened {
        Ok((feed, party)) => {
            let connection = Connection { app, socket, feed, party, last_received: Instant::now() };
            // A separate task: the future of the handshake is far larger than that of an open connection.
            tokio::spawn(Box::new(connection).run());
        }
        Err(error) => {
            let (frame, code) = refusal(&error);
            close(&mut socket, frame.to_json().into(), code).await;
        }
    }
}

/// An open socket. Most are idle most of the time, so the waiting future must be small: rare work is boxed.
struct Connection {
    app: App,
    socket: WebSocket,
    feed: Feed,
    party: Party,
    last_received: Instant,
}

impl Connection {
    async fn run(mut self: Box<Self>) {
        loop {
            let open = tokio::select! {
                next = self.feed.next() => self.send(next).await,
                up = self.socket.recv() => match up {
                    Some(Ok(message)) => Box::pin(self.receive(message)).await,
                    Some(Err(_)) | None => false,
                },
            };
            if !open {
                return;
            }
        }
    }

    /// Sends a frame and the queued ones after it; false when the connection is closed.
    async fn send(&mut self, first: Next) -> bool {
        if self.last_received.elapsed() >= SILENCE && matches!(first, Next::Frame(_)) {
            return false;
        }
        let mut next = Some(first);
        let (socket, feed) = (&mut self.socket, &mut self.feed);
        let sending = async {
            for _ in 0..FRAMES_PER_WRITE {
                match next.take().or_else(|| feed.ready()) {
                    Some(Next::Frame(frame)) => socket.feed(Message::Text(frame)).await?,
                    Some(last @ Next::Last(..)) => {
                        next = Some(last);
                        break;
                    }
                    None => break,
                }
            }
            socket.flush().await
        };
        if !matches!(timeout(WRITE_TIME, sending).await, Ok(Ok(()))) {
            return false;
        }
        if let Some(Next::Last(frame, code)) = next {
            Box::pin(close(&mut self.socket, frame, code)).await;
            return false;
        }
        true
    }

    /// Handles a message from the client; false when the connection is closed.
    async fn receive(&mut self, message: Message) -> bool {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => {
                self.last_received = Instant::now();
                return true;
            }
            Message::Binary(_) => return self.refuse("binary frames are not understood", 1003).await,
            Message::Close(_) => {
                // The library has queued the close reply (RFC 6455, section 5.5.1); it only needs a flush.
                let _ = timeout(WRITE_TIME, self.socket.flush()).await;
                return false;
            }
        };
        self.last_received = Instant::now();
        match hint(&self.app, &self.feed, &self.party, &text).await {
            Ok(()) => true,
            Err(Error::TooManyRequests { .. }) => {
                let frame = bye(ByeReason::TooMany, Duration::from_secs(10));
                close(&mut self.socket, frame.to_json().into(), 4429).await;
                false
            }
            Err(error) => self.refuse(&error.to_string(), 1008).await,
        }
    }

    async fn refuse(&mut self, reason: &str, code: u16) -> bool {
        let frame = PlainFrame::Refused { code: ErrorCode::InvalidRequest, message: reason.to_owned() };
        close(&mut self.socket, frame.to_json().into(), code).await;
        false
    }
}

/// Handles one hint. A hint about something that does not exist is ignored. A hint that cannot be parsed ends the
/// connection, because that client speaks another protocol; so does one over the rate limit.
async fn hint(app: &App, feed: &Feed, party: &Party, text: &Utf8Bytes) -> Result<()> {
    let outcome = match (party, feed.principal()) {
        (Party::Visitor(site, address), Principal::Visitor { session, .. }) => {
            hints::from_visitor(app, site, session, *address, object(text.as_bytes())?).await
        }
        (Party::Operator(pass), _) => hints::take_from_operator(app, pass, Some(feed), object(text.as_bytes())?).await,
        (Party::Visitor(..), Principal::Operator { .. }) => Ok(()),
    };
    match outcome {
        Err(error @ Error::TooManyRequests { .. }) => return Err(error),
        Err(error @ Error::Internal(_)) => tracing::warn!(%error, "a hint was lost"),
        Ok(()) | Err(_) => {}
    }
    Ok(())
}

fn refusal(error: &Error) -> (PlainFrame, u16) {
    match error {
        Error::Unavailable | Error::StorageFull | Error::TooManyRequests { .. } => {
            (bye(ByeReason::TooMany, Duration::from_secs(8)), 4429)
        }
        Error::ForbiddenOrigin => (PlainFrame::Refused { code: error.code(), message: error.to_string() }, 4403),
        Error::InvalidRequest(_) => (PlainFrame::Refused { code: error.code(), message: error.to_string() }, 1008),
        Error::Internal(cause) => {
            tracing::error!(%cause, "a socket could not be opened");
            (bye(ByeReason::TooMany, Duration::from_secs(8)), 4429)
        }
        _ => (PlainFrame::Refused { code: error.code(), message: error.to_string() }, 4401),
    }
}

async fn close(socket: &mut WebSocket, last: Utf8Bytes, code: u16) {
    let close_frame = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }));
    let sending = async {
        socket.feed(Message::Text(last)).await?;
        socket.send(close_frame).await
    };
    let sent = timeout(WRITE_TIME, sending).await;
    if let Ok(Err(_)) = sent {
        // The peer closed first: only the close reply is flushed.
        let _ = timeout(WRITE_TIME, socket.flush()).await;
    }
    if let Ok(Ok(())) = sent {
        // The peer's close frame ends the connection cleanly; wait at most 2 s for it.
        let _ = timeout(Duration::from_secs(2), async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}
