//! Effects: what a commit changes outside of the database, recorded as data in its transaction and applied after it.

use crate::id::{AccountId, SessionId, SiteId, TokenId, VisitorId};
use crate::storage::Tx;

use super::Recorded;

/// Something outside of the database that a commit makes out of date or brings to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// These visitors' tokens are gone: their sessions end, also on open pages.
    TokensEnded(Vec<TokenId>),
    /// What is known of these visitors' tokens has changed: it is read again at the next use. Open pages stay.
    TokensChanged(Vec<TokenId>),
    /// These visitors of a site are gone, with their tokens.
    VisitorsRemoved(SiteId, Vec<VisitorId>),
    /// These sessions of operators are over: what is open under them closes.
    SessionsEnded(Vec<SessionId>),
    /// An account is gone: what is open under any of its sessions closes.
    AccountEnded(AccountId),
    /// A site's settings or keys have changed: they are read again at the next use.
    SiteChanged(SiteId),
    /// A site allows other sessions or pages than before: open ones that it does not allow any more are closed.
    PolicyChanged(SiteId),
    /// A site is gone: what is open on it closes, and its rows are purged.
    SiteDeleted(SiteId),
    /// Files have lost their rows: they are removed.
    FilesOrphaned,
}

/// What a transaction hands over once it is durable.
#[derive(Debug, Default)]
pub struct Committed {
    /// Events to deliver, in the order of their numbers.
    pub events: Vec<Recorded>,
    /// Effects to apply, in the order in which they were recorded. They come before the events.
    pub effects: Vec<Effect>,
}

/// Has an effect applied once `tx` is durable, before its caller is answered.
pub fn effect(tx: &mut Tx, effect: Effect) {
    tx.outcome::<Committed>().effects.push(effect);
}
