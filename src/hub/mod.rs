//! The subscribers of this process: every connected page and console.

pub(crate) mod frame;
pub(crate) mod subscriber;
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
use crate::id::{AccountId, SessionId, SiteId, VisitorId, WorkspaceId};
use crate::members::SiteScope;
use crate::sites::Site;
use crate::visitors::{Proof, VisitorSession};

use frame::{ByeReason, Frame, PlainFrame};
use subscriber::{Ending, Principal, Subscriber};

pub use frame::{
    OperatorEvent, OperatorFrame, OperatorHello, OperatorHint, OperatorSignal, VisitorEvent, VisitorFrame,
    VisitorHello, VisitorHint, VisitorSignal,
};
pub use tickets::{OperatorPass, Tickets};

/// Maximum connections of one visitor and proof. Further tabs share a connection or wait for one.
const SUBSCRIBERS_PER_VISITOR: usize = 12;
/// Maximum connections of one operator.
const SUBSCRIBERS_PER_OPERATOR: usize = 20;
/// Maximum clients that authenticate and catch up at once. Others queue for a permit.
const ADMISSIONS: usize = 64;
/// Delay before absence is signalled: a page change closes one connection and opens the next.
const ABSENCE_DELAY: Duration = Duration::from_secs(3);

/// Heartbeats are aligned to ticks of this length, so that about a hundred share one timer wake-up: a wake-up costs more
/// than a heartbeat. At most one in eighty clients gets its heartbeat on the same tick.
const TICK: Duration = Duration::from_millis(250);

/// Knows all subscribers of this process. It never touches the database.
pub struct Hub {
    opened: Instant,
    subscribers: Mutex<Subscribers>,
    next_id: AtomicU64,
    pub(crate) admission: Semaphore,
}

#[derive(Default)]
struct Subscribers {
    visitors: HashMap<(SiteId, VisitorId), Vec<Arc<Subscriber>>>,
    operators: HashMap<WorkspaceId, Vec<Arc<Subscriber>>>,
    /// Of workspaces with a console: every event up to this number is in the queues of its subscribers.
    relayed: HashMap<WorkspaceId, i64>,
    /// The server is stopping: new subscribers are disconnected at once.
    closing: bool,
}

/// A subscriber's registration with the hub. Dropping it unsubscribes.
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    subscriber: Arc<Subscriber>,
}

impl std::ops::Deref for Subscription {
    type Target = Subscriber;
    fn deref(&self) -> &Subscriber {
        &self.subscriber
    }
}

impl Default for Hub {
    fn default() -> Hub {
        Hub {
            opened: Instant::now(),
            subscribers: Mutex::default(),
            next_id: AtomicU64::new(1),
            admission: Semaphore::new(ADMISSIONS),
        }
    }
}

impl Hub {
    /// Registers a subscriber; `None` when the visitor or operator has too many. `present`: a chat is visible there.
    pub(crate) fn subscribe(self: &Arc<Hub>, principal: Principal, present: bool) -> Option<Subscription> {
        let subscriber = Arc::new(Subscriber::new(self.next_id.fetch_add(1, Ordering::Relaxed), principal, present));
        let mut subscribers = self.subscribers();
        let (group, most) = subscribers.group(&subscriber.principal);
        if group.iter().filter(|other| other.principal.is_same_person(&subscriber.principal)).count() >= most {
            return None;
        }
        let first = present && !anybody_present(group, &subscriber.principal);
        group.push(subscriber.clone());
        if subscribers.closing {
            subscriber.end(Ending::Restart);
        }
        drop(subscribers);
        if first {
            self.signal_presence(&subscriber.principal, true);
        }
        Some(Subscription { hub: self.clone(), subscriber })
    }

    /// The first tick at or after `moment`.
    pub(crate) fn align_to_tick(&self, moment: Instant) -> Instant {
        let ticks = moment.saturating_duration_since(self.opened).as_nanos().div_ceil(TICK.as_nanos());
        self.opened + TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
    }

