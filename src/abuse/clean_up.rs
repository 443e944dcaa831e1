//! Removes what an attack left: conversations that started during it without a signed identity and that nobody has
//! answered, and new visitors without other conversations.

use serde::Serialize;

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{Effect, Event, Scope};
use crate::id::{ConversationId, SiteId, VisitorId};
use crate::storage::Tx;
use crate::visitors::Proof;
use crate::{conversations, events, images, messages, search, visitors};

use super::{Abuse, Attack, store};

/// Conversations or visitors removed in one transaction, so that messages do not wait long for the writer.
const BATCH: i64 = 100;
/// Messages removed in one transaction with their conversations, unless a single conversation has more.
const MESSAGE_BATCH: i64 = 500;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct Removed {
    /// Conversations.
    pub conversations: usize,
}

/// Cleans up after the attacks on a site, and dismisses them unless one is in progress. Safe to interrupt and to
/// repeat.
///
/// # Errors
/// `NotFound` when there was no attack.
pub async fn clean_up(abuse: &Abuse, by: &By, site: SiteId) -> Result<Removed> {
    let attack = store::pending(&abuse.store, site).await?.ok_or(Error::NotFound)?;
    let mut removed = Removed::default();
    let mut after = ConversationId(0);
    while let Some((last, count)) = abuse.store.write(move |tx| remove_conversations(tx, site, attack, after)).await? {
        after = last;
        removed.conversations += count;
    }
    let mut after = VisitorId(0);
    while let Some(last) = abuse.store.write(move |tx| remove_visitors(tx, site, attack, after)).await? {
        after = last;
    }
    let (by, over) = (by.clone(), !abuse.floods.is_under_way(site));
    let act = move |tx: &mut Tx| {
        if over {
            store::dismiss(tx, site)?;
        }
        audit::record(tx, &by, Action::AttackCleanedUp, Some(site), &removed.conversations.to_string())?;
        // Consoles may hold removed rows, which no event tells them: they must resync.
        let site_changed = (Scope::site(), Event::SiteChanged);
        events::record(tx, site, vec![site_changed, (Scope::site(), Event::HistoryTruncated)])
    };
    abuse.store.write(act).await?;
    Ok(removed)
}

/// Removes a batch of conversations after an id. Returns the last id and the number; `None` at the end.
fn remove_conversations(
    tx: &mut Tx,
    site: SiteId,
    attack: Attack,
    after: ConversationId,
) -> Result<Option<(ConversationId, usize)>> {
    let period = attack.period(tx.now());
    // Looked for in the transaction that removes them: an answer that came meanwhile keeps its conversation.
    let gone = conversations::store::unanswered(tx, site, period, after, BATCH)?;
    let mut messages = 0;
    let gone: Vec<_> = gone
        .into_iter()
        .take_while(|conversation| {
            let first = messages == 0;
            messages += conversation.last_seq.max(1);
            first || messages <= MESSAGE_BATCH
        })
        .collect();
    let ids: Vec<ConversationId> = gone.iter().map(|conversation| conversation.id).collect();
    let Some(last) = ids.last().copied() else { return Ok(None) };
    images::delete_of_conversations(tx, site, &ids)?;
    // These have no foreign key, which would cost on every message.
    search::store::forget(tx, site, &ids);
    messages::store::forget(tx, site, &ids)?;
    events::store::remove(tx, site, &ids)?;
    conversations::store::remove(tx, site, &ids)?;
    let shown: Vec<(VisitorId, Proof)> = gone.into_iter().map(|c| (c.visitor_id, c.proof)).collect();
    let tokens = visitors::store::end_tokens(tx, site, &shown)?;
    events::effect(tx, Effect::TokensEnded(tokens));
    events::record(tx, site, vec![(Scope::site(), Event::ConversationsRemoved)])?;
    Ok(Some((last, ids.len())))
}

/// Removes a batch of visitors after an id. Returns the last id; `None` at the end.
fn remove_visitors(tx: &mut Tx, site: SiteId, attack: Attack, after: VisitorId) -> Result<Option<VisitorId>> {
    let period = attack.period(tx.now());
    let gone = visitors::store::wrote_nothing(tx, site, period, after, BATCH)?;
    let Some(last) = gone.last().copied() else { return Ok(None) };
    visitors::store::remove(tx, site, &gone)?;
    events::effect(tx, Effect::VisitorsRemoved(site, gone));
    Ok(Some(last))
}
