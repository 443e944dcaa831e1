//! After each commit: its effects are applied and its events handed to the relay. The one place that does so.

use tokio::runtime::Handle;

use crate::app::App;
use crate::events::{Committed, Effect};
use crate::id::SiteId;
use crate::visitors::VisitorSession;

/// Has what each transaction of this product leaves applied from now on. Runs on the writer's thread, in commit order, before
/// the caller is answered and before the next transaction begins.
pub(super) fn apply_after_commits(app: &App) {
    // The store is part of the product: what it holds must not keep the product alive.
    let (parts, runtime) = (app.downgrade(), Handle::current());
    app.store.on_commit(move |committed: Committed| {
        if let Some(app) = App::upgrade(&parts) {
            committed.effects.into_iter().for_each(|effect| apply(&app, &runtime, effect));
            app.events.publish(committed.events);
        }
    });
}

fn apply(app: &App, runtime: &Handle, effect: Effect) {
    match effect {
        Effect::TokensEnded(tokens) => end_visitors(app, |session| tokens.contains(&session.token_id)),
        Effect::TokensChanged(tokens) => app.visitors.forget(|session| tokens.contains(&session.token_id)),
        Effect::VisitorsRemoved(site, visitors) => {
            end_visitors(app, |session| session.site_id == site && visitors.contains(&session.visitor_id));
        }
        Effect::SessionsEnded(sessions) => sessions.into_iter().for_each(|session| app.hub.end_session(session)),
        Effect::AccountEnded(account) => app.hub.end_account(account),
        Effect::SiteChanged(site) => app.sites.forget(site),
        Effect::PolicyChanged(site) => {
            app.sites.forget(site);
            runtime.spawn(judge(app.clone(), site));
        }
        Effect::SiteDeleted(site) => {
            app.sites.forget(site);
            app.visitors.forget(|session| session.site_id == site);
            app.hub.end_site(site);
            app.deleted_sites.notify_one();
        }
        Effect::FilesOrphaned => app.images.wake_sweep(),
    }
}

/// Ends visitors' sessions whose tokens are gone: in memory and on their open pages. One look at all of them, however many
/// end.
fn end_visitors(app: &App, ended: impl Fn(&VisitorSession) -> bool) {
    app.visitors.forget(&ended);
    app.hub.end_visitors(&ended);
}

/// Closes the open pages that a site does not allow any more. Not on the writer's thread, because the site is read first.
async fn judge(app: App, site: SiteId) {
    match app.sites.by_id(site).await {
        Ok(site) => app.hub.judge(&site),
        // It was deleted meanwhile, which closes all of its pages; or it cannot be read, and they load anew.
        Err(_) => app.hub.reload_site(site),
    }
}
