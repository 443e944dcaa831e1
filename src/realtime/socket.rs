//! The WebSocket: first frame authenticates, then news comes down and hints go up.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use crate::app::App;
use crate::error::{Error, ErrorCode, Result};
use crate::http::body::object;
use crate::sites::Site;

use super::frame::{ByeReason, OperatorHello, PlainFrame, VisitorHello};
use super::hub::bye;
use super::line::{Line, Next};
use super::seat::Who;
use super::{FRAME_BYTES, HELLO_TIME, OperatorPass, SILENCE, WRITE_TIME, hints};

/// The library keeps a read buffer of this size per socket; its default of 128 KiB would cost a gigabyte for 10,000.
const READ_BUFFER: usize = 2_048;
/// Hints that a client may send in a burst, and those that come back each second. A real page never meets this.
const HINT_BURST: f64 = 60.0;
/// See [`HINT_BURST`].
const HINTS_A_SECOND: f64 = 10.0;

/// Upgrades a visitor's request. `origin` is the foreign page's origin, checked once the token says which site it is.
pub fn visitor_socket(app: App, upgrade: WebSocketUpgrade, origin: Option<String>) -> Response {
    tuned(upgrade).on_upgrade(move |mut socket| async move {
        let opened = open_visitor(&app, &mut socket, origin.as_deref()).await;
        serve(app, socket, opened).await;
    })
}

/// Upgrades an operator's request, whose origin the door has checked.
pub fn operator_socket(app: App, upgrade: WebSocketUpgrade) -> Response {
    tuned(upgrade).on_upgrade(move |mut socket| async move {
        let opened = open_operator(&app, &mut socket).await;
        serve(app, socket, opened).await;
    })
}

fn tuned(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(FRAME_BYTES)
        .max_frame_size(FRAME_BYTES)
}

/// Whose hints come up.
enum Party {
    Visitor(Arc<Site>),
    Operator(OperatorPass),
}

async fn open_visitor(app: &App, socket: &mut WebSocket, origin: Option<&str>) -> Result<(Line, Party)> {
    let VisitorHello::Hello { token, cursor } = hello(socket).await?;
    let place = admitted(app).await?;
    let session = app.visitors.find(&app.store, &token).await?;
    // One site's storm waits for its turn outside, and leaves the places to others.
    drop(place);
    let site = app.sites.by_id(session.site_id).await.map_err(|_| Error::InvalidToken)?;
    if origin.is_some_and(|origin| !site.allows_origin(origin)) {
        return Err(Error::ForbiddenOrigin);
    }
    let _turn = app.turns.take(site.owner_id).await?;
    let _place = admitted(app).await?;
    let line = Line::visitor(app, session, &site, &cursor).await?;
    // A token that ended before its seat was taken has told nobody: asked once more, mostly from memory.
    app.visitors.find(&app.store, &token).await?;
    Ok((line, Party::Visitor(site)))
}

async fn open_operator(app: &App, socket: &mut WebSocket) -> Result<(Line, Party)> {
    let OperatorHello::Hello { ticket, cursor } = hello(socket).await?;
    let pass = app.tickets.redeem(&ticket).ok_or(Error::NotSignedIn)?;
    let _turn = app.turns.take(pass.account).await?;
    let _place = admitted(app).await?;
    let line = Line::operator(app, &pass, &cursor).await?;
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
        Ok((line, party)) => talk(app, socket, line, party).await,
        Err(error) => {
            let (frame, code) = refusal(&error);
            close(&mut socket, frame.to_json(), code).await;
        }
    }
}

/// Most waiting places are idle sockets: nothing big may live across this loop's await.
async fn talk(app: App, mut socket: WebSocket, mut line: Line, party: Party) {
    let mut heard = Instant::now();
    let mut allowance = HINT_BURST;
    loop {
        let up = tokio::select! {
            next = line.next() => {
                match next {
                    Next::Frame(frame) if heard.elapsed() < SILENCE => {
                        if !write(&mut socket, Message::Text(frame.into())).await { return }
                    }
                    Next::Frame(_) => return,
                    Next::Last(frame, code) => return close(&mut socket, frame, code).await,
                }
                continue;
            }
            up = socket.recv() => up,
        };
        let text = match up {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                heard = Instant::now();
                continue;
            }
            Some(Ok(Message::Binary(_))) => {
                return close(&mut socket, invalid("binary frames are not understood"), 1003).await;
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
        };
        allowance = (allowance + heard.elapsed().as_secs_f64() * HINTS_A_SECOND).min(HINT_BURST) - 1.0;
        heard = Instant::now();
        if allowance < 0.0 {
            let frame = bye(ByeReason::TooMany, Duration::from_secs(10));
            return close(&mut socket, frame.to_json(), 4429).await;
        }
        if let Err(error) = hint(&app, &line, &party, &text).await {
            return close(&mut socket, invalid(&error.to_string()), 1008).await;
        }
    }
}

/// Takes one hint. One about something that is not there (any more) is passed over; one that cannot be read ends the
/// connection, because a client that speaks another language cannot be helped.
async fn hint(app: &App, line: &Line, party: &Party, text: &Utf8Bytes) -> Result<()> {
    let outcome = match (party, line.who()) {
        (Party::Visitor(site), Who::Visitor { session, .. }) => {
            hints::from_visitor(app, site, session, object(text.as_bytes())?).await
        }
        (Party::Operator(pass), _) => hints::from_operator(app, pass, object(text.as_bytes())?).await,
        (Party::Visitor(_), Who::Operator { .. }) => Ok(()),
    };
    if let Err(error @ Error::Internal(_)) = &outcome {
        tracing::warn!(%error, "a hint was lost");
    }
    Ok(())
}

fn invalid(reason: &str) -> String {
    PlainFrame::Refused { code: ErrorCode::InvalidRequest, message: reason.to_owned() }.to_json()
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

async fn write(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(WRITE_TIME, socket.send(message)).await, Ok(Ok(())))
}

async fn close(socket: &mut WebSocket, last: String, code: u16) {
    if write(socket, Message::Text(last.into())).await {
        write(socket, Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }))).await;
        // The peer's own close frame ends the connection cleanly; a peer that never answers is not waited for.
        let _ = timeout(Duration::from_secs(2), async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}
