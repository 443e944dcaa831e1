//! Signed identity: a short-lived JWT (HS256, RFC 7519) that the site's own server makes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use sha2::Sha256;

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Longest lifetime that a token may have left: 24 hours.
const LIFETIME_MS: i64 = 86_400_000;
/// Clocks of the site's server and ours may differ by this much.
const SKEW_MS: i64 = 60_000;
/// Nothing longer is looked at.
const TOKEN_BYTES: usize = 4_096;

#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
    /// Extensions that must be understood: there are none that this server understands.
    crit: Option<IgnoredAny>,
}

/// What is looked at, of any type, so that each fault has its own reason.
#[derive(Deserialize)]
struct Claims {
    sub: Option<Value>,
    exp: Option<Value>,
    nbf: Option<Value>,
}

/// Whether an identity token proves who somebody is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It does.
    Valid,
    /// It did: only its `exp` has passed.
    Expired,
}

/// Checks that `token` was signed with one of `secrets` and is for `external_id`, and tells whether it is still valid. The
/// page's developer reads the reason of a refusal in the browser's console. What the claims say is only told of a token whose
/// signature is right.
///
/// # Errors
/// `InvalidIdentity`, with a reason of its own for each fault.
pub fn verify(token: &str, external_id: &str, secrets: &[Secret], now: Millis) -> Result<Validity> {
    check(token, external_id, secrets, now).map_err(Error::InvalidIdentity)
}

type Checked = std::result::Result<Validity, &'static str>;

fn check(token: &str, external_id: &str, secrets: &[Secret], now: Millis) -> Checked {
    if token.len() > TOKEN_BYTES {
        return Err("it is longer than 4,096 bytes");
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err("it is not a JWT of three parts with dots between") };
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "its signature is not base64url without padding")?;
    let header = object::<Header>(header).ok_or("its header is not a JSON object in base64url without padding")?;
    // The algorithm is ours to say: a token that names another is refused before any check.
    if header.alg.as_deref() != Some("HS256") {
        return Err("its alg must be HS256");
    }
    if header.crit.is_some() {
        return Err("its crit names what this server does not know");
    }
    let signed = &token[..parts[0].len() + 1 + claims.len()];
    if !secrets.iter().any(|secret| is_signed_with(secret, signed, &signature)) {
        return Err("its signature does not match this site's identity secret");
    }
    let claims =
        object(claims).ok_or("its claims are not a JSON object, in base64url without padding, that names each once")?;
    check_claims(&claims, external_id, now)
}

fn check_claims(claims: &Claims, external_id: &str, now: Millis) -> Checked {
    let subject = claims.sub.as_ref().ok_or("it has no sub; set it to the externalId")?;
    let subject = subject.as_str().ok_or("its sub must be a text; put the externalId in quotes")?;
    if subject != external_id {
        return Err("its sub is not the externalId");
    }
    let expiry = claims.exp.as_ref().ok_or("it has no exp; set it to the Unix time at which it ends")?;
    let expiry = numeric_date(expiry).ok_or("its exp must be a number: the Unix time in seconds")?;
    if expiry > now.0 + LIFETIME_MS + SKEW_MS {
        return Err("its exp is more than 24 hours ahead");
    }
    let begin = claims
        .nbf
        .as_ref()
        .map(|begin| numeric_date(begin).ok_or("its nbf must be a number: the Unix time in seconds"));
    if begin.transpose()?.is_some_and(|begin| begin > now.0 + SKEW_MS) {
        return Err("it is not valid yet: its nbf is still ahead");
    }
    Ok(if expiry.saturating_add(SKEW_MS) < now.0 { Validity::Expired } else { Validity::Valid })
}

/// A NumericDate (RFC 7519, section 2) in milliseconds: seconds as any JSON number, also with a fraction or an exponent.
fn numeric_date(value: &Value) -> Option<i64> {
    // Where the number is too large for the type, the nearest one that it has.
    value.as_f64().map(|seconds| (seconds * 1000.0) as i64)
}

fn is_signed_with(secret: &Secret, signed: &str, signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
    mac.update(signed.as_bytes());
    mac.verify_slice(signature).is_ok()
}

fn object<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    // An object: the parser would take a list for the fields in their order.
    json.starts_with(b"{").then(|| serde_json::from_slice(&json).ok())?
}
