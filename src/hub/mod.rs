//! Everybody who is connected to this process.

pub(crate) mod frame;
pub(crate) mod seat;
mod tickets;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::conversations::may_read;
use crate::error::ErrorCode;
use crate::events::{Number, Place, Position};
use crate::id::{AccountId, SessionId, SiteId, VisitorId};
use crate::sites::Site;
use crate::visitors::{Proof, VisitorSession};

use frame::{ByeReason, Frame, PlainFrame};
use seat::{Ending, Seat, Who};

pub use frame::{
    OperatorEvent, OperatorFrame, OperatorHello, OperatorHint, OperatorSignal, VisitorEvent, VisitorFrame,
    VisitorHello, VisitorHint, VisitorSignal,
};
pub use tickets::{OperatorPass, Tickets};

/// Connections of one visitor and proof: more tabs than that share, or take turns.
const SEATS_PER_VISITOR: usize = 12;
/// Connections of one operator.
const SEATS_PER_OPERATOR: usize = 20;
/// Clients that may authenticate and catch up at once; a storm queues outside.
const ADMITTED: usize = 64;
/// A page change closes one connection and opens the next: absence is told only after this.
const ABSENCE: Duration = Duration::from_secs(3);

/// Beats fall on strokes this far apart: waking up costs more than a beat, and a hundred share one wake-up. An eightieth
/// of all clients beat together at the most.
const STROKE: Duration = Duration::from_millis(250);

/// The seats of this process.
pub struct Hub {
    opened: Instant,
    seats: Mutex<Seats>,
    next_id: AtomicU64,
    pub(crate) admission: Semaphore,
}

#[derive(Default)]
struct Seats {
    visitors: HashMap<(SiteId, VisitorId), Vec<Arc<Seat>>>,
    operators: HashMap<AccountId, Vec<Arc<Seat>>>,
    relayed: Position,
    /// The server stops: whoever still comes is sent away at once.
    closing: bool,
}

/// A seat that is taken; dropping it leaves.
pub(crate) struct Seated {
    hub: Arc<Hub>,
    seat: Arc<Seat>,
}

impl std::ops::Deref for Seated {
    type Target = Seat;
    fn deref(&self) -> &Seat {
        &self.seat
    }
}

impl Default for Hub {
    fn default() -> Hub {
        Hub {
            opened: Instant::now(),
            seats: Mutex::default(),
            next_id: AtomicU64::new(1),
            admission: Semaphore::new(ADMITTED),
        }
    }
}

impl Hub {
    /// Takes a seat; none when its owner has too many. `present`: somebody can see a chat there.
    pub(crate) fn sit(self: &Arc<Hub>, who: Who, present: bool) -> Option<Seated> {
        let seat = Arc::new(Seat::new(self.next_id.fetch_add(1, Ordering::Relaxed), who, present));
        let mut seats = self.seats();
        let (row, most) = seats.row(&seat.who);
        if row.iter().filter(|other| other.who.is_as_proven(&seat.who)).count() >= most {
            return None;
        }
        let first = present && !anybody_present(row, &seat.who);
        row.push(seat.clone());
        if seats.closing {
            seat.end(Ending::Restart);
        }
        drop(seats);
        if first {
            self.tell_presence(&seat.who, true);
        }
        Some(Seated { hub: self.clone(), seat })
    }

    /// The first stroke from `moment` on.
    pub(crate) fn on_the_stroke(&self, moment: Instant) -> Instant {
        let strokes = moment.saturating_duration_since(self.opened).as_nanos().div_ceil(STROKE.as_nanos());
        self.opened + STROKE * u32::try_from(strokes).unwrap_or(u32::MAX)
    }

    /// Is a page of the site open in a browser that shows this proof of being the visitor?
    pub fn is_online(&self, site: SiteId, visitor: VisitorId, proof: &Proof) -> bool {
        let seats = self.seats();
        let row = seats.visitors.get(&(site, visitor));
        row.is_some_and(|row| row.iter().any(|seat| seat.shows(proof)))
    }

    /// Is a console of this account connected, in sight or not?
    pub fn has_operator(&self, account: AccountId) -> bool {
        self.seats().operators.contains_key(&account)
    }

    /// Can somebody see a chat on a console of this account?
    pub fn is_operator_present(&self, account: AccountId) -> bool {
        self.seats().operators.get(&account).is_some_and(|row| row.iter().any(|seat| seat.is_present()))
    }

    /// A console says whether somebody can see a chat on it.
    pub(crate) fn set_present(self: &Arc<Hub>, seat: &Seated, present: bool) {
        self.change_presence(&seat.who, present, |other| other.id == seat.id);
    }

    /// The same for the consoles of a session, whose streams cannot be told apart.
    pub(crate) fn set_session_present(self: &Arc<Hub>, account: AccountId, session: SessionId, present: bool) {
        let who = Who::Operator { account, session };
        let of_session = |other: &Seat| matches!(&other.who, Who::Operator { session: its, .. } if *its == session);
        self.change_presence(&who, present, of_session);
    }

