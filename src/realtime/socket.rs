//! The WebSocket: first frame authenticates, then news comes down and hints go up.

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

use super::line::{Line, Next};
use super::{FRAME_BYTES, HELLO_TIME, SILENCE, WRITE_TIME, hints};
use crate::hub::OperatorPass;
use crate::hub::bye;
use crate::hub::frame::{ByeReason, OperatorHello, PlainFrame, VisitorHello};
use crate::hub::subscriber::Principal;

/// The library keeps a read buffer of this size per socket; its default of 128 KiB would cost a gigabyte for 10,000. What
/// pages send up is small; a larger frame is read in more steps.
const READ_BUFFER: usize = 512;
/// Frames that wait together leave in one write of about this size.
const WRITE_BUFFER: usize = 4_096;
/// Most frames that leave together.
const TOGETHER: usize = 64;

/// Upgrades a visitor's request. `origin` is the foreign page's origin, checked once the token says which site it is;
/// `address` pays for the hints.
pub fn visitor_socket(app: App, upgrade: WebSocketUpgrade, origin: Option<String>, address: ClientAddress) -> Response {
    tuned(upgrade).on_upgrade(move |mut socket| async move {
        let opened = Box::pin(open_visitor(&app, &mut socket, origin.as_deref(), address)).await;
        serve(app, socket, opened).await;
    })
}

/// Upgrades an operator's request, whose origin the door has checked.
pub fn operator_socket(app: App, upgrade: WebSocketUpgrade) -> Response {
    tuned(upgrade).on_upgrade(move |mut socket| async move {
        let opened = Box::pin(open_operator(&app, &mut socket)).await;
        serve(app, socket, opened).await;
    })
}

fn tuned(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(FRAME_BYTES)
        .max_frame_size(FRAME_BYTES)
}

/// Whose hints come up.
enum Party {
    Visitor(Arc<Site>, ClientAddress),
    Operator(OperatorPass),
}

async fn open_visitor(
    app: &App,
    socket: &mut WebSocket,
    origin: Option<&str>,
    address: ClientAddress,
) -> Result<(Line, Party)> {
    let VisitorHello::Hello { token, cursor } = hello(socket).await?;
    let place = admitted(app).await?;
    let session = app.visitors.find(&app.store, &token).await?;
    // One site's storm waits for its turn outside, and leaves the places to others.
    drop(place);
    let site = app.sites.by_id(session.site_id).await.map_err(Error::not_found_as(Error::InvalidToken))?;
    session.check(&site, origin)?;
    let _permit = app.fair_limit.acquire(Tenant::Visitors(site.owner_id)).await?;
    let _place = admitted(app).await?;
    let line = Line::visitor(app, session, &site, origin, &cursor).await?;
    // A token that ended before its seat was taken has told nobody: asked once more, mostly from memory.
    app.visitors.find(&app.store, &token).await?;
    Ok((line, Party::Visitor(site, address)))
}

async fn open_operator(app: &App, socket: &mut WebSocket) -> Result<(Line, Party)> {
    let OperatorHello::Hello { ticket, cursor, present } = hello(socket).await?;
    let pass = app.tickets.redeem(&ticket).ok_or(Error::NotSignedIn)?;
    let _permit = app.fair_limit.acquire(Tenant::Account(pass.account)).await?;
    let _place = admitted(app).await?;
    let line = Line::operator(app, &pass, &cursor, present.unwrap_or(true)).await?;
    Ok((line, Party::Operator(pass)))
}

/// A place among those who authenticate and catch up now. A storm waits here for a moment, then outside.
async fn admitted(app: &App) -> Result<tokio::sync::SemaphorePermit<'_>> {
    let place = timeout(Duration::from_secs(4), app.hub.admission.acquire()).await;
    place.ok().and_then(std::result::Result::ok).ok_or(Error::Unavailable)
}

async fn hello<T: DeserializeOwned>(socket: &mut WebSocket) -> Result<T> {
    let first = timeout(HELLO_TIME, socket.recv()).await.ok().flatten();
    let Some(Ok(Message::Text(text))) = first else {
        return Err(Error::InvalidRequest("the first frame must be a hello, within 5 s".into()));
    };
    object(text.as_bytes())
}

async fn serve(app: App, mut socket: WebSocket, opened: Result<(Line, Party)>) {
    match opened {
        Ok((line, party)) => {
            let talk = Talk { app, socket, line, party, heard: Instant::now() };
            // A task of its own: letting somebody in takes far more room than waiting for the next word.
            tokio::spawn(Box::new(talk).run());
        }
        Err(error) => {
            let (frame, code) = refusal(&error);
            close(&mut socket, frame.to_json().into(), code).await;
        }
    }
}

/// An open socket. Most are idle most of the time, so that what waits must be small: rare work is boxed.
struct Talk {
    app: App,
    socket: WebSocket,
    line: Line,
    party: Party,
    heard: Instant,
}

impl Talk {
    async fn run(mut self: Box<Self>) {
        loop {
            let goes_on = tokio::select! {
                next = self.line.next() => self.tell(next).await,
                up = self.socket.recv() => match up {
                    Some(Ok(message)) => Box::pin(self.hear(message)).await,
                    Some(Err(_)) | None => false,
                },
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Sends a frame and those that wait behind it; false when it was the last.
    async fn tell(&mut self, first: Next) -> bool {
        if self.heard.elapsed() >= SILENCE && matches!(first, Next::Frame(_)) {
            return false;
        }
        let mut next = Some(first);
        let (socket, line) = (&mut self.socket, &mut self.line);
        let sending = async {
            for _ in 0..TOGETHER {
                match next.take().or_else(|| line.ready()) {
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

    /// Takes what the client sent; false when that ends the connection.
    async fn hear(&mut self, message: Message) -> bool {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => {
                self.heard = Instant::now();
                return true;
            }
            Message::Binary(_) => return self.refuse("binary frames are not understood", 1003).await,
            Message::Close(_) => {
                // The library has its answer ready (RFC 6455, section 5.5.1); it only has to leave.
                let _ = timeout(WRITE_TIME, self.socket.flush()).await;
                return false;
            }
        };
        self.heard = Instant::now();
        match hint(&self.app, &self.line, &self.party, &text).await {
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

/// Takes one hint. One about something that is not there (any more) is passed over; one that cannot be read ends the
/// connection, because a client that speaks another language cannot be helped, and so does one too many.
async fn hint(app: &App, line: &Line, party: &Party, text: &Utf8Bytes) -> Result<()> {
    let outcome = match (party, line.principal()) {
        (Party::Visitor(site, address), Principal::Visitor { session, .. }) => {
            hints::from_visitor(app, site, session, *address, object(text.as_bytes())?).await
        }
        (Party::Operator(pass), _) => hints::take_from_operator(app, pass, Some(line), object(text.as_bytes())?).await,
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
    let goodbye = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }));
    let sending = async {
        socket.feed(Message::Text(last)).await?;
        socket.send(goodbye).await
    };
    let sent = timeout(WRITE_TIME, sending).await;
    if let Ok(Err(_)) = sent {
        // A peer that closed first hears nothing more but the answer to that.
        let _ = timeout(WRITE_TIME, socket.flush()).await;
    }
    if let Ok(Ok(())) = sent {
        // The peer's own close frame ends the connection cleanly; a peer that never answers is not waited for.
        let _ = timeout(Duration::from_secs(2), async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}
