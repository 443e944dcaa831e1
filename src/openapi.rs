//! The OpenAPI 3.1 description, generated from the APIs' route tables. The web's types are generated from it, so that
//! no shape is written twice.

use hyper::Method;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::error::ErrorCode;
use crate::http::problem::ErrorBody;
use crate::http::route::{Caller, Route};
use crate::hub::{OperatorFrame, OperatorHello, OperatorHint, VisitorFrame, VisitorHello, VisitorHint};
use crate::routes::all_routes;
use crate::widget_api::script::LauncherSite;

/// The description as JSON, in a stable order.
pub fn describe() -> Value {
    let mut shapes = Shapes::new();
    let mut paths: Map<String, Value> = Map::new();
    for route in all_routes() {
        let operation = operation(&route, &mut shapes);
        // A wildcard is one parameter, too.
        let path = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
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
                "csrf": { "type": "apiKey", "in": "header", "name": "x-csrf-token" },
                "chat_key": { "type": "apiKey", "in": "query", "name": "key" }
            }
        }
    })
}

/// Schema generators. Input may omit optional fields, output has them all; therefore there are two generators.
struct Shapes {
    input: SchemaGenerator,
    output: SchemaGenerator,
}

impl Shapes {
    fn new() -> Shapes {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Shapes {
            input: settings.clone().for_deserialize().into_generator(),
            output: settings.for_serialize().into_generator(),
        }
    }

    /// Adds shapes that no route mentions: frames, hints, the error.
    fn name_the_rest(&mut self) {
        fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
            // Mentioning a type adds it to the definitions.
            let _ = generator.subschema_for::<T>();
        }
        add::<VisitorHello>(&mut self.input);
        add::<OperatorHello>(&mut self.input);
        add::<VisitorHint>(&mut self.input);
        add::<OperatorHint>(&mut self.input);
        add::<ErrorCode>(&mut self.output);
        add::<VisitorFrame>(&mut self.output);
        add::<OperatorFrame>(&mut self.output);
        add::<LauncherSite<'static>>(&mut self.output);
    }

    fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.input.take_definitions(true);
        all.extend(self.output.take_definitions(true));
        all
    }
}

fn operation(route: &Route, shapes: &mut Shapes) -> Value {
    let mut parameters = path_parameters(route.path);
    if let Some(query) = route.query {
        parameters.extend(query_parameters(&query(&mut shapes.input).to_value()));
    }
    let mut operation = json!({ "security": security(route), "parameters": parameters });
    if !route.body_media_types.is_empty() {
        let schema = route.json_body.map_or(json!({}), |body| json!({ "schema": body(&mut shapes.input).to_value() }));
        let content: Map<String, Value> =
            route.body_media_types.iter().map(|kind| ((*kind).to_owned(), schema.clone())).collect();
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    let refusal = match route.error_schema {
        Some(schema) => schema(&mut shapes.output),
        None => shapes.output.subschema_for::<ErrorBody>(),
    };
    let refusal = json!({ "application/json": { "schema": refusal.to_value() } });
    // Internal errors are not documented as responses.
    let status = if route.method == Method::OPTIONS { "204" } else { "200" };
    operation["responses"] = json!({
        status: success(route, shapes),
        "4XX": { "description": "refused", "content": refusal },
        "503": { "description": "not now, try again", "content": refusal },
    });
    operation
}

fn success(route: &Route, shapes: &mut Shapes) -> Value {
    let mut output: Vec<Value> = route.returns.iter().map(|schema| schema(&mut shapes.output).to_value()).collect();
    let schema = match output.len() {
        0 if route.media_type == "application/json" => return json!({ "description": "done" }),
        0 => json!({}),
        1 => json!({ "schema": output.remove(0) }),
        _ => json!({ "schema": { "anyOf": output } }),
    };
    json!({ "description": "done", "content": { route.media_type: schema } })
}

fn security(route: &Route) -> Value {
    let is_change = !matches!(route.method, Method::GET | Method::OPTIONS);
    match route.caller {
        Caller::Anyone => json!([]),
        Caller::Visitor => json!([{ "visitor": [] }]),
        Caller::Operator | Caller::Member(_) | Caller::SiteMember(_) if is_change => {
            json!([{ "operator": [], "csrf": [] }])
        }
        Caller::Operator | Caller::Member(_) | Caller::SiteMember(_) => json!([{ "operator": [] }]),
        Caller::ChatKey => json!([{ "chat_key": [] }]),
    }
}

/// Ids of ours are numbers; random names are text.
fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let kind = |name| if matches!(name, "name" | "path" | "widget_key") { "string" } else { "integer" };
    names
        .map(|name| name.trim_start_matches('*'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind(name) } }))
        .collect()
}

fn query_parameters(schema: &Value) -> Vec<Value> {
    let required =
        |name: &String| schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
    let fields = schema["properties"].as_object().cloned().unwrap_or_default();
    fields
        .into_iter()
        .map(|(name, shape)| json!({ "name": name, "in": "query", "required": required(&name), "schema": shape }))
        .collect()
}