    fn change_presence(self: &Arc<Hub>, who: &Who, present: bool, is_meant: impl Fn(&Seat) -> bool) {
        let (before, after) = {
            let mut seats = self.seats();
            let (row, _) = seats.row(who);
            let before = anybody_present(row, who);
            row.iter().filter(|seat| is_meant(seat)).for_each(|seat| seat.present.store(present, Ordering::Relaxed));
            let after = anybody_present(row, who);
            if row.is_empty() {
                seats.clear_row(who);
            }
            (before, after)
        };
        match (before, after) {
            (false, true) => self.tell_presence(who, true),
            (true, false) => self.tell_absence_later(who.clone()),
            (true, true) | (false, false) => {}
        }
    }

    /// Connected visitors and operators.
    pub fn counts(&self) -> (usize, usize) {
        let seats = self.seats();
        (seats.visitors.values().map(Vec::len).sum(), seats.operators.values().map(Vec::len).sum())
    }

    /// Tells an event to the consoles of an account.
    pub(crate) fn tell_operators(&self, account: AccountId, place: Place, json: &Arc<str>) {
        for seat in self.seats().operators.get(&account).into_iter().flatten() {
            seat.tell(place, json.clone());
        }
    }

    /// Notes that whoever hears this event has it in its seat, and all events before.
    pub(crate) fn note_relayed(&self, number: Number) {
        let mut seats = self.seats();
        seats.relayed = seats.relayed.with(number);
    }

    /// Up to where events are in the seats of those who hear them, since the start.
    pub(crate) fn relayed(&self) -> Position {
        self.seats().relayed
    }

    /// Does anybody sit who may hear about this conversation?
    pub(crate) fn has_visitor(&self, site: SiteId, visitor: VisitorId) -> bool {
        self.seats().visitors.contains_key(&(site, visitor))
    }

    /// Tells an event to the pages of a visitor that may read the conversation of `proof`.
    pub(crate) fn tell_visitor(
        &self,
        (site, visitor): (SiteId, VisitorId),
        proof: &Proof,
        place: Place,
        json: &Arc<str>,
    ) {
        for seat in self.seats().visitors.get(&(site, visitor)).into_iter().flatten() {
            if seat.may_hear(visitor, proof) {
                seat.tell(place, json.clone());
            }
        }
    }

    /// Signals the consoles of an account.
    pub fn signal_operators(&self, account: AccountId, signal: OperatorSignal) {
        let frame = shared(signal);
        for seat in self.seats().operators.get(&account).into_iter().flatten() {
            seat.signal(frame.clone());
        }
    }

    /// Signals the pages of a visitor that may read the conversation of `proof`.
    pub fn signal_visitor(&self, key: (SiteId, VisitorId), proof: &Proof, signal: VisitorSignal) {
        let frame = shared(signal);
        for seat in self.seats().visitors.get(&key).into_iter().flatten() {
            if seat.may_hear(key.1, proof) {
                seat.signal(frame.clone());
            }
        }
    }

    /// Ends the pages whose visitor's session `ended` names: it is no longer good.
    pub fn end_visitors(&self, ended: impl Fn(&VisitorSession) -> bool) {
        self.end(ErrorCode::InvalidToken, |who| matches!(who, Who::Visitor { session, .. } if ended(session)));
    }

    /// Ends the consoles of a session that was revoked or signed out.
    pub fn end_session(&self, ended: SessionId) {
        self.end(ErrorCode::NotSignedIn, |who| matches!(who, Who::Operator { session, .. } if *session == ended));
    }

    /// Ends all consoles of an account.
    pub fn end_account(&self, ended: AccountId) {
        self.end(ErrorCode::NotSignedIn, |who| matches!(who, Who::Operator { account, .. } if *account == ended));
    }

    /// Ends the pages of a site that was deleted.
    pub fn end_site(&self, site: SiteId) {
        self.end(ErrorCode::UnknownSite, |who| matches!(who, Who::Visitor { session, .. } if session.site_id == site));
    }

    /// Ends the pages that a site does not allow any more, as it is now; those that may see more or less load anew.
    pub fn judge(&self, site: &Site) {
        for seat in self.all() {
            let Who::Visitor { session, mode, origin, .. } = &seat.who else { continue };
            if session.site_id != site.id {
                continue;
            }
            match session.check(site, origin.as_deref()) {
                Err(error) => seat.end(Ending::Refused(error.code())),
                Ok(()) if *mode != site.identity_mode => seat.end(Ending::Reload),
                Ok(()) => {}
            }
        }
    }

    /// Has the pages of a site load anew, because what they may see has changed.
    pub fn reload_site(&self, site: SiteId) {
        for seat in self.all() {
            if matches!(&seat.who, Who::Visitor { session, .. } if session.site_id == site) {
                seat.end(Ending::Reload);
            }
        }
    }

