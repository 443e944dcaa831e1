//! SQL of visitors and their tokens.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{KeyId, PersonId, SiteId, TokenId, VisitorId, WorkspaceId};
use crate::record;
use crate::storage::{Kind, Store, Tx, Value};
use crate::values;
use crate::{bulk_rows, id_rows};

use super::{NetworkBucket, Page, Proof, SessionRequest, TOKEN_GRACE_S, TOKEN_IDLE_S, Visitor, VisitorSession};

/// A visitor under one proof; details that were never given under that proof are NULL.
macro_rules! select_visitor {
    ($from:expr, $proof:literal, $where:literal) => {
        concat!(
            "SELECT v.site_id, v.id, v.public_id, v.external_id, v.anonymous, v.verified, ",
            $proof,
            " AS proof, p.id AS person, p.nickname, p.email, p.attributes, p.page_url, p.page_title, p.page_referrer,
                p.page_since,
                p.browser, COALESCE(p.mobile, FALSE) AS mobile, p.locale, p.timezone,
                COALESCE(p.first_seen_at, v.first_seen_at) AS first_seen_at,
                COALESCE(p.last_seen_at, v.first_seen_at) AS last_seen_at FROM ",
            $from,
            " visitors AS v LEFT JOIN people AS p ON p.site_id = v.site_id AND p.visitor_id = v.id AND p.proof = ",
            $proof,
            " WHERE ",
            $where
        )
    };
}

const MANY: &str = select_visitor!(
    concat!(bulk_rows!("$1"), " AS r CROSS JOIN"),
    "r.value ->> 2",
    "v.site_id = CAST(r.value ->> 0 AS BIGINT) AND v.id = CAST(r.value ->> 1 AS BIGINT)"
);
const SESSION: &str = "SELECT t.site_id, t.id, t.visitor_id, v.public_id, t.proof, t.identity_secret, t.created_at,
        t.expires_at, t.replaces
    FROM visitor_tokens AS t JOIN visitors AS v ON v.site_id = t.site_id AND v.id = t.visitor_id
    WHERE t.token_hash = $1";
const BY_ID: &str = select_visitor!("", "$3", "v.site_id = $1 AND v.id = $2");
const BY_EXTERNAL: &str = select_visitor!("", "$3", "v.site_id = $1 AND v.external_id = $2");
const ADD: &str = "INSERT INTO visitors (site_id, id, public_id, external_id, anonymous, first_seen_at, last_seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6)";
const RENAME: &str = "UPDATE visitors SET external_id = $3, anonymous = $4 WHERE site_id = $1 AND id = $2";
const SET_VERIFIED: &str = "UPDATE visitors SET verified = TRUE WHERE site_id = $1 AND id = $2";
const ADD_PERSON: &str = "INSERT INTO people (site_id, id, visitor_id, proof, first_seen_at, last_seen_at)
    VALUES ($1, $2, $3, $4, $5, $5)";
const UPDATE_DETAILS: &str = "UPDATE people SET nickname = COALESCE($3, nickname), email = COALESCE($4, email),
    attributes = COALESCE($5, attributes), page_url = $6, page_title = $7, page_referrer = $8, page_since = $14,
    browser = COALESCE($9, browser), mobile = $10,
    locale = COALESCE($11, locale), timezone = COALESCE($12, timezone), last_seen_at = $13
    WHERE site_id = $1 AND id = $2";
const TRANSFER: &str =
    "UPDATE people SET visitor_id = $4, proof = $5 WHERE site_id = $1 AND visitor_id = $2 AND proof = $3
    AND NOT EXISTS (SELECT 1 FROM people AS t WHERE t.site_id = $1 AND t.visitor_id = $4 AND t.proof = $5)";
const DROP_CLAIMS: &str = "UPDATE people SET nickname = NULL, email = NULL, attributes = NULL
    WHERE site_id = $1 AND visitor_id = $2 AND proof = $3";
