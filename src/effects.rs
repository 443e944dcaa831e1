//! Applies the effects of each commit and passes its events to the relay. Nothing else does.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::events::{Committed, Effect, Log};
use crate::hub::Hub;
use crate::id::{SiteId, TokenId, VisitorId};
use crate::images::Images;
use crate::sites::Directory;
use crate::visitors::{Sessions, VisitorSession};

/// What effects change: the caches of database rows, and the connected clients.
#[derive(Clone)]
pub struct Effects {
    /// Where events go on from.
    pub events: Log,
    /// Sites by number and key.
    pub sites: Directory,
    /// Visitors by token.
    pub visitors: Arc<Sessions>,
    /// Everybody who is connected.
    pub hub: Arc<Hub>,
    /// The image store, whose orphaned files are swept.
    pub images: Arc<Images>,
    /// Wakes the task that purges deleted sites.
    pub deleted_sites: Arc<Notify>,
    /// Runs the work that needs the database, which the writer thread must not wait for.
    pub runtime: Handle,
}

impl Effects {
    /// Applies the effects of one commit. Called on the writer thread in commit order, before the transaction's caller gets its
    /// result and before the next transaction begins, so it must not block.
    pub fn apply(&self, committed: Committed) {
        committed.effects.into_iter().for_each(|effect| self.apply_one(effect));
        self.events.publish(committed.events);
    }

    fn apply_one(&self, effect: Effect) {
        match effect {
            Effect::TokensEnded(tokens) => {
                let tokens: HashSet<TokenId> = tokens.into_iter().collect();
                self.end_visitors(|session| tokens.contains(&session.token_id));
            }
            Effect::TokensChanged(tokens) => self.visitors.forget(|session| tokens.contains(&session.token_id)),
            Effect::VisitorsRemoved(site, visitors) => {
                let visitors: HashSet<VisitorId> = visitors.into_iter().collect();
                self.end_visitors(|session| session.site_id == site && visitors.contains(&session.visitor_id));
            }
            Effect::SessionsEnded(sessions) => sessions.into_iter().for_each(|session| self.hub.end_session(session)),
            Effect::AccountEnded(account) => self.hub.end_account(account),
            Effect::MemberChanged(workspace, account) => {
                self.hub.reload_member(workspace, account);
                self.hub.signal_team_changed(workspace);
            }
            Effect::MemberRemoved(workspace, account) => {
                self.hub.end_member(workspace, account);
                self.hub.signal_team_changed(workspace);
            }
            Effect::InvitationsChanged(workspace) => self.hub.signal_team_changed(workspace),
            Effect::SiteChanged(site) => self.sites.forget(site),
            Effect::PolicyChanged(site) => {
                self.sites.forget(site);
                self.runtime.spawn(enforce_policy(self.sites.clone(), self.hub.clone(), site));
            }
            Effect::SiteDeleted(site) => {
                self.sites.forget(site);
                self.visitors.forget(|session| session.site_id == site);
                self.hub.end_site(site);
                self.deleted_sites.notify_one();
            }
            Effect::FilesOrphaned => self.images.wake_sweep(),
        }
    }

    /// Ends visitors' sessions whose tokens are gone, in memory and on open pages: one pass over all of them, however many end.
    fn end_visitors(&self, ended: impl Fn(&VisitorSession) -> bool) {
        self.visitors.forget(&ended);
        self.hub.end_visitors(&ended);
    }
}

/// Closes the open pages that a site does not allow any more. A task of its own, because the site is read first.
async fn enforce_policy(sites: Directory, hub: Arc<Hub>, site: SiteId) {
    match sites.by_id(site).await {
        Ok(site) => hub.enforce_policy(&site),
        // It was deleted meanwhile, which closes all of its pages; or it cannot be read, and they load anew.
        Err(_) => hub.reload_site(site),
    }
}
