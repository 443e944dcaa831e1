//! The documented contract, row by row and to the letter: a client written against it works here with only the host
//! changed.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Answer, Http, Owner, Site, Visitor, World};

const ADDRESS: &str = "/api/chat_api.php";

struct Shop {
    world: World,
    otto: Owner,
    site: Site,
    vera: Visitor,
    conversation: i64,
}

impl Shop {
    async fn new() -> Shop {
        let world = World::new().await;
        let otto = world.owner("otto").await;
        let site = otto.site("Shop").await;
        let vera = world.visitor(&site, "vera").await;
        vera.send("v1", "Hello, I would like to inquire about product pricing").await.ok();
        let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
        Shop { world, otto, site, vera, conversation }
    }

    fn http(&self) -> &Http {
        self.world.http()
    }

    fn at(&self, action: &str) -> String {
        format!("{ADDRESS}?action={action}&key={}", self.site.chat_key)
    }

    async fn reply(&self, body: &Value) -> Answer {
        self.http().json(Method::POST, &self.at("reply_as_agent"), &[], body).await
    }

    async fn set_limits(&self, api_per_minute: u32, image_bytes: u32) {
        let limits = json!({ "messages_per_minute": 20, "api_per_minute": api_per_minute, "image_bytes": image_bytes });
        self.otto.configure(&self.site, json!({ "limits": limits })).await;
    }
}

