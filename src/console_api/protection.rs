//! Two-factor authentication, and the audit log of the operator's account.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header::{CACHE_CONTROL, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::audit::view::AuditLine;
use crate::error::Result;
use crate::http::body::{Done, JsonBody, QueryOf};
use crate::http::caller::CurrentOperator;
use crate::id::AuditId;
use crate::secret::Secret;

/// Entries in one response.
const PAGE: i64 = 50;

/// State of two-factor authentication.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SecondFactorState {
    /// A code is required at sign-in.
    enabled: bool,
    /// Unused recovery codes.
    recovery_codes_left: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BeginSecondFactor {
    password: String,
}

/// The secret for an authenticator app; shown once.
#[derive(Serialize, JsonSchema)]
pub(super) struct SecondFactorSecret {
    /// To type into the app.
    secret: String,
    /// The same as a link, which opens an app on the device.
    otpauth_url: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmSecondFactor {
    code: String,
}

/// Password and code, for changes that weaken the account's protection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShowBoth {
    password: String,
    code: String,
}

/// Each works once in place of a code; shown once.
#[derive(Serialize, JsonSchema)]
pub(super) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// The audit log of the account, newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct AuditLines {
    lines: Vec<AuditLine>,
    /// Whether older entries exist.
    more: bool,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    before: Option<AuditId>,
}

pub(super) async fn state(State(app): State<App>, operator: CurrentOperator) -> Result<Json<SecondFactorState>> {
    let accounts::Protection { enabled, recovery_codes_left } =
        accounts::protection(&app.accounts, operator.account).await?;
    Ok(Json(SecondFactorState { enabled, recovery_codes_left }))
}

pub(super) async fn begin(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(asked): JsonBody<BeginSecondFactor>,
) -> Result<Response> {
    let made = accounts::begin_second_factor(&app.accounts, operator.account(), &asked.password).await?;
    let (secret, otpauth_url) = (made.secret.expose().to_owned(), made.url.expose().to_owned());
    Ok(once(SecondFactorSecret { secret, otpauth_url }))
}

pub(super) async fn confirm(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(asked): JsonBody<ConfirmSecondFactor>,
) -> Result<Response> {
    let (by, account, kept) = (operator.by(), operator.account(), operator.session);
    Ok(codes(accounts::confirm_second_factor(&app.accounts, by, account, kept, &asked.code).await?))
}

pub(super) async fn renew_codes(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(asked): JsonBody<ShowBoth>,
) -> Result<Response> {
    let (by, account, kept) = (operator.by(), operator.account(), operator.session);
    let shown = (asked.password.as_str(), asked.code.as_str());
    Ok(codes(accounts::renew_recovery_codes(&app.accounts, by, account, kept, shown).await?))
}

pub(super) async fn end(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(asked): JsonBody<ShowBoth>,
) -> Result<Json<Done>> {
    let (by, account, kept) = (operator.by(), operator.account(), operator.session);
    accounts::end_second_factor(&app.accounts, by, account, kept, (&asked.password, &asked.code)).await?;
    Ok(Json(Done {}))
}

pub(super) async fn audit(
    State(app): State<App>,
    operator: CurrentOperator,
    QueryOf(asked): QueryOf<Before>,
) -> Result<Json<AuditLines>> {
    let before = asked.before.unwrap_or(AuditId(i64::MAX));
    let mut entries = audit::store::of_account(&app.store, operator.account, before, PAGE + 1).await?;
    let more = entries.len() as i64 > PAGE;
    entries.truncate(PAGE as usize);
    Ok(Json(AuditLines { lines: entries.into_iter().map(AuditLine::from).collect(), more }))
}

fn codes(codes: Vec<Secret>) -> Response {
    once(RecoveryCodes { recovery_codes: codes.iter().map(|code| code.expose().to_owned()).collect() })
}

/// A response that must not be cached.
fn once<T: Serialize>(shown: T) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(shown)).into_response()
}