    /// Has the consoles of an account load anew.
    pub fn reload_account(&self, reloaded: AccountId) {
        for seat in self.seats().operators.get(&reloaded).into_iter().flatten() {
            seat.end(Ending::Reload);
        }
    }

    /// Sends everybody away, to come back when the server runs again. Who comes from now on is sent away as well.
    pub fn close(&self) {
        self.seats().closing = true;
        self.all().iter().for_each(|seat| seat.end(Ending::Restart));
    }

    fn end(&self, code: ErrorCode, ended: impl Fn(&Who) -> bool) {
        for seat in self.all().iter().filter(|seat| ended(&seat.who)) {
            seat.end(Ending::Refused(code));
        }
    }

    fn all(&self) -> Vec<Arc<Seat>> {
        let seats = self.seats();
        seats.visitors.values().chain(seats.operators.values()).flatten().cloned().collect()
    }

    fn leave(self: &Arc<Hub>, seat: &Arc<Seat>) {
        let mut seats = self.seats();
        let (row, _) = seats.row(&seat.who);
        let before = anybody_present(row, &seat.who);
        row.retain(|other| other.id != seat.id);
        let last = before && !anybody_present(row, &seat.who);
        if row.is_empty() {
            seats.clear_row(&seat.who);
        }
        drop(seats);
        if last {
            self.tell_absence_later(seat.who.clone());
        }
    }

    fn tell_absence_later(self: &Arc<Hub>, who: Who) {
        let hub = Arc::downgrade(self);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            tokio::time::sleep(ABSENCE).await;
            let Some(hub) = hub.upgrade() else { return };
            hub.tell_presence(&who, false);
        });
    }

    /// A visitor's coming and going is told to the site's operators; theirs to all visitors of their sites. That somebody
    /// went is told unless they are back.
    fn tell_presence(&self, who: &Who, online: bool) {
        match who {
            Who::Visitor { session, mode, owner, .. } => {
                let (site_id, visitor_id) = (session.site_id, session.visitor_id);
                for proof in session.shown_by(*mode) {
                    if online == self.is_online(site_id, visitor_id, proof) {
                        let proof = proof.clone();
                        let signal = OperatorSignal::Presence { site_id, visitor_id, proof, online };
                        self.signal_operators(*owner, signal);
                    }
                }
            }
            Who::Operator { account, .. } if online == self.is_operator_present(*account) => {
                let frame = shared(VisitorSignal::Operators { online });
                for seat in self.seats().visitors.values().flatten() {
                    if matches!(&seat.who, Who::Visitor { owner, .. } if owner == account) {
                        seat.signal(frame.clone());
                    }
                }
            }
            Who::Operator { .. } => {}
        }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        // Never held across an await, and every change is whole, so a poisoned map is still good.
        self.seats.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Seats {
    fn row(&mut self, who: &Who) -> (&mut Vec<Arc<Seat>>, usize) {
        match who {
            Who::Visitor { session, .. } => {
                (self.visitors.entry((session.site_id, session.visitor_id)).or_default(), SEATS_PER_VISITOR)
            }
            Who::Operator { account, .. } => (self.operators.entry(*account).or_default(), SEATS_PER_OPERATOR),
        }
    }

    fn clear_row(&mut self, who: &Who) {
        match who {
            Who::Visitor { session, .. } => drop(self.visitors.remove(&(session.site_id, session.visitor_id))),
            Who::Operator { account, .. } => drop(self.operators.remove(account)),
        }
    }
}

impl Seat {
    fn is_present(&self) -> bool {
        self.present.load(Ordering::Relaxed)
    }

    /// Is what its visitor does shown in the conversations of `proof`?
    fn shows(&self, proof: &Proof) -> bool {
        matches!(&self.who, Who::Visitor { session, mode, .. } if session.shown_by(*mode).contains(&proof))
    }

    fn may_hear(&self, visitor: VisitorId, proof: &Proof) -> bool {
        matches!(&self.who, Who::Visitor { session, mode, .. } if may_read(session, *mode, visitor, proof))
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.hub.leave(&self.seat);
    }
}

/// Is somebody there who comes with the same proof?
fn anybody_present(row: &[Arc<Seat>], who: &Who) -> bool {
    row.iter().any(|seat| seat.is_present() && seat.who.is_as_proven(who))
}

/// A signal's frame, made once for all who hear it.
fn shared<S: serde::Serialize>(signal: S) -> Utf8Bytes {
    Frame::<(), _>::Signal { signal }.to_json().into()
}

/// A frame that sends a client away for a random while of at most `within`.
pub(crate) fn bye(reason: ByeReason, within: Duration) -> PlainFrame {
    let mut random = [0; 2];
    // Without randomness all come back at the same moment, which is what a fixed delay would do as well.
    let _ = getrandom::fill(&mut random);
    let share = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
    let millis = within.as_millis().min(60_000) as f64 * share;
    Frame::Bye { reason, retry_after_ms: millis as u64 }
}
