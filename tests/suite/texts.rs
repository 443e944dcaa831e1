//! Whatever people type is cleaned, wherever it goes in: no direction overrides, no invisible letters.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};

use crate::world::{Owner, World};

/// Text with what makes it read otherwise than it is, and what nobody sees. Cleaned it is `abcdefg`.
const SLY: &str = "a\u{202e}b\u{2066}c\u{200b}d\u{7}e\u{ad}f\u{e0067}g\u{feff}";
const CLEAN: &str = "abcdefg";
/// Fields of requests that hold what people type; the test below sends each of them.
const TYPED: &[&str] = &[
    "agent_name",
    "attributes.*",
    "content",
    "email",
    "en",
    "es",
    "fr",
    "ja",
    "zh-CN",
    "locale",
    "name",
    "nickname",
    "referrer",
    "text",
    "timezone",
    "title",
    "url",
];
/// Fields of requests that are of a form of their own, or are never shown.
const NOT_TYPED: &[&str] = &[
    "allowed_domains[]",
    "client_id",
    "code",
    "conversation",
    "current",
    "external_id",
    "header",
    "header_text",
    "identity_token",
    "image",
    "image_base64",
    "key",
    "networks[]",
    "new",
    "password",
    "primary",
    "primary_text",
    "work",
];

/// The names of all text fields that a schema takes.
fn fields(schema: &Value, all: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return fields(&all[name], all, path, found);
    }
    let is_text =
        schema["type"] == "string" || schema["type"].as_array().is_some_and(|types| types.contains(&json!("string")));
    if is_text && schema.get("enum").is_none() && schema.get("const").is_none() {
        found.insert(path.to_owned());
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        fields(field, all, name, found);
    }
    for (key, suffix) in [("additionalProperties", ".*"), ("items", "[]")] {
        if schema[key].is_object() {
            fields(&schema[key], all, &format!("{path}{suffix}"), found);
        }
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        schema[choice].as_array().into_iter().flatten().for_each(|one| fields(one, all, path, found));
    }
}

#[test]
fn every_text_field_is_known_to_this_test() {
    let description = ocs::openapi::describe();
    let mut found = BTreeSet::new();
    for operation in description["paths"].as_object().into_iter().flatten().flat_map(|(_, path)| path.as_object()) {
        for (_, operation) in operation {
            for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                fields(&content["schema"], &description["components"]["schemas"], "", &mut found);
            }
        }
    }
    let known: BTreeSet<String> = TYPED.iter().chain(NOT_TYPED).map(|name| (*name).to_owned()).collect();
    assert_eq!(found, known, "a new field of a request: is it typed by people, and is it cleaned?");
}

#[tokio::test]
async fn no_text_reads_otherwise_than_it_is() {
    let world = World::new().await;
    let made = json!({ "email": "otto@example.org", "password": "correct horse battery", "name": SLY });
    let otto =
        Owner::from(world.http().clone(), world.http().json(Method::POST, "/api/console/sign-up", &[], &made).await);
    let shop = otto.site(SLY).await;
    let welcome = json!({ "en": SLY, "es": SLY, "fr": SLY, "ja": SLY, "zh-CN": SLY });
    otto.configure(&shop, json!({ "name": SLY, "welcome": welcome })).await;
    let start = json!({
        "external_id": "vera", "anonymous": false, "nickname": SLY, "email": format!("{SLY}@b.example"),
        "attributes": { SLY: SLY }, "locale": SLY, "timezone": SLY,
        "page": { "url": format!("https://shop.example/{SLY}"), "title": SLY, "referrer": format!("https://{SLY}") },
    });
    let vera = world.arrive(&shop, start.clone(), None).await.expect("to be let in");
    vera.send("v1", SLY).await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    otto.reply(&shop, conversation, "o1", SLY).await.ok();
    let api = format!("/api/chat_api.php?key={}&action=", shop.chat_key);
    let reply = json!({ "conversation_id": conversation, "content": SLY, "agent_name": SLY });
    world.http().json(Method::POST, &format!("{api}reply_as_agent"), &[], &reply).await.ok();

    let console = [("cookie", otto.cookie.as_str())];
    let mut shown = 0;
    for path in [
        "/api/console/me".to_owned(),
        "/api/console/sites".to_owned(),
        format!("/api/console/sites/{}", shop.id),
        "/api/console/conversations".to_owned(),
        format!("/api/console/sites/{}/conversations/{conversation}", shop.id),
        "/api/console/account/audit".to_owned(),
        format!("{api}get_recent_messages"),
        format!("/api/widget/welcome?key={}", shop.widget_key),
    ] {
        let answer = world.http().send(Method::GET, &path, &console, "").await;
        let text = String::from_utf8(answer.bytes.to_vec()).expect("text");
        let hidden = SLY.chars().filter(|c| !c.is_ascii_alphabetic()).find(|c| text.contains(*c));
        assert_eq!(hidden, None, "{path}: {text}");
        shown += text.matches(CLEAN).count();
    }
    assert!(shown >= 15, "{shown} texts were looked at");

    // Names that must stay as they are have nothing hidden in them to begin with.
    for external_id in [SLY, "ve\u{200b}ra", "\u{202e}arev"] {
        let mut start = start.clone();
        start["external_id"] = json!(external_id);
        assert_eq!(
            world.arrive(&shop, start, None).await.err().expect("a refusal").json()["error"]["field"],
            "external_id"
        );
    }
    for email in ["ot\u{200b}to@example.org", "\u{202e}otto@example.org"] {
        let made = json!({ "email": email, "password": "correct horse battery" });
        let refused = world.http().json(Method::POST, "/api/console/sign-up", &[], &made).await;
        assert_eq!(refused.json()["error"]["field"], "email");
    }
}
