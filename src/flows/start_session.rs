//! A visitor arrives: with nothing, with this browser's token, or with a name its page gives it.

use crate::error::{Error, Result};
use crate::events::{self, Effect, Event, Scope};
use crate::id::{KeyId, SiteId};
use crate::search::people;
use crate::secret;
use crate::sites::{IdentityMode, Site};
use crate::storage::{Store, Tx};

use crate::vault::Vault;
use crate::visitors::store::{self, Claims, NewToken};
use crate::visitors::{Arrival, NetworkBucket, Proof, Visitor, VisitorSession, verify};

use super::transfer::transfer;

/// Tokens that are made in place of one old token before any of them was shown.
const UNUSED_SUCCESSORS: i64 = 3;

/// What an arrival led to.
pub struct Arrived {
    /// The visitor, as it stands now.
    pub visitor: Visitor,
    /// Its session.
    pub session: VisitorSession,
    /// A new token, when one was made.
    pub token: Option<String>,
}

impl Arrived {
    /// The token only took the place of an old one: nothing else is new.
    fn is_renewed(&self) -> bool {
        self.token.is_some() && self.session.replaces.is_some()
    }
}

/// Lets a visitor in. `old` is the session of the token that its browser held, if any.
///
/// The same id again resumes; an anonymous visitor that is now named keeps its thread; another named id starts anew and
/// sees nothing of the old one. What an unsigned id opens is the site's identity mode (see [`Proof`]).
pub async fn start_session(
    database: &Store,
    vault: &Vault,
    site: &Site,
    old: Option<VisitorSession>,
    arrival: Arrival,
) -> Result<Arrived> {
    let signed = signed_by(database, vault, site, &arrival).await?;
    let site = site.clone();
    database.write(move |tx| arrive_in(tx, &site, old.clone(), &arrival, signed)).await
}

fn arrive_in(
    tx: &mut Tx,
    site: &Site,
    old: Option<VisitorSession>,
    arrival: &Arrival,
    signed: Option<KeyId>,
) -> Result<Arrived> {
    let before = match &old {
        // Ended since it was found, by another tab that came at the same moment: that one has the token to go on with.
        Some(session) if !store::is_held(tx, session)? => return Err(Error::InvalidToken),
        Some(session) => store::by_id_in(tx, (site.id, session.visitor_id, &session.proof))?,
        None => None,
    };
    let replaced = old.as_ref().map(|session| session.token_id);
    let resigned = old.as_ref().is_some_and(|session| signed.is_some() && session.signed_by != signed);
    let plan = Plan::make(old, before, arrival, signed);
    plan.check_mode(site.identity_mode)?;
    let mut arrived = plan.carry_out(tx, site, arrival)?;
    update(tx, site, &mut arrived, arrival)?;
    if resigned && arrived.token.is_none() {
        events::effect(tx, Effect::TokensChanged(vec![arrived.session.token_id]));
    }
    if let (Some(token_id), Some(_), false) = (replaced, &arrived.token, arrived.is_renewed()) {
        events::effect(tx, Effect::TokensEnded(vec![token_id]));
    }
    if let Some(replaced) = arrived.session.replaces.filter(|_| arrived.token.is_none()) {
        // Its end has moved. Open pages stay until then.
        events::effect(tx, Effect::TokensChanged(vec![replaced, arrived.session.token_id]));
    }
    Ok(arrived)
}

/// Does this browser's session go on, as the same visitor or as an anonymous one that gets its name? If not, somebody
/// new comes, whatever token they hold.
///
/// # Errors
/// When the database fails.
pub async fn is_known(database: &Store, old: Option<&VisitorSession>, arrival: &Arrival) -> Result<bool> {
    let Some(session) = old else { return Ok(false) };
    let visitor = store::of_session(database, session).await?;
    Ok(visitor
        .is_some_and(|visitor| visitor.external_id == arrival.external_id || (visitor.anonymous && !arrival.anonymous)))
}

/// The secret that signed who comes; none where nobody did.
async fn signed_by(database: &Store, vault: &Vault, site: &Site, arrival: &Arrival) -> Result<Option<KeyId>> {
    let Some(token) = &arrival.identity_token else { return Ok(None) };
    if arrival.anonymous {
        return Err(Error::InvalidIdentity("it came without an externalId"));
    }
    let (ids, secrets): (Vec<KeyId>, Vec<_>) =
        crate::sites::identity_secrets(database, vault, site.id).await?.into_iter().unzip();
    let is_by = |secrets| verify(token, &arrival.external_id, secrets, database.now());
    // All of them say best why none did.
    is_by(&secrets)?;
    Ok(secrets.iter().position(|secret| is_by(std::slice::from_ref(secret)).is_ok()).map(|at| ids[at]))
}

