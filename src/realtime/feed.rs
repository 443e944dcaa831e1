//! The feed: the frames that the server sends to one client over either transport. Missed events, live events, signals,
//! heartbeats, and the last frame.

use std::collections::VecDeque;
use std::fmt::Write;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::accounts;
use crate::app::App;
use crate::error::{Error, ErrorCode, Result};
use crate::events::Holder;
use crate::members;
use crate::sites::Site;
use crate::visitors::VisitorSession;

use super::HEARTBEAT;
use super::resume::{self, Resume};
use crate::hub::OperatorPass;
use crate::hub::frame::{ByeReason, PlainFrame};
use crate::hub::subscriber::{Ending, Item, Principal};
use crate::hub::{Subscription, bye};

/// Clients of a stopping server reconnect within this time.
const RESTART_SPREAD: Duration = Duration::from_secs(4);

/// The next frame for the transport.
pub(super) enum Next {
    /// A frame.
    Frame(Utf8Bytes),
    /// A last frame, and the WebSocket close code.
    Last(Utf8Bytes, u16),
}

/// The last event that a client has received.
struct Position {
    holder: Holder,
    n: i64,
    /// Its cursor, kept because a sealed one must not change without an event.
    cursor: Box<str>,
}

impl Position {
    fn new(app: &App, holder: Holder, n: i64) -> Result<Position> {
        Ok(Position { holder, n, cursor: app.cursors.write(holder, n)?.into() })
    }

    /// Moves on to a number; whether it was not there yet.
    fn advance(&mut self, app: &App, n: i64) -> bool {
        let is_further = self.n < n;
        if is_further {
            self.n = n;
            // Empty when the system has no random bytes: the client keeps the cursor that it holds, and gets this event again.
            self.cursor = app.cursors.write(self.holder, n).unwrap_or_default().into();
        }
        is_further
    }
}

/// The frames for one client, in order.
pub(super) struct Feed {
    app: App,
    subscription: Subscription,
    position: Position,
    ready: VecDeque<Utf8Bytes>,
    heartbeat: Interval,
    last: Option<(PlainFrame, u16)>,
}

impl Feed {
    /// Opens the feed of a visitor's page; `origin` is the page's origin.
    pub(super) async fn visitor(
        app: &App,
        session: VisitorSession,
        site: &Site,
        origin: Option<&str>,
        cursor: &str,
    ) -> Result<Feed> {
        let (mode, workspace) = (site.identity_mode, site.workspace_id);
        let principal = Principal::Visitor { session: session.clone(), mode, workspace, origin: origin.map(Box::from) };
        // Subscribe before the replay, so that no event is missed between the two.
        let subscription = app.hub.subscribe(principal, true).ok_or(Error::TooManyRequests { retry_after_s: 30 })?;
        // A change of the site before the subscription was not delivered to it: check again.
        let now = app.sites.by_id(site.id).await.map_err(Error::not_found_as(Error::InvalidToken))?;
        session.check(&now, origin)?;
        if now.identity_mode != mode {
            subscription.end(Ending::Reload);
        }
        let holder = Holder::Page(site.id);
        let resume = resume::visitor(app, &session, site, app.cursors.read(holder, cursor)).await?;
        Feed::open(app, subscription, (holder, cursor), resume)
    }

    /// Opens the feed of an operator's console. `present`: a chat is visible on that console.
    pub(super) async fn operator(app: &App, pass: &OperatorPass, cursor: &str, present: bool) -> Result<Feed> {
        let subscription =
            app.hub.subscribe(pass.principal(), present).ok_or(Error::TooManyRequests { retry_after_s: 30 })?;
        // A session that ended between the ticket and the subscription did not end the subscription: check again.
        if !accounts::is_signed_in(&app.accounts, pass.account, pass.session).await? {
            return Err(Error::NotSignedIn);
        }
        // Nor did a change of the membership.
        let member = members::find(&app.store, pass.workspace, pass.account).await?;
        if (member.version, member.role, &member.sites) != (pass.version, pass.role, &pass.sites) {
            subscription.end(Ending::Reload);
        }
        let holder = pass.cursor_holder();
        let resume = resume::operator(app, pass, app.cursors.read(holder, cursor)).await?;
        Feed::open(app, subscription, (holder, cursor), resume)
    }

