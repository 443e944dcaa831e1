//! Delivers committed events to the queues of their subscribers, in commit order.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use crate::app::App;
use crate::error::Result;
use crate::events::{Audience, Event, Published, Recorded};

use super::views::{self, EventViews};

/// Relays until the log is closed. One task, so that every socket receives events in the order of its workspace's log.
pub async fn relay(app: App, mut committed: mpsc::UnboundedReceiver<Published>) {
    while let Some(events) = committed.recv().await {
        for recorded in events {
            let (workspace, n) = (recorded.workspace, recorded.n);
            relay_one(&app, recorded).await;
            app.hub.record_relayed(workspace, n);
        }
    }
}

async fn relay_one(app: &App, recorded: Recorded) {
    let (workspace, site) = (recorded.workspace, recorded.site);
    // A panic over one event must not end all live delivery.
    match AssertUnwindSafe(deliver(app, recorded)).catch_unwind().await {
        Ok(Ok(())) => return,
        // Subscribers of this event must not receive a later one: their cursors would skip this one.
        Ok(Err(error)) => tracing::error!(%error, "an event could not be read; its subscribers resync"),
        Err(_) => tracing::error!("delivering an event panicked; its subscribers resync"),
    }
    app.hub.reload_site(site);
    app.hub.reload_operators((workspace, site));
}

async fn deliver(app: &App, recorded: Recorded) -> Result<()> {
    let (workspace, site) = (recorded.workspace, recorded.site);
    let to_operators = recorded.event.audience() != Audience::Server && app.hub.has_operator(workspace);
    let to_visitor = recorded.hearing_visitor().is_some_and(|(visitor, _)| app.hub.has_visitor(site, visitor));
    if !to_operators && !to_visitor {
        return Ok(());
    }
    if recorded.event == Event::HistoryTruncated {
        app.hub.reload_operators((workspace, site));
        return Ok(());
    }
    let recorded = [recorded];
    let views = EventViews::load(app, &recorded).await?;
    let [recorded] = &recorded;
    if to_operators && let Some(event) = views.for_operator(recorded) {
        app.hub.deliver_to_operators((workspace, site), recorded.n, &views::json(&event));
    }
    if to_visitor
        && let Some((visitor, proof)) = recorded.hearing_visitor()
        && let Some(event) = views.for_visitor(recorded)
    {
        app.hub.deliver_to_visitor((site, visitor), proof, recorded.n, &views::json(&event));
    }
    Ok(())
}