// Deletes those of the given `people` rows that no token and no conversation refers to.
const REMOVE_PEOPLE: &str = concat!(
    "DELETE FROM people WHERE (site_id, id) IN (SELECT p.site_id, p.id FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN people AS p
        WHERE p.site_id = CAST(r.value ->> 0 AS BIGINT) AND p.visitor_id = CAST(r.value ->> 1 AS BIGINT)
            AND p.proof = r.value ->> 2
            AND NOT EXISTS (SELECT 1 FROM visitor_tokens AS t
                WHERE t.site_id = p.site_id AND t.visitor_id = p.visitor_id AND t.proof = p.proof)
            AND NOT EXISTS (SELECT 1 FROM conversations AS c
                WHERE c.site_id = p.site_id AND c.visitor_id = p.visitor_id AND c.proof = p.proof))"
);
const MOVE_TO: &str = "UPDATE people SET page_url = $4, page_title = $5, page_referrer = $6, page_since = $7,
    last_seen_at = $8 WHERE site_id = $1 AND visitor_id = $2 AND proof = $3";
const OTHERS: &str = "SELECT 1 FROM visitor_tokens AS t WHERE t.site_id = $1 AND t.visitor_id = $2 AND t.proof <> $3
    UNION ALL SELECT 1 FROM conversations AS c WHERE c.site_id = $1 AND c.visitor_id = $2 AND c.proof <> $3 LIMIT 1";
const REMOVE_IF_IDLE: &str = "DELETE FROM visitors WHERE site_id = $1 AND id = $2
    AND NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.site_id = $1 AND c.visitor_id = $2)";
const ADD_TOKEN: &str = "INSERT INTO visitor_tokens
    (site_id, id, visitor_id, token_hash, proof, created_at, last_seen_at, expires_at, replaces, network, identity_secret)
    VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10)";
const EXTEND_TOKEN: &str = "UPDATE visitor_tokens SET last_seen_at = $3, expires_at = $4, replaces = NULL,
    identity_secret = $5 WHERE site_id = $1 AND id = $2";
const HELD: &str = "SELECT 1 FROM visitor_tokens WHERE site_id = $1 AND id = $2";
const END_REPLACED: &str =
    "UPDATE visitor_tokens SET expires_at = $3 WHERE site_id = $1 AND id = $2 AND expires_at > $3";
const UNUSED_SUCCESSORS: &str = "SELECT COUNT(*) FROM visitor_tokens
    WHERE site_id = $1 AND visitor_id = $2 AND replaces = $3";
const NEWEST_BROWSERS: &str = "SELECT t.site_id, v.external_id, v.anonymous, t.proof, t.network, t.created_at
    FROM sites AS s JOIN visitor_tokens AS t ON t.site_id = s.id
        AND t.id IN (SELECT n.id FROM visitor_tokens AS n WHERE n.site_id = s.id ORDER BY n.id DESC LIMIT $3)
    JOIN visitors AS v ON v.site_id = t.site_id AND v.id = t.visitor_id
    WHERE s.workspace_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR s.id = $2) ORDER BY t.site_id, t.id DESC";
const REMOVE_EXPIRED: &str = "DELETE FROM visitor_tokens WHERE (site_id, id) IN
    (SELECT t.site_id, t.id FROM visitor_tokens AS t WHERE t.expires_at < $1 LIMIT $2)
    RETURNING site_id, id, visitor_id, proof";
const REMOVE_SOME_TOKENS: &str = "DELETE FROM visitor_tokens WHERE site_id = $1 AND id IN
    (SELECT t.id FROM visitor_tokens AS t WHERE t.site_id = $1 ORDER BY t.id LIMIT $2)";
const REMOVE_SOME: &str = "DELETE FROM visitors WHERE site_id = $1 AND id IN
    (SELECT v.id FROM visitors AS v WHERE v.site_id = $1 ORDER BY v.id LIMIT $2)";
const WROTE_NOTHING: &str = "SELECT v.id FROM visitors AS v
    WHERE v.site_id = $1 AND v.first_seen_at >= $2 AND v.first_seen_at <= $3 AND NOT v.verified AND v.id > $4
        AND NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.site_id = v.site_id AND c.visitor_id = v.id)
    ORDER BY v.id LIMIT $5";