    fn open(app: &App, subscription: Subscription, (holder, held): (Holder, &str), resume: Resume) -> Result<Feed> {
        // Spread over the interval, so that ten thousand clients that connected together do not share one tick.
        let first = Instant::now() + HEARTBEAT.mul_f64(0.5 + 0.5 * (subscription.id % 97) as f64 / 97.0);
        let mut heartbeat = interval_at(app.hub.align_to_tick(first), HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (app, ready) = (app.clone(), VecDeque::new());
        let Resume::Missed { items, from, upto } = resume else {
            let frame = PlainFrame::Resync { reason: "the events since then are no longer kept".into() };
            let position = Position::new(&app, holder, 0)?;
            return Ok(Feed { app, subscription, position, ready, heartbeat, last: Some((frame, 1000)) });
        };
        let position = Position::new(&app, holder, from)?;
        let mut feed = Feed { app, subscription, position, ready, heartbeat, last: None };
        let welcome = PlainFrame::Welcome { cursor: held.to_owned(), beat_s: HEARTBEAT.as_secs() };
        feed.ready.push_back(welcome.to_json().into());
        // Each event carries its own cursor, so that a client that is disconnected half-way resumes from there.
        for item in items {
            let frame = feed.frame(item);
            feed.ready.extend(frame);
        }
        // The heartbeat after them means that the client has caught up.
        feed.position.advance(&feed.app, upto);
        feed.ready.push_back(feed.heartbeat_frame());
        Ok(feed)
    }

    /// Waits for the next frame. Cancel-safe.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.ready() {
                return next;
            }
            tokio::select! {
                biased;
                item = self.subscription.next() => self.take(item),
                _ = self.heartbeat.tick() => {
                    self.advance_cursor();
                    return Next::Frame(self.heartbeat_frame());
                }
            }
        }
    }

    /// The next frame without waiting; `None` when there is none.
    pub(super) fn ready(&mut self) -> Option<Next> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(Next::Frame(frame));
            }
            // An idle feed keeps no buffer.
            self.ready = VecDeque::new();
            if let Some((frame, code)) = self.last.take() {
                return Some(Next::Last(frame.to_json().into(), code));
            }
            let item = self.subscription.take()?;
            self.take(item);
        }
    }

    fn take(&mut self, item: std::result::Result<Item, Ending>) {
        match item {
            Ok(item) => {
                let frame = self.frame(item);
                self.ready.extend(frame);
            }
            Err(ending) => self.last = Some(last_frame(ending)),
        }
    }

    /// Advances a console's cursor past events that no console hears. One that is sealed stays.
    fn advance_cursor(&mut self) {
        let Holder::Console { workspace, limited: false, .. } = self.position.holder else { return };
        // Read before the queue is checked: every event for this client up to this number is in the queue by then.
        let relayed = self.app.hub.relayed(workspace);
        if self.subscription.is_empty() {
            relayed.map(|n| self.position.advance(&self.app, n));
        }
    }

    fn heartbeat_frame(&self) -> Utf8Bytes {
        PlainFrame::Beat { cursor: self.position.cursor.to_string() }.to_json().into()
    }

    /// Sets whether a chat is visible on the console.
    pub(super) fn set_present(&self, present: bool) {
        self.app.hub.set_present(&self.subscription, present);
    }

    /// Who the client is.
    pub(super) fn principal(&self) -> &Principal {
        &self.subscription.principal
    }

    /// An item's frame; `None` for an event that the replay has delivered already.
    fn frame(&mut self, item: Item) -> Option<Utf8Bytes> {
        match item {
            Item::Signal(frame) => Some(frame),
            Item::Event { n, json } => {
                self.position.advance(&self.app, n).then(|| event_frame(&self.position.cursor, &json))
            }
        }
    }
}

/// Joins a cursor and an event whose JSON is shared by many clients.
fn event_frame(cursor: &str, event: &str) -> Utf8Bytes {
    let mut frame = String::with_capacity(cursor.len() + event.len() + 40);
    // A cursor contains only letters, digits, `-`, `_` and `.`; writing to a string cannot fail.
    let _ = write!(frame, r#"{{"type":"event","cursor":"{cursor}","event":{event}}}"#);
    frame.into()
}

fn last_frame(ending: Ending) -> (PlainFrame, u16) {
    match ending {
        Ending::TooSlow => (bye(ByeReason::TooSlow, Duration::from_secs(1)), 4408),
        Ending::Restart => (bye(ByeReason::Restart, RESTART_SPREAD), 1012),
        Ending::Reload => (PlainFrame::Resync { reason: "what this client may see has changed".into() }, 1000),
        Ending::Refused(code) => {
            let close = if code == ErrorCode::ForbiddenOrigin { 4403 } else { 4401 };
            (PlainFrame::Refused { code, message: "this session has ended".to_owned() }, close)
        }
    }
}
