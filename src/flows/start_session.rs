//! Starts a visitor's session: with nothing, with this browser's token, or with an external id from the page.

use crate::error::{Error, Result};
use crate::events::{self, Effect, Event, Scope};
use crate::id::{KeyId, SiteId};
use crate::search::people;
use crate::secret;
use crate::sites::{IdentityMode, Site};
use crate::storage::{Store, Tx};

use crate::vault::Vault;
use crate::visitors::store::{self, Claims, NewToken};
use crate::visitors::{NetworkBucket, Proof, SessionRequest, Validity, Visitor, VisitorSession, verify};

use super::transfer::transfer;

/// Maximum unused tokens that replace one old token.
const UNUSED_SUCCESSORS: i64 = 3;

/// A started session.
pub struct StartedSession {
    /// The visitor after the start.
    pub visitor: Visitor,
    /// Its session.
    pub session: VisitorSession,
    /// The new token, if one was issued.
    pub token: Option<String>,
}

impl StartedSession {
    /// Whether the token only renews an old one and nothing else changed.
    fn is_renewed(&self) -> bool {
        self.token.is_some() && self.session.replaces.is_some()
    }
}

/// Starts a visitor's session. `old` is the session of the browser's token, if any.
///
/// The same id resumes. An anonymous visitor that now has an id keeps its thread. Another id starts a new session and sees
/// nothing of the old one. The site's identity mode decides what an unsigned id may see (see [`Proof`]). An identity token that
/// has expired, as on a page left open over night, only resumes a signed session, which goes on without any token too.
///
/// # Errors
/// `InvalidIdentity` for a signature that is not valid, `IdentityRequired` for a missing one, `InvalidToken` when `old` ended
/// meanwhile.
pub async fn start_session(
    store: &Store,
    vault: &Vault,
    site: &Site,
    old: Option<VisitorSession>,
    request: SessionRequest,
) -> Result<StartedSession> {
    let signature = signature_of(store, vault, site, &request).await?;
    let site = site.clone();
    store.write(move |tx| start_in(tx, &site, old.clone(), &request, signature)).await
}

fn start_in(
    tx: &mut Tx,
    site: &Site,
    old: Option<VisitorSession>,
    request: &SessionRequest,
    signature: Signature,
) -> Result<StartedSession> {
    let signed = signature.valid();
    let before = match &old {
        // Another tab ended it since it was found; that tab has the new token.
        Some(session) if !store::is_held(tx, session)? => return Err(Error::InvalidToken),
        Some(session) => store::by_id_in(tx, (site.id, session.visitor_id, &session.proof))?,
        None => None,
    };
    let replaced = old.as_ref().map(|session| session.token_id);
    let resigned = old.as_ref().is_some_and(|session| signed.is_some() && session.signed_by != signed);
    let plan = Plan::make(old, before, request, signed);
    if signature == Signature::Expired && !plan.resumes_signed() {
        return Err(Error::InvalidIdentity("it has expired"));
    }
    plan.check_mode(site.identity_mode)?;
    let mut started = plan.execute(tx, site, request)?;
    update(tx, site, &mut started, request)?;
    if resigned && started.token.is_none() {
        events::effect(tx, Effect::TokensChanged(vec![started.session.token_id]));
    }
    if let (Some(token_id), Some(_), false) = (replaced, &started.token, started.is_renewed()) {
        events::effect(tx, Effect::TokensEnded(vec![token_id]));
    }
    if let Some(replaced) = started.session.replaces.filter(|_| started.token.is_none()) {
        // Its expiry has changed. Open pages stay connected until then.
        events::effect(tx, Effect::TokensChanged(vec![replaced, started.session.token_id]));
    }
    Ok(started)
}

/// Whether this browser's session continues, as the same visitor or as an anonymous one that gets an id. Otherwise it is a new
/// visitor, whichever token the browser holds.
///
/// # Errors
/// When the database fails.
pub async fn is_known(store: &Store, old: Option<&VisitorSession>, request: &SessionRequest) -> Result<bool> {
    let Some(session) = old else { return Ok(false) };
    let visitor = store::of_session(store, session).await?;
    Ok(visitor
        .is_some_and(|visitor| visitor.external_id == request.external_id || (visitor.anonymous && !request.anonymous)))
}

/// The signature of a session request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signature {
    Missing,
    /// By this secret.
    Valid(KeyId),
    /// Right, but of an identity token that has expired.
    Expired,
}

impl Signature {
    fn valid(self) -> Option<KeyId> {
        if let Signature::Valid(by) = self { Some(by) } else { None }
    }
}