const END_TOKENS: &str = concat!(
    "DELETE FROM visitor_tokens WHERE site_id = $1 AND id IN (SELECT t.id FROM ",
    bulk_rows!("$2"),
    " AS r CROSS JOIN visitor_tokens AS t
        WHERE t.site_id = $1 AND t.visitor_id = CAST(r.value ->> 0 AS BIGINT) AND t.proof = r.value ->> 1) RETURNING id"
);
const REMOVE: &str = concat!("DELETE FROM visitors WHERE site_id = $1 AND id IN ", id_rows!("$2"));
const REMOVE_TOKEN: &str = "DELETE FROM visitor_tokens WHERE site_id = $1 AND id = $2";

/// The statements of this file, for the test that prepares all of them.
pub const SQL: &[&str] = &[
    MANY,
    SESSION,
    BY_ID,
    BY_EXTERNAL,
    ADD,
    RENAME,
    SET_VERIFIED,
    ADD_PERSON,
    UPDATE_DETAILS,
    TRANSFER,
    DROP_CLAIMS,
    REMOVE_PEOPLE,
    MOVE_TO,
    OTHERS,
    REMOVE_IF_IDLE,
    ADD_TOKEN,
    EXTEND_TOKEN,
    HELD,
    END_REPLACED,
    UNUSED_SUCCESSORS,
    NEWEST_BROWSERS,
    REMOVE_EXPIRED,
    REMOVE_SOME_TOKENS,
    REMOVE_SOME,
    REMOVE_TOKEN,
    WROTE_NOTHING,
    END_TOKENS,
    REMOVE,
];

/// A row of a visitor under one proof.
struct Row {
    site_id: SiteId,
    id: VisitorId,
    public_id: String,
    external_id: String,
    anonymous: bool,
    verified: bool,
    proof: String,
    person: Option<PersonId>,
    nickname: Option<String>,
    email: Option<String>,
    attributes: Option<String>,
    page_url: Option<String>,
    page_title: Option<String>,
    page_referrer: Option<String>,
    page_since: Option<Millis>,
    browser: Option<String>,
    mobile: bool,
    locale: Option<String>,
    timezone: Option<String>,
    first_seen_at: Millis,
    last_seen_at: Millis,
}
record!(Row {
    site_id,
    id,
    public_id,
    external_id,
    anonymous,
    verified,
    proof,
    person,
    nickname,
    email,
    attributes,
    page_url,
    page_title,
    page_referrer,
    page_since,
    browser,
    mobile,
    locale,
    timezone,
    first_seen_at,
    last_seen_at
});

impl From<Row> for Visitor {
    fn from(row: Row) -> Visitor {
        let (title, referrer) = (row.page_title.unwrap_or_default(), row.page_referrer.unwrap_or_default());
        // Kept before the time was kept with it: since the last arrival, which told of it.
        let since = row.page_since.unwrap_or(row.last_seen_at);
        Visitor {
            site_id: row.site_id,
            id: row.id,
            public_id: row.public_id,
            external_id: row.external_id,
            anonymous: row.anonymous,
            verified: row.verified,
            proof: Proof::parse(&row.proof),
            person: row.person,
            nickname: row.nickname,
            email: row.email,
            attributes: row.attributes.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            page: row.page_url.map(|url| Page { url, title, referrer, since }),
            browser: row.browser,
            mobile: row.mobile,
            locale: row.locale,
            timezone: row.timezone,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
        }
    }
}

struct SessionRow {
    site_id: SiteId,
    id: TokenId,
    visitor_id: VisitorId,
    public_id: String,
    proof: String,
    identity_secret: Option<KeyId>,
    created_at: Millis,
    expires_at: Millis,
    replaces: Option<TokenId>,
}
record!(SessionRow { site_id, id, visitor_id, public_id, proof, identity_secret, created_at, expires_at, replaces });

impl From<SessionRow> for VisitorSession {
    fn from(row: SessionRow) -> VisitorSession {
        VisitorSession {
            site_id: row.site_id,
            token_id: row.id,
            visitor_id: row.visitor_id,
            public_id: row.public_id,
            proof: Proof::parse(&row.proof),
            signed_by: row.identity_secret,
            created_at: row.created_at,
            expires_at: row.expires_at,
            replaces: row.replaces,
        }
    }
}

