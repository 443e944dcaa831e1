//! Removing what an attack left behind: conversations that began in its time without a signed identity and that nobody
//! has answered, and new visitors who then have none.

use serde::Serialize;

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId, VisitorId};
use crate::visitors::Proof;
use crate::{conversations, events, images, messages, sites, visitors};

use super::{Attack, store};

/// Conversations or visitors removed in one commit, so that nobody's message waits long for the writer.
const BATCH: i64 = 100;
/// Messages removed in one commit with their conversations, unless one conversation has more.
const MESSAGES: i64 = 500;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct Removed {
    /// Conversations.
    pub conversations: usize,
}

/// Cleans up after the attacks on a site, and dismisses them unless one is under way. Safe to break off and to repeat.
///
/// # Errors
/// `NotFound` when there was no attack.
pub async fn clean_up(app: &App, by: &By, site: SiteId) -> Result<Removed> {
    let attack = store::pending(&app.store, site).await?.ok_or(Error::NotFound)?;
    let mut removed = Removed::default();
    let mut after = ConversationId(0);
    while let Some((last, count)) = remove_conversations(app, site, attack, after).await? {
        after = last;
        removed.conversations += count;
    }
    let mut after = VisitorId(0);
    while let Some(last) = remove_visitors(app, site, attack, after).await? {
        after = last;
    }
    let mut tx = app.store.begin().await?;
    if !app.abuse.floods.is_under_way(site) {
        store::dismiss(&mut tx, site).await?;
    }
    audit::record(&mut tx, by, Action::AttackCleanedUp, Some(site), &removed.conversations.to_string()).await?;
    sites::changed(app, &mut tx, site).await?;
    // Who was away may hold what is gone: there is no way from the past of this log to its present.
    let end = app.events.end(&app.store, site).await?;
    app.events.break_off(&mut tx, site).await?;
    tx.commit().await?;
    events::trim_site(app, site, end).await?;
    Ok(removed)
}

/// Removes some conversations after one number; answers the last number and how many, nothing at the end.
async fn remove_conversations(
    app: &App,
    site: SiteId,
    attack: Attack,
    after: ConversationId,
) -> Result<Option<(ConversationId, usize)>> {
    let mut tx = app.store.begin().await?;
    let period = attack.period(tx.now());
    // Looked for in the transaction that removes them: an answer that came meanwhile keeps its conversation.
    let gone = conversations::store::unanswered(&mut tx, site, period, after, BATCH).await?;
    let mut messages = 0;
    let gone: Vec<_> = gone
        .into_iter()
        .take_while(|conversation| {
            let first = messages == 0;
            messages += conversation.last_seq.max(1);
            first || messages <= MESSAGES
        })
        .collect();
    let ids: Vec<ConversationId> = gone.iter().map(|conversation| conversation.id).collect();
    let Some(last) = ids.last().copied() else { return Ok(None) };
    images::forget(app, &mut tx, site, &ids).await?;
    // These have no foreign key, which would cost on every message.
    messages::store::forget(&mut tx, site, &ids).await?;
    conversations::store::remove(&mut tx, site, &ids).await?;
    let shown: Vec<(VisitorId, Proof)> = gone.into_iter().map(|c| (c.visitor_id, c.proof)).collect();
    let tokens = visitors::store::end_tokens(&mut tx, site, &shown).await?;
    let app = app.clone();
    tx.after_commit(move || app.end_visitors(|session| tokens.contains(&session.token_id)));
    tx.commit().await?;
    Ok(Some((last, ids.len())))
}

/// Removes some visitors after one number; answers the last number, nothing at the end.
async fn remove_visitors(app: &App, site: SiteId, attack: Attack, after: VisitorId) -> Result<Option<VisitorId>> {
    let mut tx = app.store.begin().await?;
    let period = attack.period(tx.now());
    let gone = visitors::store::wrote_nothing(&mut tx, site, period, after, BATCH).await?;
    let Some(last) = gone.last().copied() else { return Ok(None) };
    visitors::store::remove(&mut tx, site, &gone).await?;
    let app = app.clone();
    tx.after_commit(move || {
        app.end_visitors(|session| session.site_id == site && gone.contains(&session.visitor_id));
    });
    tx.commit().await?;
    Ok(Some(last))
}