/// The whole answer, as a strict client sees it.
fn refused(answer: &Answer, status: u16, message: &str) {
    let expected = format!(r#"{{"success":false,"message":"{message}"}}"#);
    assert_eq!(answer.status.as_u16(), status, "{message}: {:?}", String::from_utf8_lossy(&answer.bytes));
    assert_eq!(String::from_utf8_lossy(&answer.bytes), expected);
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn keys() {
    let shop = Shop::new().await;
    let http = shop.http();
    let key = &shop.site.chat_key;
    for path in ["", "?action=get_recent_messages", "?action=get_recent_messages&key=", "?action=nonsense"] {
        refused(&http.get(&format!("{ADDRESS}{path}")).await, 401, "missing key");
        refused(&http.send(Method::POST, &format!("{ADDRESS}{path}"), &[], "x").await, 401, "missing key");
        refused(&http.send(Method::DELETE, &format!("{ADDRESS}{path}"), &[], "").await, 401, "missing key");
    }
    let widget_key = shop.site.widget_key.as_str();
    for wrong in ["CHAT_API_KEY", "chat_", "chat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", widget_key] {
        let path = format!("{ADDRESS}?action=get_recent_messages&key={wrong}");
        refused(&http.get(&path).await, 401, "invalid key");
    }
    let path = format!("{ADDRESS}?action=get_recent_messages");
    for (name, value) in [("authorization", format!("Bearer {key}")), ("x-api-key", key.clone())] {
        let answer = http.send(Method::GET, &path, &[(name, &value)], "").await;
        assert_eq!(answer.ok()["success"], true, "{name}");
        let wrong = value.replace("chat_", "chat_x");
        refused(&http.send(Method::GET, &path, &[(name, &wrong)], "").await, 401, "invalid key");
    }
}

#[tokio::test]
async fn the_key_may_stand_in_a_form_where_the_query_has_none() {
    let shop = Shop::new().await;
    let (http, key, id) = (shop.http(), &shop.site.chat_key, shop.conversation);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("action=reply_as_agent&key={key}&conversation_id={id}&content=form");
    let multipart = [("content-type", "multipart/form-data; boundary=x")];
    let part =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = part("attachment\"; filename=\"a", &"a".repeat(100_000));
    let rest = part("conversation_id", &id.to_string()) + &part("content", "parts") + "--x--\r\n";
    let named = part("key", key) + &part("action", "reply_as_agent");
    for address in [ADDRESS, "/api/chat_api.php/", "/api/chat_api", "/api/chat_api/"] {
        assert_eq!(
            http.send(Method::POST, address, &form, body.clone()).await.bytes,
            r#"{"success":true}"#,
            "{address}"
        );
    }
    for good in [named.clone() + &rest, named.clone() + &file + &rest] {
        assert_eq!(http.send(Method::POST, ADDRESS, &multipart, good).await.bytes, r#"{"success":true}"#);
    }
    // After a file, in a form over 64 KiB or in JSON it is not looked for; and the query goes first.
    refused(&http.send(Method::POST, ADDRESS, &multipart, file.clone() + &named + &rest).await, 401, "missing key");
    let long = format!("{body}&more={}", "x".repeat(64 * 1024));
    refused(&http.send(Method::POST, ADDRESS, &form, long).await, 401, "missing key");
    let in_json = json!({ "key": key, "action": "reply_as_agent", "conversation_id": id, "content": "Hi" });
    refused(&http.json(Method::POST, ADDRESS, &[], &in_json).await, 401, "missing key");
    let wrong = format!("{ADDRESS}?key=chat_wrong");
    refused(&http.send(Method::POST, &wrong, &form, body.clone()).await, 401, "invalid key");
    let other = format!("{ADDRESS}?action=nonsense");
    refused(&http.send(Method::POST, &other, &form, body).await, 400, "unknown action");
    assert_eq!(shop.otto.thread(&shop.site, id).await[1..], ["form", "form", "form", "form", "parts", "parts"]);
}

#[tokio::test]
async fn a_revoked_key_is_invalid_at_once() {
    let shop = Shop::new().await;
    let path = shop.at("get_recent_messages");
    assert_eq!(shop.http().get(&path).await.status, StatusCode::OK);
    let site = shop.site.id;
    let sites = shop.otto.get(&format!("sites/{site}")).await;
    let key = sites["chat_keys"][0]["id"].as_i64().expect("a key");
    shop.otto.call(Method::DELETE, &format!("sites/{site}/chat-keys/{key}"), json!({})).await.ok();
    refused(&shop.http().get(&path).await, 401, "invalid key");
}

#[tokio::test]
async fn actions_and_methods() {
    let shop = Shop::new().await;
    let http = shop.http();
    for action in ["", "nonsense", "GET_RECENT_MESSAGES", "get_recent_messages%00"] {
        refused(&http.get(&shop.at(action)).await, 400, "unknown action");
    }
    let without = format!("{ADDRESS}?key={}", shop.site.chat_key);
    refused(&http.get(&without).await, 400, "unknown action");
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = http.send(method, &shop.at("get_recent_messages"), &[], "").await;
        refused(&answer, 405, "method not allowed");
        assert!(answer.headers.contains_key("allow"));
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        refused(&http.send(method, &shop.at("reply_as_agent"), &[], "").await, 405, "method not allowed");
    }
    let head = http.send(Method::HEAD, &shop.at("get_recent_messages"), &[], "").await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    let options = http.send(Method::OPTIONS, ADDRESS, &[], "").await;
    assert_eq!(options.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_limit_counts_fetching_and_replying_apart() {
    let shop = Shop::new().await;
    shop.set_limits(3, 1_000_000).await;
    let (fetch, reply) =
        (shop.at("get_recent_messages"), json!({ "conversation_id": shop.conversation, "content": "Hi" }));
    for _ in 0..3 {
        assert_eq!(shop.http().get(&fetch).await.status, StatusCode::OK);
    }
    let over = shop.http().get(&fetch).await;
    let wait = over.headers["retry-after"].to_str().expect("text").to_owned();
    assert!(
        (30..=60).contains(&wait.parse::<u32>().expect("whole seconds")),
        "until the first call is a minute old: {wait}"
    );
    refused(&over, 429, &format!("too many requests, wait {wait}s"));
    assert_eq!(over.headers["ratelimit"], format!("\"fetch\";r=0;t={wait}"));
    assert_eq!(over.headers["ratelimit-policy"], "\"fetch\";q=3;w=60");
    for _ in 0..3 {
        assert_eq!(shop.reply(&reply).await.bytes, r#"{"success":true}"#);
    }
    let over = shop.reply(&reply).await;
    assert_eq!(over.status, 429);
    assert_eq!(over.headers["ratelimit-policy"], "\"reply\";q=3;w=60");
    // The limit comes before the action and the method.
    assert_eq!(shop.http().get(&shop.at("nonsense")).await.status, 429);
    assert_eq!(shop.http().get(&shop.at("reply_as_agent")).await.status, 429);
    // And after the key and the site.
    refused(&shop.http().get(&format!("{ADDRESS}?key=chat_x")).await, 401, "invalid key");
    shop.otto.configure(&shop.site, json!({ "paused": true })).await;
    refused(&shop.http().get(&fetch).await, 403, "site paused");
}

#[tokio::test]
async fn bodies() {
    let shop = Shop::new().await;
    let (at, id) = (shop.at("reply_as_agent"), shop.conversation);
    let json_type = [("content-type", "application/json")];
    for bad in [
        "",
        "{",
        "[]",
        "null",
        "\"text\"",
        "{}",
        r#"{"content":"Hi"}"#,
        r#"{"conversation_id":null,"content":"Hi"}"#,
        r#"{"conversation_id":"","content":"Hi"}"#,
        r#"{"conversation_id":"abc","content":"Hi"}"#,
        r#"{"conversation_id":1.5,"content":"Hi"}"#,
        r#"{"conversation_id":{"$gt":0},"content":"Hi"}"#,
        r#"{"conversation_id":[1],"content":"Hi"}"#,
        r#"{"conversation_id":true,"content":"Hi"}"#,
        r#"{"conversation_id":1,"content":{"a":1}}"#,
        r#"{"conversation_id":1,"content":true}"#,
    ] {
        refused(&shop.http().send(Method::POST, &at, &json_type, bad).await, 400, "invalid request");
    }
    for bad in ["", "content=Hi", "conversation_id=abc&content=Hi", "nonsense"] {
        refused(&shop.http().send(Method::POST, &at, &[], bad).await, 400, "invalid request");
    }
    // The body comes before the conversation, the conversation before the content.
    refused(&shop.reply(&json!({ "conversation_id": 999_999, "content": "Hi" })).await, 404, "conversation not found");
    refused(&shop.reply(&json!({ "conversation_id": 999_999 })).await, 404, "conversation not found");
    refused(&shop.reply(&json!({ "conversation_id": -1, "content": "Hi" })).await, 404, "conversation not found");
    refused(
        &shop.reply(&json!({ "conversation_id": 999_999, "image_base64": "%" })).await,
        404,
        "conversation not found",
    );
    for empty in [json!({}), json!({ "content": "" }), json!({ "content": " \n\t " }), json!({ "image_base64": "" })] {
        let mut body = json!({ "conversation_id": id });
        body.as_object_mut().expect("an object").extend(empty.as_object().expect("an object").clone());
        refused(&shop.reply(&body).await, 400, "empty content");
    }
    let long = "ä".repeat(4_001);
    refused(&shop.reply(&json!({ "conversation_id": id, "content": long })).await, 413, "content too long");
    let longest = "ä".repeat(4_000);
    shop.reply(&json!({ "conversation_id": id, "content": longest })).await.ok();
}

#[tokio::test]
async fn a_conversation_of_another_site_is_not_found() {
    let shop = Shop::new().await;
    let other = shop.otto.site("Other").await;
    let at = format!("{ADDRESS}?action=reply_as_agent&key={}", other.chat_key);
    let body = json!({ "conversation_id": shop.conversation, "content": "Hi" });
    refused(&shop.http().json(Method::POST, &at, &[], &body).await, 404, "conversation not found");
    let at =
        format!("{ADDRESS}?action=get_recent_messages&key={}&conversation_id={}", other.chat_key, shop.conversation);
    refused(&shop.http().get(&at).await, 404, "conversation not found");
}

#[tokio::test]
async fn images_that_are_refused() {
    let shop = Shop::new().await;
    shop.set_limits(1_000, 65_536).await;
    let id = shop.conversation;
    for bad in ["%%%", "aGVsbG8=", "data:image/png;base64,aGVsbG8=", "data:text/html,<p>", "PHN2Zy8+"] {
        refused(&shop.reply(&json!({ "conversation_id": id, "image_base64": bad })).await, 400, "invalid image");
    }
    // Over the image's cap, and over the body's.
    for length in [90_000, 200_000] {
        let huge = "A".repeat(length);
        refused(&shop.reply(&json!({ "conversation_id": id, "image_base64": huge })).await, 413, "image too large");
    }
    // With a bad image the text is not sent either.
    let body = json!({ "conversation_id": id, "content": "with a picture", "image_base64": "aGVsbG8=" });
    refused(&shop.reply(&body).await, 400, "invalid image");
    assert_eq!(shop.otto.thread(&shop.site, id).await.len(), 1);
}

#[tokio::test]
async fn a_paused_site_answers_so() {
    let shop = Shop::new().await;
    shop.otto.configure(&shop.site, json!({ "paused": true })).await;
    refused(&shop.http().get(&shop.at("get_recent_messages")).await, 403, "site paused");
    refused(&shop.reply(&json!({ "conversation_id": shop.conversation })).await, 403, "site paused");
    refused(&shop.http().get(&shop.at("nonsense")).await, 403, "site paused");
}

#[tokio::test]
async fn the_documented_fields_in_the_documented_order() {
    let shop = Shop::new().await;
    shop.reply(&json!({ "conversation_id": shop.conversation, "content": "Hello!" })).await.ok();
    let answer = shop.http().get(&shop.at("get_recent_messages")).await;
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    let names = [
        "\"conversation_id\":\"",
        "\"sender_type\":\"visitor\"",
        "\"sender_user_id\":\"visitor_",
        "\"message_type\":\"text\"",
        "\"content\":\"Hello, I would",
        "\"image_url\":null",
        "\"created_at\":\"20",
    ];
    let places: Vec<_> =
        names.iter().map(|name| text.find(name).unwrap_or_else(|| panic!("{name} in {text}"))).collect();
    assert!(places.is_sorted(), "{text}");
    let data = answer.json()["data"].clone();
    let line = data[0].as_object().expect("an object");
    assert_eq!(line.len(), 7);
    let at = line["created_at"].as_str().expect("a time");
    assert_eq!((at.len(), &at[4..5], &at[10..11], &at[13..14]), (19, "-", " ", ":"));
    assert_eq!(data[1]["sender_type"], "agent");
    assert_eq!(data[1]["sender_user_id"], shop.site.chat_key.as_str());
    assert_eq!(shop.vera.state["visitor"]["external_id"], "vera");
    assert!(!text.contains("\"vera\""), "the id that the site gave is nobody else's business");
}

#[tokio::test]
async fn the_loader_answers_one_site_and_explains_itself() {
    let shop = Shop::new().await;
    let http = shop.http();
    let path = format!("/api/widget.js?key={}", shop.site.widget_key);
    let answer = http.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.headers["cross-origin-resource-policy"], "cross-origin");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let built = answer.headers.contains_key("etag");
    let script = String::from_utf8_lossy(&answer.bytes).into_owned();
    if built {
        assert!(script.contains(&shop.site.widget_key) && !script.contains("__OCS_SITE__"));
        assert!(answer.headers["cache-control"].to_str().expect("text").contains("max-age=60"));
        let tag = answer.headers["etag"].to_str().expect("a tag").to_owned();
        let again = http.send(Method::GET, &path, &[("if-none-match", &tag)], "").await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
        for (coding, most) in [("br", 3_200), ("gzip", 4_000)] {
            let small = http.send(Method::GET, &path, &[("accept-encoding", coding)], "").await;
            assert_eq!(small.headers["content-encoding"], coding);
            assert!(small.bytes.len() < most, "{coding}: {}", small.bytes.len());
        }
        shop.otto.configure(&shop.site, json!({ "name": "Bakery" })).await;
        let changed = http.send(Method::GET, &path, &[("if-none-match", &tag)], "").await;
        assert_eq!(changed.status, StatusCode::OK, "a change shows at once");
        assert!(String::from_utf8_lossy(&changed.bytes).contains("Bakery"));
    } else {
        assert!(script.contains("make web"), "{script}");
    }
    for bad in ["/api/widget.js", "/api/widget.js?key=", "/api/widget.js?key=site_nonsense"] {
        let answer = http.get(bad).await;
        assert_eq!(answer.status, StatusCode::OK);
        let script = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert!(script.starts_with("console.warn(") && script.lines().count() == 1, "{script}");
    }
    shop.otto.configure(&shop.site, json!({ "allowed_domains": ["shop.example"] })).await;
    for (referer, drawn) in [("https://shop.example/cart", true), ("https://evil.example/", false)] {
        let answer = http.send(Method::GET, &path, &[("referer", referer)], "").await;
        let refused = String::from_utf8_lossy(&answer.bytes).contains("allowed domains");
        assert_eq!(refused, !drawn, "{referer}");
    }
    shop.otto.configure(&shop.site, json!({ "paused": true, "allowed_domains": [] })).await;
    assert!(String::from_utf8_lossy(&http.get(&path).await.bytes).contains("paused"));
}

#[tokio::test]
async fn the_demo_page_holds_the_snippet_as_it_is_pasted() {
    let shop = Shop::new().await;
    let answer = shop.http().get(&format!("/demo/{}", shop.site.widget_key)).await;
    let page = String::from_utf8_lossy(&answer.bytes).into_owned();
    let snippet = format!(
        "<script>(function(){{\n  var s = document.createElement('script');\n  s.src = 'http://{}/api/widget.js?key={}';\n  \
         s.async = true; document.head.appendChild(s);\n}})();</script>",
        shop.world.address(),
        shop.site.widget_key
    );
    assert!(page.contains(&snippet), "{page}");
    // What is copied from the page is for the visitors of a shop: none of them is the documentation's John Doe.
    assert!(!page.contains("user_12345") && !page.contains("John Doe"), "{page}");
    assert!(page.contains("// window.OCS = {"), "{page}");
    let policy = answer.headers["content-security-policy"].to_str().expect("a policy");
    assert!(!policy.contains("unsafe"), "{policy}");
    let chat = shop.http().get(&format!("/chat/{}", shop.site.widget_key)).await;
    assert!(String::from_utf8_lossy(&chat.bytes).contains("window.OCS={mode:'page'}"));
    assert_eq!(shop.http().get("/demo/site_nonsense").await.status, StatusCode::NOT_FOUND);
}