/// What to do with an arrival.
enum Plan {
    /// The same visitor as before; nothing new is proven.
    Resume { session: VisitorSession, visitor: Visitor },
    /// The same visitor, now signed.
    Upgrade { session: VisitorSession, visitor: Visitor, by: Option<KeyId> },
    /// An anonymous visitor says who it is.
    Identify { session: VisitorSession, anonymous: Visitor, proof: Proof, by: Option<KeyId> },
    /// Somebody that this browser has no session for.
    Enter { proof: Proof, by: Option<KeyId> },
}

impl Plan {
    fn make(old: Option<VisitorSession>, before: Option<Visitor>, arrival: &Arrival, by: Option<KeyId>) -> Plan {
        let (Some(mut session), Some(visitor)) = (old, before) else { return Plan::enter(by) };
        let same = visitor.external_id == arrival.external_id;
        if same && by.is_some() && session.proof != Proof::Signed {
            Plan::Upgrade { session, visitor, by }
        } else if same {
            session.signed_by = by.or(session.signed_by);
            Plan::Resume { session, visitor }
        } else if visitor.anonymous && !arrival.anonymous {
            let proof = if by.is_some() { Proof::Signed } else { session.proof.clone() };
            Plan::Identify { session, anonymous: visitor, proof, by }
        } else {
            Plan::enter(by)
        }
    }

    fn enter(by: Option<KeyId>) -> Plan {
        Plan::Enter { proof: if by.is_some() { Proof::Signed } else { Proof::new_browser() }, by }
    }

    /// In mode `signed_only` nothing but a signature opens a session, now or earlier in this browser.
    fn check_mode(&self, mode: IdentityMode) -> Result<()> {
        let proof = match self {
            Plan::Resume { session, .. } => &session.proof,
            Plan::Upgrade { .. } => &Proof::Signed,
            Plan::Identify { proof, .. } | Plan::Enter { proof, .. } => proof,
        };
        if mode == IdentityMode::SignedOnly && *proof != Proof::Signed { Err(Error::IdentityRequired) } else { Ok(()) }
    }

    fn carry_out(self, tx: &mut Tx, site: &Site, arrival: &Arrival) -> Result<Arrived> {
        match self {
            Plan::Resume { session, visitor } if session.is_old(tx.now()) => {
                renew(tx, visitor, session, arrival.network)
            }
            Plan::Resume { session, visitor } => {
                tx.keep_cache();
                store::keep_token(tx, &session)?;
                Ok(Arrived { visitor, session, token: None })
            }
            Plan::Upgrade { session, visitor, by } => {
                hand_over(tx, &session, &visitor, &Proof::Signed)?;
                let proven = Proven { proof: &Proof::Signed, by, network: arrival.network };
                new_token(tx, visitor, Some(&session), proven)
            }
            Plan::Identify { session, anonymous, proof, by } => {
                let proven = Proven { proof: &proof, by, network: arrival.network };
                let naming = Naming { session: &session, anonymous, arrival, proof: &proof };
                let visitor = naming.carry_out(tx)?;
                new_token(tx, visitor, Some(&session), proven)
            }
            Plan::Enter { proof, by } => {
                tx.keep_cache();
                let visitor = find_or_add(tx, site, arrival, &proof)?;
                new_token(tx, visitor, None, Proven { proof: &proof, by, network: arrival.network })
            }
        }
    }
}

/// An anonymous visitor gets the external id with which its browser arrives.
struct Naming<'a> {
    session: &'a VisitorSession,
    anonymous: Visitor,
    arrival: &'a Arrival,
    /// The proof under which it goes on.
    proof: &'a Proof,
}

impl Naming<'_> {
    /// Where a visitor of that id exists, the anonymous thread goes to it.
    fn carry_out(self, tx: &mut Tx) -> Result<Visitor> {
        let Naming { session, anonymous, arrival, proof } = self;
        let visitor = match store::by_external(tx, session.site_id, &arrival.external_id, proof)? {
            Some(known) => known,
            None if store::is_alone(tx, session)? => {
                store::rename(tx, session.site_id, anonymous.id, &arrival.external_id, false)?;
                anonymous.clone()
            }
            // Others came under that random id, too: only what this browser wrote goes along.
            None => add(tx, session.site_id, arrival, proof)?,
        };
        hand_over(tx, session, &visitor, proof)?;
        if visitor.id != anonymous.id && store::is_alone(tx, session)? {
            store::remove_if_idle(tx, session.site_id, anonymous.id)?;
        }
        Ok(visitor)
    }
}