    /// Whether a page of the site is open in a browser that holds this proof of the visitor.
    pub fn is_online(&self, site: SiteId, visitor: VisitorId, proof: &Proof) -> bool {
        let subscribers = self.subscribers();
        let group = subscribers.visitors.get(&(site, visitor));
        group.is_some_and(|group| group.iter().any(|subscriber| subscriber.shows(proof)))
    }

    /// Whether a console of this workspace is connected, visible or not.
    pub fn has_operator(&self, workspace: WorkspaceId) -> bool {
        self.subscribers().operators.contains_key(&workspace)
    }

    /// Whether a chat is visible on the console of a member who answers on this site.
    pub fn is_operator_present(&self, workspace: WorkspaceId, site: SiteId) -> bool {
        let subscribers = self.subscribers();
        let group = subscribers.operators.get(&workspace).into_iter().flatten();
        group.filter(|subscriber| subscriber.is_present()).any(|subscriber| subscriber.principal.answers_on(site))
    }

    /// Whether a console of this member is open and visible.
    pub fn is_member_online(&self, workspace: WorkspaceId, member: AccountId) -> bool {
        self.consoles_of(workspace, member).iter().any(|subscriber| subscriber.is_present())
    }

    /// Sets whether a chat is visible on a console.
    pub(crate) fn set_present(self: &Arc<Hub>, subscriber: &Subscription, present: bool) {
        self.change_presence(&subscriber.principal, present, |other| other.id == subscriber.id);
    }

    /// Sets the same for all consoles of a session: a request cannot name one of its streams.
    pub(crate) fn set_session_present(self: &Arc<Hub>, pass: &OperatorPass, present: bool) {
        let is_same_session = |other: &Subscriber| matches!(&other.principal, Principal::Operator { session, .. } if *session == pass.session);
        self.change_presence(&pass.principal(), present, is_same_session);
    }

    fn change_presence(self: &Arc<Hub>, principal: &Principal, present: bool, is_meant: impl Fn(&Subscriber) -> bool) {
        let (before, after) = {
            let mut subscribers = self.subscribers();
            let (group, _) = subscribers.group(principal);
            let before = anybody_present(group, principal);
            group
                .iter()
                .filter(|subscriber| is_meant(subscriber))
                .for_each(|subscriber| subscriber.present.store(present, Ordering::Relaxed));
            let after = anybody_present(group, principal);
            if group.is_empty() {
                subscribers.remove_group(principal);
            }
            (before, after)
        };
        match (before, after) {
            (false, true) => self.signal_presence(principal, true),
            (true, false) => self.signal_absence_later(principal.clone()),
            (true, true) | (false, false) => {}
        }
    }

    /// Number of connected pages and consoles.
    pub fn counts(&self) -> (usize, usize) {
        let subscribers = self.subscribers();
        (subscribers.visitors.values().map(Vec::len).sum(), subscribers.operators.values().map(Vec::len).sum())
    }

    /// Delivers an event to the consoles of the members who look after the site.
    pub(crate) fn deliver_to_operators(&self, (workspace, site): (WorkspaceId, SiteId), n: i64, json: &Arc<str>) {
        let subscribers = self.subscribers();
        let group = subscribers.operators.get(&workspace).into_iter().flatten();
        for subscriber in group.filter(|subscriber| subscriber.principal.looks_after(site)) {
            subscriber.deliver(n, json.clone());
        }
    }

    /// Records that this event of a workspace and all before it are in the queues of their subscribers.
    pub(crate) fn record_relayed(&self, workspace: WorkspaceId, n: i64) {
        let mut subscribers = self.subscribers();
        if subscribers.operators.contains_key(&workspace) {
            subscribers.relayed.insert(workspace, n);
        }
    }

    /// The number up to which events of a workspace are in the queues of its consoles; `None` when none was relayed since
    /// the first of them connected.
    pub(crate) fn relayed(&self, workspace: WorkspaceId) -> Option<i64> {
        self.subscribers().relayed.get(&workspace).copied()
    }