/// The session of a token's hash.
pub async fn session(store: &Store, hash: &[u8; 32]) -> Result<Option<VisitorSession>> {
    let row: Option<SessionRow> = store.one(SESSION, values![hash.as_slice()]).await?;
    Ok(row.map(VisitorSession::from))
}

/// A visitor as a session shows it.
pub async fn of_session(store: &Store, session: &VisitorSession) -> Result<Option<Visitor>> {
    let values = values![session.site_id, session.visitor_id, session.proof.to_text()];
    Ok(store.one::<Row>(BY_ID, values).await?.map(Visitor::from))
}

/// A visitor of a site, and a proof of being it.
pub type Shown<'a> = (SiteId, VisitorId, &'a Proof);

/// Several visitors, each under a proof, in no order.
pub async fn find_many(store: &Store, shown: &[Shown<'_>]) -> Result<Vec<Visitor>> {
    let rows = store.all::<Row>(MANY, values![Value::json(&shown)]).await?;
    Ok(rows.into_iter().map(Visitor::from).collect())
}

/// A visitor under a proof, as the transaction sees it.
pub fn by_id_in(tx: &mut Tx, (site, id, proof): Shown<'_>) -> Result<Option<Visitor>> {
    Ok(tx.one::<Row>(BY_ID, values![site, id, proof.to_text()])?.map(Visitor::from))
}

pub(crate) fn by_external(tx: &mut Tx, site: SiteId, external_id: &str, proof: &Proof) -> Result<Option<Visitor>> {
    Ok(tx.one::<Row>(BY_EXTERNAL, values![site, external_id, proof.to_text()])?.map(Visitor::from))
}

pub(crate) fn add(tx: &mut Tx, site: SiteId, external_id: &str, anonymous: bool) -> Result<VisitorId> {
    let id = tx.next_id(Kind::Visitor, VisitorId)?;
    let public_id = format!("visitor_{}", crate::secret::random_text(9));
    tx.run(ADD, values![site, id, public_id, external_id, anonymous, tx.now()])?;
    Ok(id)
}

pub(crate) fn rename(tx: &mut Tx, site: SiteId, id: VisitorId, external_id: &str, anonymous: bool) -> Result<()> {
    tx.run(RENAME, values![site, id, external_id, anonymous]).map(drop)
}

/// Whether the session's proof is the only one of its visitor.
pub(crate) fn is_alone(tx: &mut Tx, session: &VisitorSession) -> Result<bool> {
    let others: Option<(i64,)> =
        tx.one(OTHERS, values![session.site_id, session.visitor_id, session.proof.to_text()])?;
    Ok(others.is_none())
}

pub(crate) fn set_verified(tx: &mut Tx, visitor: &Visitor) -> Result<()> {
    tx.run(SET_VERIFIED, values![visitor.site_id, visitor.id]).map(drop)
}

/// Whether a session request may change a visitor's nickname, e-mail address and attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claims {
    Write,
    Keep,
}

/// Updates the visitor's details under its proof; claims only with [`Claims::Write`].
pub(crate) fn update_details(tx: &mut Tx, visitor: &Visitor, request: &SessionRequest, claims: Claims) -> Result<()> {
    let written = claims == Claims::Write;
    let person = match visitor.person {
        Some(person) => person,
        None => {
            let id = tx.next_id(Kind::Person, PersonId)?;
            tx.run(ADD_PERSON, values![visitor.site_id, id, visitor.id, visitor.proof.to_text(), tx.now()])?;
            id
        }
    };
    let page = request.page.clone();
    let values = values![
        visitor.site_id,
        person,
        request.nickname.clone().filter(|_| written),
        request.email.clone().filter(|_| written),
        request.attributes.as_ref().filter(|_| written).map(text_of),
        page.as_ref().map(|page| page.url.clone()),
        page.as_ref().map(|page| page.title.clone()),
        page.as_ref().map(|page| page.referrer.clone()),
        request.browser.clone(),
        request.mobile,
        request.locale.clone(),
        request.timezone.clone(),
        tx.now(),
        page.map(|page| page.since),
    ];
    tx.run(UPDATE_DETAILS, values).map(drop)
}