/// What a session wrote, and what is known of who wrote it, goes to (`visitor`, `proof`).
fn hand_over(tx: &mut Tx, session: &VisitorSession, visitor: &Visitor, proof: &Proof) -> Result<()> {
    transfer(tx, session, visitor, proof)?;
    store::hand_over(tx, session, (visitor.site_id, visitor.id, proof))
}

/// Finds or adds the visitor. Clears `anonymous` when the site names an id that a browser claimed as its own random one.
fn find_or_add(tx: &mut Tx, site: &Site, arrival: &Arrival, proof: &Proof) -> Result<Visitor> {
    match store::by_external(tx, site.id, &arrival.external_id, proof)? {
        Some(visitor) if visitor.anonymous && !arrival.anonymous => {
            store::rename(tx, site.id, visitor.id, &arrival.external_id, false)?;
            Ok(Visitor { anonymous: false, ..visitor })
        }
        Some(visitor) => Ok(visitor),
        None => add(tx, site.id, arrival, proof),
    }
}

fn add(tx: &mut Tx, site: SiteId, arrival: &Arrival, proof: &Proof) -> Result<Visitor> {
    let id = store::add(tx, site, &arrival.external_id, arrival.anonymous)?;
    store::by_id_in(tx, (site, id, proof))?.ok_or_else(|| Error::Internal("a new visitor is missing".into()))
}

/// What an arrival has proven, and from where it came.
struct Proven<'a> {
    proof: &'a Proof,
    /// The identity secret that signed it.
    by: Option<KeyId>,
    network: Option<NetworkBucket>,
}

/// Makes a token; the one it replaces ends with the same commit.
fn new_token(
    tx: &mut Tx,
    visitor: Visitor,
    old: Option<&VisitorSession>,
    Proven { proof, by: signed_by, network }: Proven<'_>,
) -> Result<Arrived> {
    if let Some(session) = old {
        store::remove_token(tx, session)?;
    }
    let token = secret::random_text(32);
    let new = NewToken { hash: secret::digest(&token), proof, replaces: None, signed_by, network };
    let session = store::add_token(tx, &visitor, new)?;
    Ok(Arrived { visitor, session, token: Some(token) })
}

/// Makes a token in place of an old one, which goes on until the new one is shown: its answer may get lost.
fn renew(tx: &mut Tx, visitor: Visitor, old: VisitorSession, network: Option<NetworkBucket>) -> Result<Arrived> {
    if store::unused_successors(tx, &old)? >= UNUSED_SUCCESSORS {
        return Ok(Arrived { visitor, session: old, token: None });
    }
    let token = secret::random_text(32);
    let (hash, replaces, signed_by) = (secret::digest(&token), Some(old.token_id), old.signed_by);
    let new = NewToken { hash, proof: &old.proof, replaces, signed_by, network };
    let session = store::add_token(tx, &visitor, new)?;
    Ok(Arrived { visitor, session, token: Some(token) })
}

/// Writes down what the page says, under the proofs by which it is shown. Where a thread is everybody's who names an id, an
/// unsigned claim does not change what a signed visitor is called.
fn update(tx: &mut Tx, site: &Site, arrived: &mut Arrived, arrival: &Arrival) -> Result<()> {
    let (id, session) = (arrived.visitor.id, &arrived.session);
    if session.proof == Proof::Signed && !arrived.visitor.verified {
        store::set_verified(tx, &arrived.visitor)?;
    }
    for proof in session.shown_by(site.identity_mode) {
        let key = (site.id, id, proof);
        let gone = || Error::Internal("an arriving visitor is missing".into());
        let before = store::by_id_in(tx, key)?.ok_or_else(gone)?;
        let may_name = *proof != Proof::Shared || session.proof == Proof::Signed || !before.verified;
        let claims = if may_name { Claims::Write } else { Claims::Keep };
        store::say(tx, &before, arrival, claims)?;
        let after = store::by_id_in(tx, key)?.ok_or_else(gone)?;
        people::index(tx, site.owner_id, &after)?;
        if is_changed(&arrived.visitor, &before) || is_changed(&before, &after) {
            let event = Event::VisitorChanged { visitor_id: id };
            events::record(tx, site.id, vec![(Scope::person(id, proof.clone()), event)])?;
        }
        arrived.visitor = after;
    }
    Ok(())
}

/// Is there something that an operator's screen shows? (Where the visitor is goes as a signal.)
fn is_changed(before: &Visitor, after: &Visitor) -> bool {
    (&before.external_id, &before.nickname, &before.email, &before.attributes, before.verified, &before.browser)
        != (&after.external_id, &after.nickname, &after.email, &after.attributes, after.verified, &after.browser)
}