    /// Whether a page of this visitor is connected.
    pub(crate) fn has_visitor(&self, site: SiteId, visitor: VisitorId) -> bool {
        self.subscribers().visitors.contains_key(&(site, visitor))
    }

    /// Delivers an event to the pages of a visitor that may read the conversation of `proof`.
    pub(crate) fn deliver_to_visitor(
        &self,
        (site, visitor): (SiteId, VisitorId),
        proof: &Proof,
        n: i64,
        json: &Arc<str>,
    ) {
        for subscriber in self.subscribers().visitors.get(&(site, visitor)).into_iter().flatten() {
            if subscriber.may_receive(visitor, proof) {
                subscriber.deliver(n, json.clone());
            }
        }
    }

    /// Sends a signal to the consoles of the members who look after the site.
    pub fn signal_operators(&self, (workspace, site): (WorkspaceId, SiteId), signal: OperatorSignal) {
        let frame = shared(signal);
        let subscribers = self.subscribers();
        let group = subscribers.operators.get(&workspace).into_iter().flatten();
        for subscriber in group.filter(|subscriber| subscriber.principal.looks_after(site)) {
            subscriber.signal(frame.clone());
        }
    }

    /// Sends a signal to the pages of a visitor that may read the conversation of `proof`.
    pub fn signal_visitor(&self, key: (SiteId, VisitorId), proof: &Proof, signal: VisitorSignal) {
        let frame = shared(signal);
        for subscriber in self.subscribers().visitors.get(&key).into_iter().flatten() {
            if subscriber.may_receive(key.1, proof) {
                subscriber.signal(frame.clone());
            }
        }
    }

    /// Disconnects the pages whose session `ended` selects, because it is no longer valid.
    pub fn end_visitors(&self, ended: impl Fn(&VisitorSession) -> bool) {
        self.end(
            ErrorCode::InvalidToken,
            |principal| matches!(principal, Principal::Visitor { session, .. } if ended(session)),
        );
    }

    /// Disconnects the consoles of a session that was revoked or signed out.
    pub fn end_session(&self, ended: SessionId) {
        self.end(
            ErrorCode::NotSignedIn,
            |principal| matches!(principal, Principal::Operator { session, .. } if *session == ended),
        );
    }

    /// Disconnects all consoles of an account.
    pub fn end_account(&self, ended: AccountId) {
        self.end(
            ErrorCode::NotSignedIn,
            |principal| matches!(principal, Principal::Operator { account, .. } if *account == ended),
        );
    }

    /// Disconnects the pages of a deleted site.
    pub fn end_site(&self, site: SiteId) {
        self.end(
            ErrorCode::UnknownSite,
            |principal| matches!(principal, Principal::Visitor { session, .. } if session.site_id == site),
        );
    }

    /// Applies a site's current policy: disconnects pages that it no longer allows and resyncs pages whose access changed.
    pub fn enforce_policy(&self, site: &Site) {
        for subscriber in self.all() {
            let Principal::Visitor { session, mode, origin, .. } = &subscriber.principal else { continue };
            if session.site_id != site.id {
                continue;
            }
            match session.check(site, origin.as_deref()) {
                Err(error) => subscriber.end(Ending::Refused(error.code())),
                Ok(()) if *mode != site.identity_mode => subscriber.end(Ending::Reload),
                Ok(()) => {}
            }
        }
    }

    /// Resyncs the pages of a site, because their access has changed.
    pub fn reload_site(&self, site: SiteId) {
        for subscriber in self.all() {
            if matches!(&subscriber.principal, Principal::Visitor { session, .. } if session.site_id == site) {
                subscriber.end(Ending::Reload);
            }
        }
    }

    /// Resyncs the consoles of a member, because what they may do or see has changed.
    pub fn reload_member(&self, workspace: WorkspaceId, member: AccountId) {
        self.consoles_of(workspace, member).iter().for_each(|subscriber| subscriber.end(Ending::Reload));
    }

