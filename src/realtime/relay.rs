//! From committed events to the seats of those who may hear them, in commit order.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use crate::app::App;
use crate::events::{Event, Published, Recorded};
use crate::id::AccountId;

use super::news::{self, News};

/// Relays until the log is closed. One task, so that the order of the log is the order on every socket.
pub async fn relay(app: App, mut committed: mpsc::UnboundedReceiver<Published>) {
    while let Some(events) = committed.recv().await {
        for recorded in events {
            let number = recorded.place.number;
            pass_on(&app, recorded).await;
            app.hub.record_relayed(number);
        }
    }
}

async fn pass_on(app: &App, recorded: Recorded) {
    // A site that is gone has nobody to tell.
    let Ok(site) = app.sites.by_id(recorded.site).await else { return };
    // A panic over one event must not end all live news.
    if AssertUnwindSafe(tell(app, site.owner_id, recorded)).catch_unwind().await.is_err() {
        tracing::error!("telling an event panicked; its listeners load anew");
        app.hub.reload_site(site.id);
        app.hub.reload_account(site.owner_id);
    }
}

async fn tell(app: &App, owner: AccountId, recorded: Recorded) {
    let to_operators = app.hub.has_operator(owner);
    let to_visitor = visitor_key(&recorded).is_some_and(|(site, visitor)| app.hub.has_visitor(site, visitor));
    if !to_operators && !to_visitor {
        return;
    }
    if recorded.event == Event::BrokenOff {
        return app.hub.reload_account(owner);
    }
    let recorded = [recorded];
    let news = match News::load(app, &recorded).await {
        Ok(news) => news,
        Err(error) => {
            // Whoever should hear this must not go on to the next event: its cursor would pass over this one.
            tracing::error!(%error, "an event could not be read; its listeners load anew");
            app.hub.reload_site(recorded[0].site);
            return app.hub.reload_account(owner);
        }
    };
    let [recorded] = &recorded;
    if to_operators && let Some(event) = news.for_operator(recorded) {
        app.hub.deliver_to_operators(owner, recorded.place, &news::json(&event));
    }
    if let (Some(key), Some(proof)) = (visitor_key(recorded), &recorded.scope.proof)
        && to_visitor
        && let Some(event) = news.for_visitor(recorded)
    {
        app.hub.deliver_to_visitor(key, proof, recorded.place, &news::json(&event));
    }
}

fn visitor_key(recorded: &Recorded) -> Option<(crate::id::SiteId, crate::id::VisitorId)> {
    recorded.scope.proof.as_ref()?;
    Some((recorded.site, recorded.scope.visitor?))
}
