//! Removing what an attack left behind: the new, unverified visitors of its time whom nobody has answered, with
//! everything they wrote.

use std::collections::HashSet;

use serde::Serialize;

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId, VisitorId};
use crate::{conversations, events, images, messages, sites, visitors};

use super::{Attack, store};

/// Visitors removed in one commit, so that nobody's message waits long for the writer.
const BATCH: i64 = 100;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct Removed {
    /// Visitors.
    pub visitors: usize,
}

/// Cleans up after the attacks on a site, and settles them unless one is under way. Safe to break off and to repeat.
///
/// # Errors
/// `NotFound` when there was no attack.
pub async fn clean_up(app: &App, by: &By, site: SiteId) -> Result<Removed> {
    let attack = store::unsettled(&app.store, site).await?.ok_or(Error::NotFound)?;
    let owner = app.sites.by_id(site).await?.owner_id;
    let mut removed = Removed::default();
    let mut after = VisitorId(0);
    while let Some(last) = remove_some(app, site, attack, after, &mut removed).await? {
        after = last;
    }
    let mut tx = app.store.begin().await?;
    if !app.attacks.floods.is_under_way(site) {
        store::settle(&mut tx, site).await?;
    }
    audit::record(&mut tx, by, Action::AttackCleanedUp, Some(site), &removed.visitors.to_string()).await?;
    sites::changed(app, &mut tx, site).await?;
    // Who was away may hold what is gone: there is no way from the past of this log to its present.
    events::store::break_off(&mut tx, site).await?;
    let hub = app.hub.clone();
    tx.after_commit(move || hub.reload_account(owner));
    tx.commit().await?;
    Ok(removed)
}

/// Removes some visitors after one number; answers the last number that was looked at, none at the end.
async fn remove_some(
    app: &App,
    site: SiteId,
    attack: Attack,
    after: VisitorId,
    removed: &mut Removed,
) -> Result<Option<VisitorId>> {
    let mut tx = app.store.begin().await?;
    let span = attack.span(tx.now());
    // Looked for in the transaction that removes them: an answer that came meanwhile keeps its visitor.
    let gone = visitors::store::unanswered(&mut tx, site, span, after, BATCH).await?;
    let Some(last) = gone.last().copied() else { return Ok(None) };
    let keys: Vec<(SiteId, VisitorId)> = gone.iter().map(|visitor| (site, *visitor)).collect();
    let threads = conversations::store::of_visitors_in(&mut tx, &keys).await?;
    let threads: Vec<ConversationId> = threads.into_iter().map(|conversation| conversation.id).collect();
    images::forget(app, &mut tx, site, &threads).await?;
    // These have no foreign key, which would cost on every message.
    messages::store::forget(&mut tx, site, &threads).await?;
    visitors::store::remove(&mut tx, site, &gone).await?;
    removed.visitors += gone.len();
    let app = app.clone();
    tx.after_commit(move || {
        let gone: HashSet<VisitorId> = gone.into_iter().collect();
        app.visitors.forget(|session| session.site_id == site && gone.contains(&session.visitor_id));
        app.hub.end_visitors(site, &gone);
    });
    tx.commit().await?;
    Ok(Some(last))
}
