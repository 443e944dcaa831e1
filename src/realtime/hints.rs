//! Hints from clients: receipts, typing, the visitor's page. A lost hint changes nothing that matters. Each hint is charged
//! here, whichever transport carried it.

use std::time::Instant;

use crate::app::App;
use crate::conversations::{self, Conversation, Receipt, ReceiptKind, Side, State};
use crate::error::{Error, Result};
use crate::http::address::ClientAddress;
use crate::id::{ConversationId, SiteId};
use crate::members::Role;
use crate::rate_limits::{BucketKeys, Charge};
use crate::sites::Site;
use crate::visitors::{Page, PageMove, VisitorSession};

use super::feed::Feed;
use crate::hub::OperatorPass;
use crate::hub::frame::{OperatorHint, OperatorSignal, VisitorHint, VisitorSignal};

/// Handles a visitor's hint and charges the visitor, its address and its site.
///
/// # Errors
/// `TooManyRequests`; `NotFound` for a conversation that the visitor may not read.
pub async fn from_visitor(
    app: &App,
    site: &Site,
    session: &VisitorSession,
    address: ClientAddress,
    hint: VisitorHint,
) -> Result<()> {
    let keys = BucketKeys::visitor(session).from(address.unshared_network(&app.config.trusted_proxies));
    app.rate_limits.token_buckets.charge(&keys, Charge::Hint, Instant::now())?;
    match hint {
        VisitorHint::Alive {} => Ok(()),
        VisitorHint::Typing {} => visitor_typing(app, site, session).await,
        VisitorHint::Delivered { conversation, seq } => {
            visitor_receipt(app, site, session, &conversation, ReceiptKind::Delivered, seq).await
        }
        VisitorHint::Seen { conversation, seq } => {
            visitor_receipt(app, site, session, &conversation, ReceiptKind::Seen, seq).await
        }
        VisitorHint::Page { page } => {
            // Optional, like every field that a page sends about itself: an invalid page is ignored.
            if let Some(page) = Page::said(&page, app.store.now()) {
                show_page(app, site, session, &page);
                app.page_moves.queue(PageMove { session: session.clone(), mode: site.identity_mode, page });
            }
            Ok(())
        }
    }
}

/// Signals a visitor's current page to operators.
pub fn show_page(app: &App, site: &Site, session: &VisitorSession, page: &Page) {
    let (site_id, visitor_id) = (session.site_id, session.visitor_id);
    for proof in session.shown_by(site.identity_mode) {
        let (proof, page) = (proof.clone(), page.clone());
        app.hub
            .signal_operators((site.workspace_id, site_id), OperatorSignal::Page { site_id, visitor_id, proof, page });
    }
}

async fn visitor_typing(app: &App, site: &Site, session: &VisitorSession) -> Result<()> {
    if !app.hub.has_operator(site.workspace_id) {
        return Ok(());
    }
    let conversations = conversations::store::of_visitor(&app.store, session).await?;
    let own = conversations.iter().filter(|c| c.is_visible_to(session, site.identity_mode));
    if let Some(current) = own.max_by_key(|c| (c.state == State::Open, c.updated_at)) {
        let signal = OperatorSignal::Typing { site_id: current.site_id, conversation_id: current.id };
        app.hub.signal_operators((site.workspace_id, site.id), signal);
    }
    Ok(())
}

async fn visitor_receipt(
    app: &App,
    site: &Site,
    session: &VisitorSession,
    conversation: &str,
    kind: ReceiptKind,
    seq: i64,
) -> Result<()> {
    let found = conversations::store::find_public(&app.store, session.site_id, conversation).await?;
    let own = found.filter(|c| c.is_visible_to(session, site.identity_mode)).ok_or(Error::NotFound)?;
    app.receipts.queue(Receipt { site: own.site_id, conversation: own.id, side: Side::Visitor, kind, seq });
    Ok(())
}

/// Handles an operator's hint and charges the account. `socket` is the feed of the socket that carried it; `None` for an
/// HTTP request, whose presence applies to all consoles of the session.
///
/// # Errors
/// `TooManyRequests`; `NotFound` for a site that is not the operator's, or a conversation that is not the site's.
pub(super) async fn take_from_operator(
    app: &App,
    pass: &OperatorPass,
    socket: Option<&Feed>,
    hint: OperatorHint,
) -> Result<()> {
    app.rate_limits.token_buckets.charge(&BucketKeys::operator(pass.account), Charge::Hint, Instant::now())?;
    match hint {
        OperatorHint::Alive {} => Ok(()),
        OperatorHint::Present { present } => {
            match socket {
                Some(feed) => feed.set_present(present),
                None => app.hub.set_session_present(pass, present),
            }
            Ok(())
        }
        OperatorHint::Viewing { site_id, conversation_id, typing } => {
            own(app, pass, site_id, conversation_id).await?;
            let (account_id, name) = (pass.account, pass.name.clone());
            let signal = OperatorSignal::Viewing { site_id, conversation_id, account_id, name, typing };
            app.hub.signal_operators((pass.workspace, site_id), signal);
            Ok(())
        }
        OperatorHint::Left { site_id, conversation_id } => {
            looked_after(app, pass, site_id).await?;
            let signal = OperatorSignal::Left { site_id, conversation_id, account_id: pass.account };
            app.hub.signal_operators((pass.workspace, site_id), signal);
            Ok(())
        }
        // Reading along is nobody's answer: the visitor is told neither of typing nor that a message was seen.
        OperatorHint::Typing { .. } | OperatorHint::Delivered { .. } | OperatorHint::Seen { .. }
            if pass.role < Role::Operator =>
        {
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
            operator_receipt(app, pass, (site_id, conversation_id), ReceiptKind::Delivered, seq).await
        }
        OperatorHint::Seen { site_id, conversation_id, seq } => {
            operator_receipt(app, pass, (site_id, conversation_id), ReceiptKind::Seen, seq).await
        }
    }
}

/// Handles an operator's hint that came in an HTTP request.
///
/// # Errors
/// See [`take_from_operator`].
pub async fn from_operator(app: &App, pass: &OperatorPass, hint: OperatorHint) -> Result<()> {
    take_from_operator(app, pass, None, hint).await
}

async fn operator_receipt(
    app: &App,
    pass: &OperatorPass,
    (site, conversation): (SiteId, ConversationId),
    kind: ReceiptKind,
    seq: i64,
) -> Result<()> {
    looked_after(app, pass, site).await?;
    // The conversation is looked up with its site when the receipt is written, so one of another site is not found.
    app.receipts.queue(Receipt { site, conversation, side: Side::Agent, kind, seq });
    Ok(())
}

async fn own(app: &App, pass: &OperatorPass, site: SiteId, id: ConversationId) -> Result<Conversation> {
    looked_after(app, pass, site).await?;
    conversations::store::find(&app.store, site, id).await?.ok_or(Error::NotFound)
}

async fn looked_after(app: &App, pass: &OperatorPass, site: SiteId) -> Result<()> {
    let site = app.sites.by_id(site).await.map_err(|_| Error::NotFound)?;
    if site.workspace_id == pass.workspace && pass.sites.contains(site.id) { Ok(()) } else { Err(Error::NotFound) }
}
