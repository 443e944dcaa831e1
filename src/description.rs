//! The product's own description of its addresses and shapes (OpenAPI 3.1), made from the doors' tables. The web's types
//! are made from it, so that no shape is written twice.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::error::ErrorCode;
use crate::http::problem::ErrorBody;
use crate::http::route::{Caller, Route};
use crate::realtime::{OperatorFrame, OperatorHello, OperatorHint, VisitorFrame, VisitorHello, VisitorHint};
use crate::serve::all_routes;
use crate::widget::script::LauncherSite;
use crate::widget::{HistoryForVisitor, SentToVisitor};

/// The description as JSON, in a stable order.
pub fn describe() -> Value {
    let mut shapes = Shapes::new();
    let mut paths: Map<String, Value> = Map::new();
    for route in all_routes() {
        let operation = operation(&route, &mut shapes);
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    shapes.name_the_rest();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "OCS", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0 OR MIT" } },
        "paths": paths,
        "components": {
            "schemas": shapes.definitions(),
            "securitySchemes": {
                "visitor": { "type": "http", "scheme": "bearer" },
                "operator": { "type": "apiKey", "in": "cookie", "name": "ocs_session" },
                "chat_key": { "type": "apiKey", "in": "query", "name": "key" }
            }
        }
    })
}

/// What goes in may leave fields out; what comes out has them all. So there are two generators.
struct Shapes {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Shapes {
    fn new() -> Shapes {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Shapes {
            taken: settings.clone().for_deserialize().into_generator(),
            given: settings.for_serialize().into_generator(),
        }
    }

    /// Shapes that no row of a table mentions: frames, hints, the refusal, the answers of the one widget address.
    fn name_the_rest(&mut self) {
        fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
            // Mentioning a type puts it among the definitions.
            let _ = generator.subschema_for::<T>();
        }
        add::<VisitorHello>(&mut self.taken);
        add::<OperatorHello>(&mut self.taken);
        add::<VisitorHint>(&mut self.taken);
        add::<OperatorHint>(&mut self.taken);
        add::<ErrorCode>(&mut self.given);
        add::<VisitorFrame>(&mut self.given);
        add::<OperatorFrame>(&mut self.given);
        add::<SentToVisitor>(&mut self.given);
        add::<HistoryForVisitor>(&mut self.given);
        add::<LauncherSite<'static>>(&mut self.given);
    }

    fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.taken.take_definitions(true);
        all.extend(self.given.take_definitions(true));
        all
    }
}

fn operation(route: &Route, shapes: &mut Shapes) -> Value {
    let mut operation = json!({ "security": security(route.caller), "parameters": parameters(route.path) });
    if let Some(takes) = route.takes {
        let schema = takes(&mut shapes.taken).to_value();
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    let mut success = json!({ "description": "done" });
    if let Some(gives) = route.gives {
        success["content"] = json!({ "application/json": { "schema": gives(&mut shapes.given).to_value() } });
    }
    let refusal = shapes.given.subschema_for::<ErrorBody>().to_value();
    let refusal = json!({ "description": "refused", "content": { "application/json": { "schema": refusal } } });
    operation["responses"] = json!({ "200": success, "default": refusal });
    operation
}

fn security(caller: Caller) -> Value {
    match caller {
        Caller::Anyone => json!([]),
        Caller::Visitor => json!([{ "visitor": [] }]),
        Caller::Operator | Caller::SiteOwner => json!([{ "operator": [] }]),
        Caller::ChatKey => json!([{ "chat_key": [] }]),
    }
}

fn parameters(path: &str) -> Value {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })).collect()
}
