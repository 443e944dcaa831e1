//! Signed identity: a short-lived JWT (HS256, RFC 7519) that the site's own server makes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::Sha256;

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Longest lifetime that a token may have left: 24 hours.
const LIFETIME_S: i64 = 86_400;
/// Clocks of the site's server and ours may differ by this much.
const SKEW_S: i64 = 60;
/// Nothing longer is looked at.
const TOKEN_BYTES: usize = 4_096;

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that must be understood: there are none that this server understands.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    nbf: Option<i64>,
}

/// Checks that `token` was signed with one of `secrets`, is for `external_id`, and has not expired.
pub fn verify(token: &str, external_id: &str, secrets: &[Secret], now: Millis) -> Result<()> {
    let refuse = |reason| Err(Error::InvalidIdentity(reason));
    if token.len() > TOKEN_BYTES {
        return refuse("it is too long");
    }
    let Some((signed, signature)) = token.rsplit_once('.') else { return refuse("it is not a JWT") };
    let Some((header, claims)) = signed.split_once('.') else { return refuse("it is not a JWT") };
    let (Some(header), Some(claims), Ok(signature)) =
        (decode::<Header>(header), decode::<Claims>(claims), URL_SAFE_NO_PAD.decode(signature))
    else {
        return refuse("it is not a JWT with alg, sub and exp");
    };
    // The algorithm is ours to say: a token that names another is refused before any check.
    if header.alg != "HS256" {
        return refuse("its alg must be HS256");
    }
    if header.crit.is_some() {
        return refuse("its crit names what this server does not know");
    }
    if !secrets.iter().any(|secret| is_signed_with(secret, signed, &signature)) {
        return refuse("its signature does not match this site's identity secret");
    }
    if claims.sub != external_id {
        return refuse("its sub is not the externalId");
    }
    let now_s = now.0 / 1000;
    if claims.exp.saturating_add(SKEW_S) < now_s {
        return refuse("it has expired");
    }
    if claims.nbf.is_some_and(|begin| begin > now_s + SKEW_S) {
        return refuse("its nbf is still ahead");
    }
    if claims.exp > now_s + LIFETIME_S + SKEW_S {
        return refuse("its exp is more than 24 hours ahead");
    }
    Ok(())
}

fn is_signed_with(secret: &Secret, signed: &str, signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
    mac.update(signed.as_bytes());
    mac.verify_slice(signature).is_ok()
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    // An object: the parser would take a list for the fields in their order.
    json.starts_with(b"{").then(|| serde_json::from_slice(&json).ok())?
}
