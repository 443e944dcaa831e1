//! An API is a table of routes; each row says who may call it. The router, the OpenAPI description and the access test
//! are built from these tables.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use hyper::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::app::App;
use crate::members::Role;

use super::body;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// No authentication.
    Anyone,
    /// A visitor with a session token.
    Visitor,
    /// A signed-in person, whatever their workspaces.
    Operator,
    /// A member of the workspace in the path, with at least this role.
    Member(Role),
    /// A member who looks after the site in the path, with at least this role.
    SiteMember(Role),
    /// A script with a site's chat API key.
    ChatKey,
}

/// What an operator must confirm, beyond being signed in, to make a change. Keys, secrets and deleting a site need a
/// recent confirmation, so that a session that was left open or stolen does not suffice after ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconfirm {
    /// Nothing.
    Never,
    /// Their identity, within the last minutes of this session (`accounts::CONFIRMED_S`).
    Recently,
    /// The same, if the change weakens a policy that outlasts the session (`Site::is_weakened_by`). The handler checks it.
    ToWeaken,
    /// The password or a code, in the request body, every time.
    EveryTime,
}

/// Request extension: the least role that may call the route.
#[derive(Debug, Clone, Copy)]
pub struct RequiredRole(pub Role);

/// Request extension: the route needs a recent confirmation.
#[derive(Debug, Clone, Copy)]
pub struct NeedsRecentConfirmation;

type Describe = fn(&mut SchemaGenerator) -> Schema;

/// One row of an API's table.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{name}` for parameters.
    pub path: &'static str,
    /// Other paths with the same behaviour, not in the OpenAPI description.
    pub aliases: &'static [&'static str],
    /// Who may call it.
    pub caller: Caller,
    /// The confirmation it needs. Every operator route that changes something sets it (`tests/suite/confirmations.rs`).
    pub reconfirm: Option<Reconfirm>,
    /// Schema of the query, an object.
    pub query: Option<Describe>,
    /// Schema of the JSON body.
    pub json_body: Option<Describe>,
    /// Accepted media types of the body; empty: no body.
    pub body_media_types: &'static [&'static str],
    /// Schemas of the JSON response, one of them; empty: no JSON.
    pub returns: Vec<Describe>,
    /// Media type of the response.
    pub media_type: &'static str,
    /// Schema of its errors, if they differ from [`super::problem::ErrorBody`].
    pub error_schema: Option<Describe>,
    handler: MethodRouter<App>,
}

impl Route {
    /// A row without schemas.
    pub fn new<H, T>(method: Method, path: &'static str, caller: Caller, handler: H) -> Route
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        let filter = match method {
            Method::POST => MethodFilter::POST,
            Method::PUT => MethodFilter::PUT,
            Method::PATCH => MethodFilter::PATCH,
            Method::DELETE => MethodFilter::DELETE,
            Method::OPTIONS => MethodFilter::OPTIONS,
            _ => MethodFilter::GET,
        };
        let mut handler = axum::routing::on(filter, handler);
        if let Caller::Member(role) | Caller::SiteMember(role) = caller {
            handler = handler.layer(axum::Extension(RequiredRole(role)));
        }
        let (returns, media_type) = (Vec::new(), "application/json");
        Route {
            method,
            path,
            aliases: &[],
            caller,
            reconfirm: None,
            query: None,
            json_body: None,
            body_media_types: &[],
            returns,
            media_type,
            error_schema: None,
            handler,
        }
    }

    /// Adds other paths with the same behaviour.
    pub fn aliases_at(mut self, aliases: &'static [&'static str]) -> Route {
        self.aliases = aliases;
        self
    }

    /// Sets the confirmation. `CurrentOperator` enforces it, so that no handler can forget it.
    pub fn reconfirm(mut self, query: Reconfirm) -> Route {
        self.reconfirm = Some(query);
        if query == Reconfirm::Recently {
            self.handler = self.handler.layer(axum::Extension(NeedsRecentConfirmation));
        }
        self
    }

    /// Sets the query type.
    pub fn query<T: JsonSchema>(self) -> Route {
        self.query_schema(|generator| T::json_schema(generator))
    }

    /// Sets the query schema, where no type describes it.
    pub fn query_schema(mut self, describe: Describe) -> Route {
        self.query = Some(describe);
        self
    }

    /// Sets the JSON body type.
    pub fn json_body<T: JsonSchema>(mut self) -> Route {
        if let Caller::Member(_) | Caller::SiteMember(_) = self.caller {
            self.handler = self.handler.layer(axum::middleware::from_fn(body_first));
        }
        self.json_body = Some(|generator| generator.subschema_for::<T>());
        self.body_media_types = &["application/json"];
        self
    }

    /// Also accepts the same fields as a form.
    pub fn or_form(mut self) -> Route {
        self.body_media_types = &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];
        self
    }

    /// Accepts an image as the body.
    pub fn image_body(mut self) -> Route {
        self.body_media_types = &["image/png", "image/jpeg", "image/gif"];
        self
    }

    /// Adds a JSON response type; call it once for each alternative.
    pub fn returns<T: JsonSchema>(mut self) -> Route {
        self.returns.push(|generator| generator.subschema_for::<T>());
        self
    }

    /// Sets a response media type other than JSON.
    pub fn media_type(mut self, media_type: &'static str) -> Route {
        self.media_type = media_type;
        self
    }

    /// Sets the error type.
    pub fn error_schema<T: JsonSchema>(mut self) -> Route {
        self.error_schema = Some(|generator| generator.subschema_for::<T>());
        self
    }
}

/// Reads the body before the membership is proved: whoever sends slowly neither holds a turn of the workspace meanwhile nor
/// acts on rights that ended in between.
async fn body_first(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match body::read(body, body::JSON_BYTES).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) => error.into_response(),
    }
}

/// Builds the router of a table.
pub fn router(routes: Vec<Route>) -> Router<App> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let paths = route.aliases.iter().chain([&route.path]);
        paths.fold(router, |router, path| router.route(path, route.handler.clone()))
    })
}
