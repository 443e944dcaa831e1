//! Authentication by chat API key: from the query, as documented, from a header, or from a form.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;

use crate::app::App;
use crate::error::Error;
use crate::http::address::ClientAddress;
use crate::id::KeyId;
use crate::secret::Secret;
use crate::sites::{KeyScope, Site};

use super::answer::Refusal;
use super::body::Parameters;

/// A script with a site's key.
pub(super) struct CurrentKey {
    /// The site of the key.
    pub site: Arc<Site>,
    /// Id of the key.
    pub id: KeyId,
    /// Allowed actions.
    pub scope: KeyScope,
    /// The key as presented: responses repeat it; it must not be used otherwise.
    pub presented: Secret,
}

impl CurrentKey {
    pub(super) async fn find(
        app: &App,
        asked: &Parameters,
        parts: &mut Parts,
    ) -> std::result::Result<CurrentKey, Refusal> {
        let presented = presented(asked, parts).ok_or(Refusal::MissingKey)?;
        let (site, id, grant) = match app.sites.by_chat_key(&presented).await {
            Ok(found) => found,
            Err(Error::NotFound | Error::UnknownSite) => return Err(Refusal::InvalidKey),
            Err(error) => return Err(error.into()),
        };
        let Ok(address) = ClientAddress::from_request_parts(parts, app).await;
        if !grant.admits(address.0) {
            return Err(Refusal::AddressNotAllowed);
        }
        Ok(CurrentKey { site, id, scope: grant.scope, presented: Secret::new(presented) })
    }
}

/// The presented key, valid or not.
pub(super) fn presented(asked: &Parameters, parts: &Parts) -> Option<String> {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header(AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let keys = [asked.get("key"), bearer, header("x-api-key")];
    keys.into_iter().flatten().map(str::trim).find(|key| !key.is_empty()).map(str::to_owned)
}
