//! The committed description is the program's own, and names every address of the tables.

use ocs::openapi::describe;
use ocs::routes::all_routes;
use serde_json::Value;

#[test]
fn the_committed_description_is_todays() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the file")).expect("JSON");
    assert!(committed == describe(), "docs/openapi.json is stale: run `make bless`");
}

#[test]
fn the_committed_table_of_roles_is_todays() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/roles.md");
    let committed = std::fs::read_to_string(path).expect("the file");
    assert!(committed.trim_end() == ocs::routes::roles_page(), "docs/roles.md is stale: run `make bless`");
}

#[test]
fn every_route_is_described() {
    let description = describe();
    for route in all_routes() {
        let method = route.method.as_str().to_lowercase();
        assert!(
            description["paths"][route.path.replace("{*", "{")][&method].is_object(),
            "{} {}",
            route.method,
            route.path
        );
    }
}