    /// Disconnects the consoles of somebody who is a member no longer.
    pub fn end_member(&self, workspace: WorkspaceId, member: AccountId) {
        let consoles = self.consoles_of(workspace, member);
        consoles.iter().for_each(|subscriber| subscriber.end(Ending::Refused(ErrorCode::NotFound)));
    }

    /// Tells the consoles of members with all sites that the team has changed. Members limited to sites would learn from it
    /// that something happens on others.
    pub fn signal_team_changed(&self, workspace: WorkspaceId) {
        let frame = shared(OperatorSignal::TeamChanged {});
        for subscriber in self.subscribers().operators.get(&workspace).into_iter().flatten() {
            if matches!(&subscriber.principal, Principal::Operator { sites: SiteScope::All, .. }) {
                subscriber.signal(frame.clone());
            }
        }
    }

    fn consoles_of(&self, workspace: WorkspaceId, member: AccountId) -> Vec<Arc<Subscriber>> {
        let subscribers = self.subscribers();
        let group = subscribers.operators.get(&workspace).into_iter().flatten();
        let own =
            |principal: &Principal| matches!(principal, Principal::Operator { account, .. } if *account == member);
        group.filter(|subscriber| own(&subscriber.principal)).cloned().collect()
    }

    /// Resyncs the consoles of the members who look after the site.
    pub fn reload_operators(&self, (workspace, site): (WorkspaceId, SiteId)) {
        let subscribers = self.subscribers();
        let group = subscribers.operators.get(&workspace).into_iter().flatten();
        for subscriber in group.filter(|subscriber| subscriber.principal.looks_after(site)) {
            subscriber.end(Ending::Reload);
        }
    }

    /// Disconnects all subscribers, present and future; they reconnect when the server runs again.
    pub fn close(&self) {
        self.subscribers().closing = true;
        self.all().iter().for_each(|subscriber| subscriber.end(Ending::Restart));
    }

    fn end(&self, code: ErrorCode, ended: impl Fn(&Principal) -> bool) {
        for subscriber in self.all().iter().filter(|subscriber| ended(&subscriber.principal)) {
            subscriber.end(Ending::Refused(code));
        }
    }

    fn all(&self) -> Vec<Arc<Subscriber>> {
        let subscribers = self.subscribers();
        subscribers.visitors.values().chain(subscribers.operators.values()).flatten().cloned().collect()
    }

    fn unsubscribe(self: &Arc<Hub>, subscriber: &Arc<Subscriber>) {
        let mut subscribers = self.subscribers();
        let (group, _) = subscribers.group(&subscriber.principal);
        let before = anybody_present(group, &subscriber.principal);
        group.retain(|other| other.id != subscriber.id);
        let last = before && !anybody_present(group, &subscriber.principal);
        if group.is_empty() {
            subscribers.remove_group(&subscriber.principal);
        }
        drop(subscribers);
        if last {
            self.signal_absence_later(subscriber.principal.clone());
        }
    }

