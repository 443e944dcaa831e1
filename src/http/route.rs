//! A door is a table of routes; each row says who may call it. The router, the API description and the access test are
//! all made from these tables.

use axum::Router;
use axum::routing::{MethodFilter, MethodRouter};
use hyper::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::app::App;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Anybody.
    Anyone,
    /// A visitor with its token.
    Visitor,
    /// A signed-in operator.
    Operator,
    /// The owner of the site that the path names.
    SiteOwner,
    /// A script with a site's chat API key.
    ChatKey,
}

/// What an operator shows beside being signed in, for a route that changes something. Keys, secrets and deleting a
/// site ask again, so that a session that was left open or stolen is not enough for them after ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconfirm {
    /// Nothing.
    Never,
    /// That it is them, within the last minutes in this session (`accounts::CONFIRMED_S`).
    Recently,
    /// The password or a code, in its own body, each time.
    EveryTime,
}

/// In a request's extensions: its route asks again.
#[derive(Debug, Clone, Copy)]
pub struct NeedsRecentConfirmation;

type Describe = fn(&mut SchemaGenerator) -> Schema;

/// One row of a door's table.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{name}` for parameters.
    pub path: &'static str,
    /// Other paths that answer the same, left out of the description.
    pub aliases: &'static [&'static str],
    /// Who may call it.
    pub caller: Caller,
    /// What it asks for again. Every route by which an operator changes something says so (`tests/suite/confirmations.rs`).
    pub reconfirm: Option<Reconfirm>,
    /// Schema of its query, an object.
    pub query: Option<Describe>,
    /// Schema of the JSON body it takes.
    pub json_body: Option<Describe>,
    /// Media types that its body may have; none: it has no body.
    pub body_media_types: &'static [&'static str],
    /// Schemas of the JSON it answers: one of them. None: it answers something else, or nothing.
    pub returns: Vec<Describe>,
    /// Media type of what it answers.
    pub media_type: &'static str,
    /// Schema of its refusals, where they are not like all others.
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
        let handler = axum::routing::on(filter, handler);
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

    /// Says under which other paths it answers.
    pub fn aliases_at(mut self, aliases: &'static [&'static str]) -> Route {
        self.aliases = aliases;
        self
    }

    /// Says whether it asks again who calls. `CurrentOperator` holds to it, so that no handler can forget it.
    pub fn reconfirm(mut self, query: Reconfirm) -> Route {
        self.reconfirm = Some(query);
        if query == Reconfirm::Recently {
            self.handler = self.handler.layer(axum::Extension(NeedsRecentConfirmation));
        }
        self
    }

    /// Says what its query may hold.
    pub fn query<T: JsonSchema>(self) -> Route {
        self.query_schema(|generator| T::json_schema(generator))
    }

    /// As [`Route::query`], for a query that no type stands for.
    pub fn query_schema(mut self, describe: Describe) -> Route {
        self.query = Some(describe);
        self
    }

    /// Says what JSON body it takes.
    pub fn json_body<T: JsonSchema>(mut self) -> Route {
        self.json_body = Some(|generator| generator.subschema_for::<T>());
        self.body_media_types = &["application/json"];
        self
    }

    /// Says that the same fields may come as a form.
    pub fn or_form(mut self) -> Route {
        self.body_media_types = &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];
        self
    }

    /// Says that its body is a picture.
    pub fn image_body(mut self) -> Route {
        self.body_media_types = &["image/png", "image/jpeg", "image/gif"];
        self
    }

    /// Says what it answers; where it answers one of several things, said once for each.
    pub fn returns<T: JsonSchema>(mut self) -> Route {
        self.returns.push(|generator| generator.subschema_for::<T>());
        self
    }

    /// Says that it answers something else than JSON.
    pub fn media_type(mut self, media_type: &'static str) -> Route {
        self.media_type = media_type;
        self
    }

    /// Says how it refuses.
    pub fn error_schema<T: JsonSchema>(mut self) -> Route {
        self.error_schema = Some(|generator| generator.subschema_for::<T>());
        self
    }
}

/// Makes the router of a table.
pub fn router(routes: Vec<Route>) -> Router<App> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let paths = route.aliases.iter().chain([&route.path]);
        paths.fold(router, |router, path| router.route(path, route.handler.clone()))
    })
}
