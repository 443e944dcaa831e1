//! Delivers committed events to the queues of their subscribers, in commit order.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use crate::app::App;
use crate::events::{Event, Published, Recorded};
use crate::id::WorkspaceId;

use super::views::{self, EventViews};

/// Relays until the log is closed. One task, so that every socket receives events in the order of the log.
pub async fn relay(app: App, mut committed: mpsc::UnboundedReceiver<Published>) {
    while let Some(events) = committed.recv().await {
        for recorded in events {
            let global = recorded.numbers.global;
            relay_one(&app, recorded).await;
            app.hub.record_relayed(global);
        }
    }
}

async fn relay_one(app: &App, recorded: Recorded) {
    // A deleted site has no subscribers.
    let Ok(site) = app.sites.by_id(recorded.site).await else { return };
    // A panic over one event must not end all live delivery.
    if AssertUnwindSafe(deliver(app, site.workspace_id, recorded)).catch_unwind().await.is_err() {
        tracing::error!("delivering an event panicked; its subscribers resync");
        app.hub.reload_site(site.id);
        app.hub.reload_operators(site.workspace_id);
    }
}

async fn deliver(app: &App, workspace: WorkspaceId, recorded: Recorded) {
    let to_operators = app.hub.has_operator(workspace);
    let to_visitor = visitor_key(&recorded).is_some_and(|(site, visitor)| app.hub.has_visitor(site, visitor));
    if !to_operators && !to_visitor {
        return;
    }
    if recorded.event == Event::HistoryTruncated {
        return app.hub.reload_operators(workspace);
    }
    let recorded = [recorded];
    let views = match EventViews::load(app, &recorded).await {
        Ok(views) => views,
        Err(error) => {
            // Subscribers of this event must not receive a later one: their cursors would skip this one.
            tracing::error!(%error, "an event could not be read; its subscribers resync");
            app.hub.reload_site(recorded[0].site);
            return app.hub.reload_operators(workspace);
        }
    };
    let [recorded] = &recorded;
    if to_operators && let Some(event) = views.for_operator(recorded) {
        app.hub.deliver_to_operators((workspace, recorded.site), recorded.numbers, &views::json(&event));
    }
    if let (Some(key), Some(proof)) = (visitor_key(recorded), &recorded.scope.proof)
        && to_visitor
        && let Some(event) = views.for_visitor(recorded)
    {
        app.hub.deliver_to_visitor(key, proof, recorded.numbers, &views::json(&event));
    }
}

fn visitor_key(recorded: &Recorded) -> Option<(crate::id::SiteId, crate::id::VisitorId)> {
    recorded.scope.proof.as_ref()?;
    Some((recorded.site, recorded.scope.visitor?))
}
