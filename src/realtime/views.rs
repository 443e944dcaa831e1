//! Views of events: what a batch of events refers to, loaded in a few statements, and shown to each side.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::App;
use crate::conversations::{self, ConversationForOperator, ConversationForVisitor};
use crate::error::Result;
use crate::events::{Audience, Event, Recorded};
use crate::id::{ConversationId, SiteId, VisitorId};
use crate::inbox;
use crate::messages::{self, Message};
use crate::visitors::{self, Proof, VisitorForOperator};

use crate::hub::frame::{OperatorEvent, VisitorEvent};

/// What a batch of events refers to.
#[derive(Default)]
pub(super) struct EventViews {
    messages: HashMap<(SiteId, ConversationId, i64), Arc<Message>>,
    for_operators: HashMap<(SiteId, ConversationId), ConversationForOperator>,
    for_visitors: HashMap<(SiteId, ConversationId), ConversationForVisitor>,
    visitors: HashMap<(SiteId, VisitorId, Proof), VisitorForOperator>,
}

impl EventViews {
    /// Loads what the events refer to. Deleted things are left out, and their events are not delivered.
    pub(super) async fn load(app: &App, events: &[Recorded]) -> Result<EventViews> {
        let mut views = EventViews::default();
        let (mut keys, mut changed, mut who) = (Vec::new(), Vec::new(), Vec::new());
        for recorded in events {
            match &recorded.event {
                Event::MessageSent { conversation_id, seq } => {
                    let key = (recorded.site, *conversation_id, *seq);
                    match recorded.carried::<Message>() {
                        Some(message) => drop(views.messages.insert(key, message)),
                        None => keys.push(key),
                    }
                }
                Event::ConversationChanged { conversation_id } => changed.push((recorded.site, *conversation_id)),
                Event::VisitorChanged { visitor_id } => {
                    who.extend(recorded.scope.proof.as_ref().map(|proof| (recorded.site, *visitor_id, proof)));
                }
                Event::Delivered { .. }
                | Event::Seen { .. }
                | Event::SiteChanged
                | Event::HistoryTruncated
                | Event::ConversationsRemoved => {}
            }
        }
        for message in messages::store::at(&app.store, &keys).await? {
            let key = (message.site_id, message.conversation_id, message.seq);
            views.messages.insert(key, Arc::new(message));
        }
        if !changed.is_empty() {
            views.load_conversations(app, &changed).await?;
        }
        if !who.is_empty() {
            for visitor in visitors::store::find_many(&app.store, &who).await? {
                let online = app.hub.is_online(visitor.site_id, visitor.id, &visitor.proof);
                let key = (visitor.site_id, visitor.id, visitor.proof.clone());
                views.visitors.insert(key, visitor.for_operator(online));
            }
        }
        Ok(views)
    }

    async fn load_conversations(&mut self, app: &App, keys: &[(SiteId, ConversationId)]) -> Result<()> {
        for conversation in conversations::store::find_many(&app.store, keys).await? {
            self.for_visitors.insert((conversation.site_id, conversation.id), conversation.for_visitor());
        }
        for conversation in inbox::load_for_operator(&app.store, &app.hub, keys).await? {
            self.for_operators.insert((conversation.site_id, conversation.id), conversation);
        }
        Ok(())
    }

    /// An event as operators of its site may see it; `None` when it is not for operators or its subject is deleted.
    pub(super) fn for_operator(&self, recorded: &Recorded) -> Option<OperatorEvent> {
        if recorded.event.audience() == Audience::Server {
            return None;
        }
        let site_id = recorded.site;
        Some(match &recorded.event {
            Event::MessageSent { conversation_id, seq } => {
                let message = self.messages.get(&(site_id, *conversation_id, *seq))?;
                OperatorEvent::MessageSent { message: message.for_operator() }
            }
            Event::ConversationChanged { conversation_id } => {
                let conversation = self.for_operators.get(&(site_id, *conversation_id))?;
                OperatorEvent::ConversationChanged { conversation: Box::new(conversation.clone()) }
            }
            Event::Delivered { conversation_id, by, seq, .. } => {
                OperatorEvent::Delivered { site_id, conversation_id: *conversation_id, by: *by, seq: *seq }
            }
            Event::Seen { conversation_id, by, seq, unread, .. } => {
                let (conversation_id, by, seq, unread) = (*conversation_id, *by, *seq, *unread);
                OperatorEvent::Seen { site_id, conversation_id, by, seq, unread }
            }
            Event::VisitorChanged { visitor_id } => {
                let visitor = self.visitors.get(&(site_id, *visitor_id, recorded.scope.proof.clone()?))?;
                OperatorEvent::VisitorChanged { visitor: Box::new(visitor.clone()) }
            }
            Event::SiteChanged => OperatorEvent::SiteChanged { site_id },
            Event::HistoryTruncated | Event::ConversationsRemoved => return None,
        })
    }

    /// An event as its visitor may see it; `None` when it is not for visitors or its subject is deleted.
    pub(super) fn for_visitor(&self, recorded: &Recorded) -> Option<VisitorEvent> {
        recorded.hearing_visitor()?;
        let site_id = recorded.site;
        Some(match &recorded.event {
            Event::MessageSent { conversation_id, seq } => {
                let message = self.messages.get(&(site_id, *conversation_id, *seq))?;
                VisitorEvent::MessageSent { message: message.for_visitor() }
            }
            Event::ConversationChanged { conversation_id } => {
                let conversation = self.for_visitors.get(&(site_id, *conversation_id))?;
                VisitorEvent::ConversationChanged { conversation: conversation.clone() }
            }
            Event::Delivered { public_id, by, seq, .. } => {
                VisitorEvent::Delivered { conversation: public_id.clone(), by: *by, seq: *seq }
            }
            Event::Seen { public_id, by, seq, .. } => {
                VisitorEvent::Seen { conversation: public_id.clone(), by: *by, seq: *seq }
            }
            Event::VisitorChanged { .. }
            | Event::SiteChanged
            | Event::HistoryTruncated
            | Event::ConversationsRemoved => return None,
        })
    }
}

/// An event's JSON, as a frame contains it.
pub(super) fn json<E: serde::Serialize>(event: &E) -> Arc<str> {
    // Our own types: strings, numbers and lists, which always serialise.
    serde_json::to_string(event).unwrap_or_default().into()
}
