//! Effects: what a commit changes outside of the database. Recorded as data in the transaction and applied after it.

use crate::id::{AccountId, SessionId, SiteId, TokenId, VisitorId, WorkspaceId};
use crate::storage::Tx;

use super::Recorded;

/// Something outside of the database that a commit invalidates or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// These visitors' tokens are deleted: their sessions end, also on open pages.
    TokensEnded(Vec<TokenId>),
    /// These visitors' tokens have changed: cached sessions are read again at the next use. Open pages stay connected.
    TokensChanged(Vec<TokenId>),
    /// These visitors of a site are deleted, with their tokens.
    VisitorsRemoved(SiteId, Vec<VisitorId>),
    /// These sessions of operators have ended: their connections are closed.
    SessionsEnded(Vec<SessionId>),
    /// An account is deleted: all connections of its sessions are closed.
    AccountEnded(AccountId),
    /// A member's role, sites or activity have changed: their consoles of the workspace load anew, and
    /// their colleagues are told.
    MemberChanged(WorkspaceId, AccountId),
    /// Somebody is a member no longer: their consoles of the workspace are closed, and their colleagues are
    /// told.
    MemberRemoved(WorkspaceId, AccountId),
    /// The invitations of a workspace have changed.
    InvitationsChanged(WorkspaceId),
    /// A site's settings or keys have changed: the cached site is read again at the next use.
    SiteChanged(SiteId),
    /// A site's policy for sessions or pages has changed: open connections that it no longer allows are closed.
    PolicyChanged(SiteId),
    /// A site is deleted: its connections are closed and its rows are purged.
    SiteDeleted(SiteId),
    /// Files are orphaned: the sweep removes them.
    FilesOrphaned,
}

/// The events and effects of a transaction, returned once it is durable.
#[derive(Debug, Default)]
pub struct Committed {
    /// Events to deliver, in the order of their numbers.
    pub events: Vec<Recorded>,
    /// Effects to apply, in the order in which they were recorded, before the events.
    pub effects: Vec<Effect>,
}

/// Applies an effect once `tx` is durable, before its caller gets the result.
pub fn effect(tx: &mut Tx, effect: Effect) {
    tx.outcome::<Committed>().effects.push(effect);
}