async fn signature_of(store: &Store, vault: &Vault, site: &Site, request: &SessionRequest) -> Result<Signature> {
    let Some(token) = &request.identity_token else { return Ok(Signature::Missing) };
    if request.anonymous {
        return Err(Error::InvalidIdentity("it came without an externalId"));
    }
    let (ids, secrets): (Vec<KeyId>, Vec<_>) =
        crate::sites::identity_secrets(store, vault, site.id).await?.into_iter().unzip();
    let is_by = |secrets| verify(token, &request.external_id, secrets, store.now());
    // Verified against all secrets first: that gives the best error.
    if is_by(&secrets)? == Validity::Expired {
        return Ok(Signature::Expired);
    }
    let by = secrets.iter().position(|secret| is_by(std::slice::from_ref(secret)).is_ok());
    Ok(by.map_or(Signature::Missing, |at| Signature::Valid(ids[at])))
}

/// What to do with a session request.
enum Plan {
    /// The same visitor with the same proof.
    Resume { session: VisitorSession, visitor: Visitor },
    /// The same visitor, now signed.
    Upgrade { session: VisitorSession, visitor: Visitor, by: Option<KeyId> },
    /// An anonymous visitor gets an external id.
    Identify { session: VisitorSession, anonymous: Visitor, proof: Proof, by: Option<KeyId> },
    /// A visitor for whom this browser has no session.
    Enter { proof: Proof, by: Option<KeyId> },
}

impl Plan {
    fn make(old: Option<VisitorSession>, before: Option<Visitor>, request: &SessionRequest, by: Option<KeyId>) -> Plan {
        let (Some(mut session), Some(visitor)) = (old, before) else { return Plan::enter(by) };
        let same = visitor.external_id == request.external_id;
        if same && by.is_some() && session.proof != Proof::Signed {
            Plan::Upgrade { session, visitor, by }
        } else if same {
            session.signed_by = by.or(session.signed_by);
            Plan::Resume { session, visitor }
        } else if visitor.anonymous && !request.anonymous {
            let proof = if by.is_some() { Proof::Signed } else { session.proof.clone() };
            Plan::Identify { session, anonymous: visitor, proof, by }
        } else {
            Plan::enter(by)
        }
    }

    fn enter(by: Option<KeyId>) -> Plan {
        Plan::Enter { proof: if by.is_some() { Proof::Signed } else { Proof::new_browser() }, by }
    }

    /// Whether it continues the same visitor's session, which was signed earlier in this browser.
    fn resumes_signed(&self) -> bool {
        matches!(self, Plan::Resume { session, .. } if session.proof == Proof::Signed)
    }

    /// In mode `signed_only` a session needs a signature, now or earlier in this browser.
    fn check_mode(&self, mode: IdentityMode) -> Result<()> {
        let proof = match self {
            Plan::Resume { session, .. } => &session.proof,
            Plan::Upgrade { .. } => &Proof::Signed,
            Plan::Identify { proof, .. } | Plan::Enter { proof, .. } => proof,
        };
        if mode == IdentityMode::SignedOnly && *proof != Proof::Signed { Err(Error::IdentityRequired) } else { Ok(()) }
    }

    fn execute(self, tx: &mut Tx, site: &Site, request: &SessionRequest) -> Result<StartedSession> {
        match self {
            Plan::Resume { session, visitor } if session.is_old(tx.now()) => {
                renew(tx, visitor, session, request.network)
            }
            Plan::Resume { session, visitor } => {
                store::extend_token(tx, &session)?;
                Ok(StartedSession { visitor, session, token: None })
            }
            Plan::Upgrade { session, visitor, by } => {
                transfer_all(tx, &session, &visitor, &Proof::Signed)?;
                let proven = Proven { proof: &Proof::Signed, by, network: request.network };
                new_token(tx, visitor, Some(&session), proven)
            }
            Plan::Identify { session, anonymous, proof, by } => {
                let proven = Proven { proof: &proof, by, network: request.network };
                let naming = Naming { session: &session, anonymous, request, proof: &proof };
                let visitor = naming.execute(tx)?;
                new_token(tx, visitor, Some(&session), proven)
            }
            Plan::Enter { proof, by } => {
                let visitor = find_or_add(tx, site, request, &proof)?;
                new_token(tx, visitor, None, Proven { proof: &proof, by, network: request.network })
            }
        }
    }
}

/// An anonymous visitor gets the external id of its session request.
struct Naming<'a> {
    session: &'a VisitorSession,
    anonymous: Visitor,
    request: &'a SessionRequest,
    /// Its proof from now on.
    proof: &'a Proof,
}

impl Naming<'_> {
    /// Renames the visitor, or transfers its thread to the existing visitor of that id.
    fn execute(self, tx: &mut Tx) -> Result<Visitor> {
        let Naming { session, anonymous, request, proof } = self;
        let visitor = match store::by_external(tx, session.site_id, &request.external_id, proof)? {
            Some(known) => known,
            None if store::is_alone(tx, session)? => {
                store::rename(tx, session.site_id, anonymous.id, &request.external_id, false)?;
                anonymous.clone()
            }
            // Others used that random id too: only this browser's thread is transferred.
            None => add(tx, session.site_id, request, proof)?,
        };
        transfer_all(tx, session, &visitor, proof)?;
        if visitor.id != anonymous.id && store::is_alone(tx, session)? {
            store::remove_if_idle(tx, session.site_id, anonymous.id)?;
        }
        Ok(visitor)
    }
}

