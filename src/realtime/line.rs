//! What goes down to one client, whatever carries it: catching up, events, signals, beats, and the end.

use std::collections::VecDeque;
use std::fmt::Write;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::accounts;
use crate::app::App;
use crate::error::{Error, ErrorCode, Result};
use crate::events::{Cursor, Position};
use crate::sites::Site;
use crate::visitors::VisitorSession;

use super::BEAT;
use super::resume::{self, Resume};
use crate::hub::OperatorPass;
use crate::hub::frame::{ByeReason, PlainFrame};
use crate::hub::subscriber::{Ending, Item, Principal};
use crate::hub::{Subscription, bye};

/// Clients of a stopping server come back within this.
const RESTART_SPREAD: Duration = Duration::from_secs(4);

/// The next thing for the wire.
pub(super) enum Next {
    /// A frame.
    Frame(Utf8Bytes),
    /// A last frame, and the WebSocket close code.
    Last(Utf8Bytes, u16),
}

/// The way down to one client.
pub(super) struct Line {
    app: App,
    subscription: Subscription,
    cursor: Cursor,
    ready: VecDeque<Utf8Bytes>,
    beat: Interval,
    last: Option<(PlainFrame, u16)>,
}

impl Line {
    /// Opens a visitor's line, on a page of this origin.
    pub(super) async fn visitor(
        app: &App,
        session: VisitorSession,
        site: &Site,
        origin: Option<&str>,
        cursor: &str,
    ) -> Result<Line> {
        let (mode, owner) = (site.identity_mode, site.owner_id);
        let principal = Principal::Visitor { session: session.clone(), mode, owner, origin: origin.map(Box::from) };
        // The seat comes first, so that nothing can happen between catching up and listening.
        let subscription = app.hub.subscribe(principal, true).ok_or(Error::TooManyRequests { retry_after_s: 30 })?;
        // A change of the site from before the seat was taken has told nobody.
        let now = app.sites.by_id(site.id).await.map_err(Error::not_found_as(Error::InvalidToken))?;
        session.check(&now, origin)?;
        if now.identity_mode != mode {
            subscription.end(Ending::Reload);
        }
        let resume = match Cursor::parse(cursor) {
            Some(held) => resume::visitor(app, &session, mode, &held).await?,
            None => Resume::Resync,
        };
        Ok(Line::open(app, subscription, cursor, resume))
    }

    /// Opens an operator's line. `present`: somebody can see a chat on that console.
    pub(super) async fn operator(app: &App, pass: &OperatorPass, cursor: &str, present: bool) -> Result<Line> {
        let principal = Principal::Operator { account: pass.account, session: pass.session };
        let subscription = app.hub.subscribe(principal, present).ok_or(Error::TooManyRequests { retry_after_s: 30 })?;
        // A session that ended after its ticket was made, and before the seat was taken, has told nobody.
        if !accounts::is_signed_in(&app.accounts, pass.account, pass.session).await? {
            return Err(Error::NotSignedIn);
        }
        let resume = match Cursor::parse(cursor) {
            Some(held) => resume::operator(app, pass.account, &held).await?,
            None => Resume::Resync,
        };
        Ok(Line::open(app, subscription, cursor, resume))
    }

    fn open(app: &App, subscription: Subscription, held: &str, resume: Resume) -> Line {
        // Spread over the beat, so that ten thousand clients that came together do not beat together.
        let first = Instant::now() + BEAT.mul_f64(0.5 + 0.5 * (subscription.id % 97) as f64 / 97.0);
        let mut beat = interval_at(app.hub.align_to_tick(first), BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (app, ready) = (app.clone(), VecDeque::new());
        let Resume::Missed { items, from, upto } = resume else {
            let frame = PlainFrame::Resync { reason: "the events since then are no longer kept".into() };
            let cursor = Cursor::of_everything(app.store.epoch(), Position::default());
            return Line { app, subscription, cursor, ready, beat, last: Some((frame, 1000)) };
        };
        let mut line = Line { app, subscription, cursor: from, ready, beat, last: None };
        let welcome = PlainFrame::Welcome { cursor: held.to_owned(), beat_s: BEAT.as_secs() };
        line.ready.push_back(welcome.to_json().into());
        // Each event says how far it brings the client, so that one that is cut off half-way goes on from there.
        for item in items {
            let frame = line.frame(item);
            line.ready.extend(frame);
        }
        // The beat after them says that it has caught up.
        line.cursor = upto;
        line.ready.push_back(line.beat_frame());
        line
    }

    /// The next frame. Safe to drop while waiting.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.ready() {
                return next;
            }
            tokio::select! {
                biased;
                item = self.subscription.next() => self.take(item),
                _ = self.beat.tick() => {
                    self.pass_what_is_not_for_it();
                    return Next::Frame(self.beat_frame());
                }
            }
        }
    }

    /// The next frame, where there is one without waiting.
    pub(super) fn ready(&mut self) -> Option<Next> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(Next::Frame(frame));
            }
            // An idle line keeps no buffer.
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

    /// Goes on over what others were told: a console whose own sites are quiet must not fall behind.
    fn pass_what_is_not_for_it(&mut self) {
        // Asked before the seat is looked at: what it had to hear up to there was put into it.
        let relayed = self.app.hub.relayed();
        if self.subscription.is_empty() {
            self.cursor.pass(relayed);
        }
    }

    fn beat_frame(&self) -> Utf8Bytes {
        PlainFrame::Beat { cursor: self.cursor.to_text() }.to_json().into()
    }

    /// The console says whether somebody can see a chat on it.
    pub(super) fn set_present(&self, present: bool) {
        self.app.hub.set_present(&self.subscription, present);
    }

    /// The client was heard, or is known to be there.
    pub(super) fn principal(&self) -> &Principal {
        &self.subscription.principal
    }

    /// An item's frame; none for an event that catching up has told already.
    fn frame(&mut self, item: Item) -> Option<Utf8Bytes> {
        match item {
            Item::Signal(frame) => Some(frame),
            Item::Event { place, json } => self.cursor.hear(place).then(|| event_frame(&self.cursor.to_text(), &json)),
        }
    }
}

/// Joins a cursor and an event whose JSON is shared by many clients.
fn event_frame(cursor: &str, event: &str) -> Utf8Bytes {
    let mut frame = String::with_capacity(cursor.len() + event.len() + 40);
    // A cursor holds letters, digits, `-`, `_` and `.` only; writing to a string cannot fail.
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
