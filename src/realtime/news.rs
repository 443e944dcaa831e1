//! Events with what they refer to: loaded in a few statements for any number of events, then seen from each side.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::App;
use crate::conversations::{self, ConversationForOperator, ConversationForVisitor};
use crate::error::Result;
use crate::events::{Event, Recorded};
use crate::id::{ConversationId, SiteId, VisitorId};
use crate::inbox;
use crate::messages::{self, Message};
use crate::visitors::{self, Proof, VisitorForOperator};

use crate::hub::frame::{OperatorEvent, VisitorEvent};

/// What some events refer to.
#[derive(Default)]
pub(super) struct News {
    messages: HashMap<(SiteId, ConversationId, i64), Arc<Message>>,
    for_operators: HashMap<(SiteId, ConversationId), ConversationForOperator>,
    for_visitors: HashMap<(SiteId, ConversationId), ConversationForVisitor>,
    visitors: HashMap<(SiteId, VisitorId, Proof), VisitorForOperator>,
}

impl News {
    /// Loads what the events refer to. What is gone meanwhile is left out, and its events are not told.
    pub(super) async fn load(app: &App, events: &[Recorded]) -> Result<News> {
        let mut news = News::default();
        let (mut places, mut changed, mut who) = (Vec::new(), Vec::new(), Vec::new());
        for recorded in events {
            match &recorded.event {
                Event::MessageSent { conversation_id, seq } => {
                    let place = (recorded.site, *conversation_id, *seq);
                    match recorded.carried::<Message>() {
                        Some(message) => drop(news.messages.insert(place, message)),
                        None => places.push(place),
                    }
                }
                Event::ConversationChanged { conversation_id } => changed.push((recorded.site, *conversation_id)),
                Event::VisitorChanged { visitor_id } => {
                    who.extend(recorded.scope.proof.as_ref().map(|proof| (recorded.site, *visitor_id, proof)));
                }
                Event::Delivered { .. } | Event::Seen { .. } | Event::SiteChanged | Event::BrokenOff => {}
            }
        }
        for message in messages::store::at(&app.store, &places).await? {
            let place = (message.site_id, message.conversation_id, message.seq);
            news.messages.insert(place, Arc::new(message));
        }
        if !changed.is_empty() {
            news.load_conversations(app, &changed).await?;
        }
        if !who.is_empty() {
            for visitor in visitors::store::find_many(&app.store, &who).await? {
                let online = app.hub.is_online(visitor.site_id, visitor.id, &visitor.proof);
                let key = (visitor.site_id, visitor.id, visitor.proof.clone());
                news.visitors.insert(key, visitor.for_operator(online));
            }
        }
        Ok(news)
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

    /// As an operator of the site may know it.
    pub(super) fn for_operator(&self, recorded: &Recorded) -> Option<OperatorEvent> {
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
            Event::BrokenOff => return None,
        })
    }

    /// As the visitor that the event is about may know it; none where it is not for visitors.
    pub(super) fn for_visitor(&self, recorded: &Recorded) -> Option<VisitorEvent> {
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
            Event::VisitorChanged { .. } | Event::SiteChanged | Event::BrokenOff => return None,
        })
    }
}

/// An event's JSON, as it stands inside a frame.
pub(super) fn json<E: serde::Serialize>(event: &E) -> Arc<str> {
    // Our own types: strings, numbers and lists, which always serialise.
    serde_json::to_string(event).unwrap_or_default().into()
}