    fn signal_absence_later(self: &Arc<Hub>, principal: Principal) {
        let hub = Arc::downgrade(self);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            tokio::time::sleep(ABSENCE_DELAY).await;
            let Some(hub) = hub.upgrade() else { return };
            hub.signal_presence(&principal, false);
        });
    }

    /// Signals a visitor's presence to the site's operators, and an operator's presence to all visitors of its sites. A
    /// signal that no longer matches is not sent: a visitor may have reconnected before its absence was signalled.
    fn signal_presence(&self, principal: &Principal, online: bool) {
        match principal {
            Principal::Visitor { session, mode, workspace, .. } => {
                let (site_id, visitor_id) = (session.site_id, session.visitor_id);
                for proof in session.shown_by(*mode) {
                    if online == self.is_online(site_id, visitor_id, proof) {
                        let proof = proof.clone();
                        let signal = OperatorSignal::Presence { site_id, visitor_id, proof, online };
                        self.signal_operators((*workspace, site_id), signal);
                    }
                }
            }
            Principal::Operator { workspace, .. } => self.signal_operators_online(*workspace, principal, online),
        }
    }

    /// Tells colleagues, and the pages of the sites on which `operator` answers. Nothing has changed for pages of sites where
    /// a colleague is present.
    fn signal_operators_online(&self, workspace: WorkspaceId, operator: &Principal, online: bool) {
        let frame = shared(VisitorSignal::Operators { online });
        let subscribers = self.subscribers();
        let present = subscribers.operators.get(&workspace).into_iter().flatten().filter(|other| other.is_present());
        let (own, colleagues): (Vec<_>, Vec<_>) = present.partition(|other| other.principal.is_same_person(operator));
        if own.is_empty() == online {
            return;
        }
        let Principal::Operator { account, sites, .. } = operator else { return };
        let member_online = shared(OperatorSignal::MemberOnline { account_id: *account, online });
        for console in subscribers.operators.get(&workspace).into_iter().flatten() {
            if matches!(&console.principal, Principal::Operator { sites: its, .. } if its.meets(sites)) {
                console.signal(member_online.clone());
            }
        }
        for page in subscribers.visitors.values().flatten() {
            let Principal::Visitor { session, workspace: its, .. } = &page.principal else { continue };
            let is_covered = || colleagues.iter().any(|other| other.principal.answers_on(session.site_id));
            if *its == workspace && operator.answers_on(session.site_id) && !is_covered() {
                page.signal(frame.clone());
            }
        }
    }

    fn subscribers(&self) -> MutexGuard<'_, Subscribers> {
        // Never held across an await, and every change is complete, so a poisoned map is still valid.
        self.subscribers.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Subscribers {
    fn group(&mut self, principal: &Principal) -> (&mut Vec<Arc<Subscriber>>, usize) {
        match principal {
            Principal::Visitor { session, .. } => {
                (self.visitors.entry((session.site_id, session.visitor_id)).or_default(), SUBSCRIBERS_PER_VISITOR)
            }
            Principal::Operator { workspace, .. } => {
                (self.operators.entry(*workspace).or_default(), SUBSCRIBERS_PER_OPERATOR)
            }
        }
    }

    fn remove_group(&mut self, principal: &Principal) {
        match principal {
            Principal::Visitor { session, .. } => drop(self.visitors.remove(&(session.site_id, session.visitor_id))),
            Principal::Operator { workspace, .. } => {
                self.operators.remove(workspace);
                self.relayed.remove(workspace);
            }
        }
    }
}

impl Subscriber {
    fn is_present(&self) -> bool {
        self.present.load(Ordering::Relaxed)
    }

    /// Whether this visitor's presence is shown in the conversations of `proof`.
    fn shows(&self, proof: &Proof) -> bool {
        matches!(&self.principal, Principal::Visitor { session, mode, .. } if session.shown_by(*mode).contains(&proof))
    }

    fn may_receive(&self, visitor: VisitorId, proof: &Proof) -> bool {
        matches!(&self.principal, Principal::Visitor { session, mode, .. } if may_read(session, *mode, visitor, proof))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.unsubscribe(&self.subscriber);
    }
}

/// Whether the person is present with one of its subscribers.
fn anybody_present(group: &[Arc<Subscriber>], principal: &Principal) -> bool {
    group.iter().any(|subscriber| subscriber.is_present() && subscriber.principal.is_same_person(principal))
}

/// A signal's frame, serialised once for all subscribers.
fn shared<S: serde::Serialize>(signal: S) -> Utf8Bytes {
    Frame::<(), _>::Signal { signal }.to_json().into()
}

/// A frame that asks a client to reconnect after a random delay of at most `within`.
pub(crate) fn bye(reason: ByeReason, within: Duration) -> PlainFrame {
    let mut random = [0; 2];
    // Without randomness all clients reconnect at the same moment, as they would with a fixed delay.
    let _ = getrandom::fill(&mut random);
    let share = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
    let millis = within.as_millis().min(60_000) as f64 * share;
    Frame::Bye { reason, retry_after_ms: millis as u64 }
}
