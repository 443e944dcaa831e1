//! What others may see of a visitor.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clock::Millis;
use crate::id::{SiteId, VisitorId};

use super::{Page, Proof, Visitor};

/// A visitor as one proof shows it, for operators.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of Visitor")]
pub struct VisitorForOperator {
    pub site_id: SiteId,
    pub id: VisitorId,
    pub external_id: String,
    pub anonymous: bool,
    /// A signed identity token for this id has been seen, perhaps from somebody else.
    pub verified: bool,
    /// Whom news means: what is said of a visitor with another proof is said of somebody else. Opaque.
    pub proof: Proof,
    /// Name, e-mail address and attributes came without a signature.
    pub claimed: bool,
    pub nickname: Option<String>,
    pub email: Option<String>,
    pub attributes: BTreeMap<String, String>,
    pub page: Option<Page>,
    pub browser: Option<String>,
    pub mobile: bool,
    pub locale: Option<String>,
    pub timezone: Option<String>,
    /// A page of the site is open in the visitor's browser now.
    pub online: bool,
    pub first_seen_at: Millis,
    pub last_seen_at: Millis,
}

/// A visitor, as its own page sees it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct VisitorForVisitor {
    /// As given.
    pub external_id: String,
    /// As given.
    pub nickname: Option<String>,
    /// Whether this session is signed.
    pub verified: bool,
}

impl Visitor {
    /// For operators of its site.
    pub fn for_operator(&self, online: bool) -> VisitorForOperator {
        let visitor = self.clone();
        VisitorForOperator {
            site_id: visitor.site_id,
            id: visitor.id,
            external_id: visitor.external_id,
            anonymous: visitor.anonymous,
            verified: visitor.verified,
            claimed: visitor.proof != Proof::Signed,
            proof: visitor.proof,
            nickname: visitor.nickname,
            email: visitor.email,
            attributes: visitor.attributes,
            page: visitor.page,
            browser: visitor.browser,
            mobile: visitor.mobile,
            locale: visitor.locale,
            timezone: visitor.timezone,
            online,
            first_seen_at: visitor.first_seen_at,
            last_seen_at: visitor.last_seen_at,
        }
    }
}
