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

type Describe = fn(&mut SchemaGenerator) -> Schema;

/// One row of a door's table.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{name}` for parameters.
    pub path: &'static str,
    /// Who may call it.
    pub caller: Caller,
    /// Schema of the JSON body it takes.
    pub takes: Option<Describe>,
    /// Schema of the JSON it answers.
    pub gives: Option<Describe>,
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
        Route { method, path, caller, takes: None, gives: None, handler: axum::routing::on(filter, handler) }
    }

    /// Says what body it takes.
    pub fn takes<T: JsonSchema>(mut self) -> Route {
        self.takes = Some(|generator| generator.subschema_for::<T>());
        self
    }

    /// Says what it answers.
    pub fn gives<T: JsonSchema>(mut self) -> Route {
        self.gives = Some(|generator| generator.subschema_for::<T>());
        self
    }
}

/// Makes the router of a table.
pub fn router(routes: Vec<Route>) -> Router<App> {
    routes.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler))
}