/// Transfers a session's thread and its visitor's details to (`visitor`, `proof`).
fn transfer_all(tx: &mut Tx, session: &VisitorSession, visitor: &Visitor, proof: &Proof) -> Result<()> {
    transfer(tx, session, visitor, proof)?;
    store::transfer(tx, session, (visitor.site_id, visitor.id, proof))
}

/// Finds or adds the visitor. Clears `anonymous` when the site names an id that a browser claimed as its own random one.
fn find_or_add(tx: &mut Tx, site: &Site, request: &SessionRequest, proof: &Proof) -> Result<Visitor> {
    match store::by_external(tx, site.id, &request.external_id, proof)? {
        Some(visitor) if visitor.anonymous && !request.anonymous => {
            store::rename(tx, site.id, visitor.id, &request.external_id, false)?;
            Ok(Visitor { anonymous: false, ..visitor })
        }
        Some(visitor) => Ok(visitor),
        None => add(tx, site.id, request, proof),
    }
}

fn add(tx: &mut Tx, site: SiteId, request: &SessionRequest, proof: &Proof) -> Result<Visitor> {
    let id = store::add(tx, site, &request.external_id, request.anonymous)?;
    store::by_id_in(tx, (site, id, proof))?.ok_or_else(|| Error::Internal("a new visitor is missing".into()))
}

/// The proof of a session request, and its network.
struct Proven<'a> {
    proof: &'a Proof,
    /// The identity secret that signed it.
    by: Option<KeyId>,
    network: Option<NetworkBucket>,
}

/// Issues a token; the token it replaces ends in the same commit.
fn new_token(
    tx: &mut Tx,
    visitor: Visitor,
    old: Option<&VisitorSession>,
    Proven { proof, by: signed_by, network }: Proven<'_>,
) -> Result<StartedSession> {
    if let Some(session) = old {
        store::remove_token(tx, session)?;
    }
    let token = secret::random_text(32);
    let new = NewToken { hash: secret::digest(&token), proof, replaces: None, signed_by, network };
    let session = store::add_token(tx, &visitor, new)?;
    Ok(StartedSession { visitor, session, token: Some(token) })
}

/// Issues a token that renews an old one. The old one stays valid until the new one is used, because the response may get
/// lost.
fn renew(tx: &mut Tx, visitor: Visitor, old: VisitorSession, network: Option<NetworkBucket>) -> Result<StartedSession> {
    if store::unused_successors(tx, &old)? >= UNUSED_SUCCESSORS {
        return Ok(StartedSession { visitor, session: old, token: None });
    }
    let token = secret::random_text(32);
    let (hash, replaces, signed_by) = (secret::digest(&token), Some(old.token_id), old.signed_by);
    let new = NewToken { hash, proof: &old.proof, replaces, signed_by, network };
    let session = store::add_token(tx, &visitor, new)?;
    Ok(StartedSession { visitor, session, token: Some(token) })
}

/// Updates the visitor's details under each of its proofs. Where an id is shared, an unsigned claim does not change the name of
/// a signed visitor.
fn update(tx: &mut Tx, site: &Site, started: &mut StartedSession, request: &SessionRequest) -> Result<()> {
    let (id, session) = (started.visitor.id, &started.session);
    if session.proof == Proof::Signed && !started.visitor.verified {
        store::set_verified(tx, &started.visitor)?;
    }
    for proof in session.shown_by(site.identity_mode) {
        let key = (site.id, id, proof);
        let gone = || Error::Internal("an arriving visitor is missing".into());
        let before = store::by_id_in(tx, key)?.ok_or_else(gone)?;
        let may_name = *proof != Proof::Shared || session.proof == Proof::Signed || !before.verified;
        let claims = if may_name { Claims::Write } else { Claims::Keep };
        store::update_details(tx, &before, request, claims)?;
        let after = store::by_id_in(tx, key)?.ok_or_else(gone)?;
        people::index(tx, site.workspace_id, &after)?;
        if is_changed(&started.visitor, &before) || is_changed(&before, &after) {
            let event = Event::VisitorChanged { visitor_id: id };
            events::record(tx, site.id, vec![(Scope::person(id, proof.clone()), event)])?;
        }
        started.visitor = after;
    }
    Ok(())
}

/// Whether a field changed that consoles show. (The page is sent as a signal.)
fn is_changed(before: &Visitor, after: &Visitor) -> bool {
    (&before.external_id, &before.nickname, &before.email, &before.attributes, before.verified, &before.browser)
        != (&after.external_id, &after.nickname, &after.email, &after.attributes, after.verified, &after.browser)
}
