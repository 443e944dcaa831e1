//! Hints from clients: watermarks, typing, where a visitor is. They change nothing that matters when they are lost.

use crate::app::App;
use crate::conversations::{self, Conversation, Mark, Reached, Side, State};
use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId};
use crate::sites::Site;
use crate::visitors::VisitorSession;

use super::frame::{OperatorHint, OperatorSignal, VisitorHint, VisitorSignal};
use super::tickets::OperatorPass;

/// Takes a visitor's hint.
///
/// # Errors
/// `NotFound` for a conversation that is not its own.
pub async fn from_visitor(app: &App, site: &Site, session: &VisitorSession, hint: VisitorHint) -> Result<()> {
    match hint {
        VisitorHint::Alive {} => Ok(()),
        VisitorHint::Typing {} => visitor_types(app, site, session).await,
        VisitorHint::Delivered { conversation, seq } => {
            visitor_reached(app, site, session, &conversation, Mark::Delivered, seq).await
        }
        VisitorHint::Seen { conversation, seq } => {
            visitor_reached(app, site, session, &conversation, Mark::Seen, seq).await
        }
        VisitorHint::Page { page } => {
            let (site_id, visitor_id, page) = (session.site_id, session.visitor_id, page.bounded());
            for proof in session.shown_by(site.identity_mode) {
                let (proof, page) = (proof.clone(), page.clone());
                let signal = OperatorSignal::Page { site_id, visitor_id, proof, page };
                app.hub.signal_operators(site.owner_id, signal);
            }
            Ok(())
        }
    }
}

async fn visitor_types(app: &App, site: &Site, session: &VisitorSession) -> Result<()> {
    if !app.hub.has_operator(site.owner_id) {
        return Ok(());
    }
    let conversations = conversations::store::of_visitor(&app.store, session).await?;
    let own = conversations.iter().filter(|c| c.is_visible_to(session, site.identity_mode));
    if let Some(current) = own.max_by_key(|c| (c.state == State::Open, c.updated_at)) {
        let signal = OperatorSignal::Typing { site_id: current.site_id, conversation_id: current.id };
        app.hub.signal_operators(site.owner_id, signal);
    }
    Ok(())
}

async fn visitor_reached(
    app: &App,
    site: &Site,
    session: &VisitorSession,
    conversation: &str,
    mark: Mark,
    seq: i64,
) -> Result<()> {
    let found = conversations::store::find_public(&app.store, session.site_id, conversation).await?;
    let own = found.filter(|c| c.is_visible_to(session, site.identity_mode)).ok_or(Error::NotFound)?;
    app.marks.note(Reached { site: own.site_id, conversation: own.id, side: Side::Visitor, mark, seq });
    Ok(())
}

/// Takes an operator's hint.
///
/// # Errors
/// `NotFound` for a site that is not the operator's, or a conversation that is not the site's.
pub async fn from_operator(app: &App, pass: &OperatorPass, hint: OperatorHint) -> Result<()> {
    match hint {
        OperatorHint::Alive {} => Ok(()),
        OperatorHint::Present { present } => {
            app.hub.set_session_present(pass.account, pass.session, present);
            Ok(())
        }
        OperatorHint::Typing { site_id, conversation_id } => {
            let conversation = own(app, pass, site_id, conversation_id).await?;
            let name = Some(pass.name.clone());
            let signal = VisitorSignal::Typing { conversation: conversation.public_id, name };
            app.hub.signal_visitor((site_id, conversation.visitor_id), &conversation.proof, signal);
            Ok(())
        }
        OperatorHint::Delivered { site_id, conversation_id, seq } => {
            operator_reached(app, pass, (site_id, conversation_id), Mark::Delivered, seq).await
        }
        OperatorHint::Seen { site_id, conversation_id, seq } => {
            operator_reached(app, pass, (site_id, conversation_id), Mark::Seen, seq).await
        }
    }
}

async fn operator_reached(
    app: &App,
    pass: &OperatorPass,
    (site, conversation): (SiteId, ConversationId),
    mark: Mark,
    seq: i64,
) -> Result<()> {
    owned(app, pass, site).await?;
    // The conversation is looked up with its site when the mark is written; one of another site is not found there.
    app.marks.note(Reached { site, conversation, side: Side::Agent, mark, seq });
    Ok(())
}

async fn own(app: &App, pass: &OperatorPass, site: SiteId, id: ConversationId) -> Result<Conversation> {
    owned(app, pass, site).await?;
    conversations::store::find(&app.store, site, id).await?.ok_or(Error::NotFound)
}

async fn owned(app: &App, pass: &OperatorPass, site: SiteId) -> Result<()> {
    let site = app.sites.by_id(site).await.map_err(|_| Error::NotFound)?;
    if site.owner_id == pass.account { Ok(()) } else { Err(Error::NotFound) }
}