fn text_of(attributes: &BTreeMap<String, String>) -> Value {
    // Strings, which always serialise.
    Value::Text(serde_json::to_string(attributes).unwrap_or_default())
}

/// Transfers the details under a session's proof to another visitor or proof that has none yet. Unsigned claims are not
/// transferred to a signed proof: they may not be true of the signed visitor.
pub(crate) fn transfer(tx: &mut Tx, from: &VisitorSession, (site, to, proof): Shown<'_>) -> Result<()> {
    let old = (from.visitor_id, from.proof.to_text());
    let transferred = tx.run(TRANSFER, values![site, old.0, old.1, to, proof.to_text()])? > 0;
    if transferred && *proof == Proof::Signed {
        tx.run(DROP_CLAIMS, values![site, to, proof.to_text()])?;
    }
    Ok(())
}

/// Deletes the given `people` rows that no token and no conversation refers to.
pub fn remove_people(tx: &mut Tx, shown: &[Shown<'_>]) -> Result<()> {
    tx.run(REMOVE_PEOPLE, values![Value::json(&shown)]).map(drop)
}

/// Sets the current page of a visitor under a proof.
pub(crate) fn set_page(tx: &mut Tx, (site, visitor, proof): Shown<'_>, page: &Page) -> Result<()> {
    let Page { url, title, referrer, since } = page.clone();
    let values = values![site, visitor, proof.to_text(), url, title, referrer, since, tx.now()];
    tx.run(MOVE_TO, values).map(drop)
}

/// Removes a visitor without conversations (its thread was transferred).
pub(crate) fn remove_if_idle(tx: &mut Tx, site: SiteId, id: VisitorId) -> Result<bool> {
    Ok(tx.run(REMOVE_IF_IDLE, values![site, id])? > 0)
}

/// A token to add.
pub(crate) struct NewToken<'a> {
    pub(crate) hash: [u8; 32],
    pub(crate) proof: &'a Proof,
    /// The token that it replaces once it is used.
    pub(crate) replaces: Option<TokenId>,
    /// The identity secret that signed it.
    pub(crate) signed_by: Option<KeyId>,
    /// The browser's network.
    pub(crate) network: Option<NetworkBucket>,
}

pub(crate) fn add_token(tx: &mut Tx, visitor: &Visitor, new: NewToken<'_>) -> Result<VisitorSession> {
    let NewToken { hash, proof, replaces, signed_by, network } = new;
    let token_id = tx.next_id(Kind::Token, TokenId)?;
    let (created_at, expires_at) = (tx.now(), tx.now().plus_seconds(TOKEN_IDLE_S));
    let proof_text = proof.to_text();
    let bucket = network.map(|NetworkBucket(bucket)| i64::from(bucket));
    let (site, id) = (visitor.site_id, visitor.id);
    let values = values![site, token_id, id, hash, proof_text, created_at, expires_at, replaces, bucket, signed_by];
    tx.run(ADD_TOKEN, values)?;
    let (site_id, visitor_id, public_id) = (visitor.site_id, visitor.id, visitor.public_id.clone());
    let proof = proof.clone();
    Ok(VisitorSession { site_id, token_id, visitor_id, public_id, proof, signed_by, created_at, expires_at, replaces })
}

/// Whether the session's token still exists.
pub(crate) fn is_held(tx: &mut Tx, session: &VisitorSession) -> Result<bool> {
    Ok(tx.one::<(i64,)>(HELD, values![session.site_id, session.token_id])?.is_some())
}

/// Extends a token that was used, and shortens the life of the token that it replaces, if any.
pub(crate) fn extend_token(tx: &mut Tx, session: &VisitorSession) -> Result<()> {
    let now = tx.now();
    if let Some(old) = session.replaces {
        tx.run(END_REPLACED, values![session.site_id, old, now.plus_seconds(TOKEN_GRACE_S)])?;
    }
    let end = now.plus_seconds(TOKEN_IDLE_S);
    let values = values![session.site_id, session.token_id, now, end, session.signed_by];
    tx.run(EXTEND_TOKEN, values).map(drop)
}

/// Number of tokens that replace this one and were not used yet.
pub(crate) fn unused_successors(tx: &mut Tx, session: &VisitorSession) -> Result<i64> {
    let values = values![session.site_id, session.visitor_id, session.token_id];
    Ok(tx.one::<(i64,)>(UNUSED_SUCCESSORS, values)?.map_or(0, |(count,)| count))
}

/// A browser that received a token.
pub(crate) struct BrowserRow {
    pub(crate) site_id: SiteId,
    pub(crate) external_id: String,
    pub(crate) anonymous: bool,
    pub(crate) proof: String,
    pub(crate) network: Option<i64>,
    pub(crate) created_at: Millis,
}
record!(BrowserRow { site_id, external_id, anonymous, proof, network, created_at });

/// The newest tokens of all sites of a workspace, or of one of them: by site, newest first.
pub(crate) async fn newest_browsers(
    store: &Store,
    workspace: WorkspaceId,
    site: Option<SiteId>,
    limit: i64,
) -> Result<Vec<BrowserRow>> {
    store.all(NEWEST_BROWSERS, values![workspace, site, limit]).await
}

/// Removes up to `limit` expired tokens of all sites and returns their ids. A background task calls it, so there is no tenant.
pub(crate) fn remove_expired(tx: &mut Tx, limit: i64) -> Result<Vec<TokenId>> {
    let now = tx.now();
    let rows: Vec<(SiteId, TokenId, VisitorId, String)> = tx.all(REMOVE_EXPIRED, values![now, limit])?;
    let shown: Vec<_> = rows.iter().map(|(site, _, visitor, proof)| (site, visitor, proof)).collect();
    tx.run(REMOVE_PEOPLE, values![Value::json(&shown)])?;
    Ok(rows.into_iter().map(|(_, id, ..)| id).collect())
}

/// Removes up to `limit` tokens, then visitors, of a deleted site. Returns how many.
pub fn delete_batch(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    let tokens = tx.run(REMOVE_SOME_TOKENS, values![site, limit])? as i64;
    let visitors = tx.run(REMOVE_SOME, values![site, limit - tokens])? as i64;
    Ok(tokens + visitors)
}

pub(crate) fn remove_token(tx: &mut Tx, session: &VisitorSession) -> Result<()> {
    tx.run(REMOVE_TOKEN, values![session.site_id, session.token_id])?;
    remove_people(tx, &[(session.site_id, session.visitor_id, &session.proof)])
}

/// Visitors with a higher id who were first seen in a time range, are not verified, and have no conversation.
pub fn wrote_nothing(
    tx: &mut Tx,
    site: SiteId,
    (from, to): (Millis, Millis),
    after: VisitorId,
    limit: i64,
) -> Result<Vec<VisitorId>> {
    let rows: Vec<(VisitorId,)> = tx.all(WROTE_NOTHING, values![site, from, to, after, limit])?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Ends the tokens of these visitors and proofs and returns their ids.
pub fn end_tokens(tx: &mut Tx, site: SiteId, shown: &[(VisitorId, Proof)]) -> Result<Vec<TokenId>> {
    let shown: Vec<_> = shown.iter().map(|(visitor, proof)| (visitor, proof.to_text())).collect();
    let rows: Vec<(TokenId,)> = tx.all(END_TOKENS, values![site, Value::json(&shown)])?;
    let people: Vec<_> = shown.iter().map(|(visitor, proof)| (site, visitor, proof)).collect();
    tx.run(REMOVE_PEOPLE, values![Value::json(&people)])?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Removes visitors; their tokens and conversations are removed by a cascade.
pub fn remove(tx: &mut Tx, site: SiteId, visitors: &[VisitorId]) -> Result<()> {
    tx.run(REMOVE, values![site, Value::ids(visitors)]).map(drop)
}
