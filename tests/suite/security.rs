//! What strangers, foreign pages and broken clients try. Each story holds one control of the security rules.

use std::os::unix::fs::PermissionsExt;

use hyper::{Method, StatusCode};
use ocs::http::route::Caller;
use ocs::routes::all_routes;
use serde_json::{Value, json};

use crate::console_path::console_path;
use crate::world::{Answer, Line, Owner, Site, Visitor, World};

const EVIL: &str = "https://evil.example";

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A path with real numbers of somebody's own things in it.
fn filled(path: &str, site: &Site, conversation: i64) -> String {
    let path = path.replace("{site}", &site.id.to_string()).replace("{conversation}", &conversation.to_string());
    let path = path.replace("{widget_key}", &site.widget_key).replace("{*path}", "manifest.json");
    // The first account is followed by its workspace in the same block of numbers.
    let path = path.replace("{workspace}", "2").replace("{name}", "x.png");
    ["{key}", "{secret}", "{session}", "{account}", "{invitation}"]
        .iter()
        .fold(path, |path, name| path.replace(name, "1"))
}

/// Otto with a shop in which Vera wrote something.
async fn shop(world: &World) -> (Owner, Site, Visitor, i64) {
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "Hello").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    (otto, shop, vera, conversation)
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let world = World::new().await;
    let (otto, shop, ..) = shop(&world).await;
    let own = [("cookie", otto.cookie.as_str()), ("x-csrf-token", otto.csrf.as_str())];
    let mut paths: Vec<(Method, String)> =
        all_routes().into_iter().map(|route| (route.method, filled(route.path, &shop, 1))).collect();
    let others = ["/", "/chat", "/login", "/no/such.file", "/api/none", "/uploads/none", "/%2e%2e/%2e%2e/etc/passwd"];
    paths.extend(others.map(|path| (Method::GET, path.to_owned())));
    paths.push((Method::PUT, "/api/console/me".into()));
    paths.push((Method::TRACE, "/api/console/me".into()));
    for (method, path) in paths {
        // What would end the session, or never ends, is asked by a stranger.
        let signed_in = !path.contains("sign-out") && !path.contains("delete") && !path.ends_with("stream");
        let headers = if signed_in && method == Method::GET { &own[..] } else { &[] };
        let answer = world.http().send(method.clone(), &path, headers, "").await;
        let place = format!("{method} {path} ({})", answer.status);
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{place}");
        assert!(header(&answer, "permissions-policy").contains("camera=()"), "{place}");
        let referrer = header(&answer, "referrer-policy");
        assert!(matches!(referrer, "no-referrer" | "strict-origin-when-cross-origin"), "{place}: {referrer}");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{place}: {policy}");
        assert!(!policy.contains("unsafe-"), "{place}: {policy}");
        assert!(matches!(header(&answer, "cross-origin-resource-policy"), "same-origin" | "cross-origin"), "{place}");
        if path.starts_with("/api/console/") {
            assert_eq!(header(&answer, "access-control-allow-origin"), "", "{place}: no other page may read it");
            assert_eq!(header(&answer, "cross-origin-resource-policy"), "same-origin", "{place}");
        }
        assert_eq!(header(&answer, "server"), "", "{place}");
    }
}

#[tokio::test]
async fn browsers_are_told_to_come_by_https_alone_where_the_settings_say_so() {
    let said = async |url: &str, days: u64| {
        let world = World::with(|config| (config.public_url, config.hsts_days) = (Some(url.into()), days)).await;
        let mut all = Vec::new();
        for path in ["/", "/api/widget.js", "/api/console/me", "/no/such.file"] {
            let answer = world.http().get(path).await;
            all.push(header(&answer, "strict-transport-security").to_owned());
        }
        all.dedup();
        all
    };
    assert_eq!(said("https://chat.example", 0).await, [""], "it is for the owner of the name to say");
    assert_eq!(said("https://chat.example", 180).await, ["max-age=15552000"]);
    assert_eq!(said("http://chat.example", 180).await, [""]);
}

#[tokio::test]
async fn what_a_host_name_made_is_kept_by_no_shared_cache() {
    let rule = async |world: &World| {
        let (_, shop, ..) = shop(world).await;
        let path = format!("/api/widget.js?key={}", shop.widget_key);
        let answer = world.http().send(Method::GET, &path, &[("host", "evil.example")], "").await;
        answer.headers["cache-control"].to_str().expect("text").to_owned()
    };
    assert!(rule(&World::new().await).await.starts_with("private, max-age=60"));
    let configured = World::with(|config| config.public_url = Some("https://chat.example".into())).await;
    let public = rule(&configured).await;
    assert!(public.starts_with("public, max-age=60"));
    // A reload within the minute asks nobody: not where the server is down either.
    assert!(public.ends_with(", immutable"));
}

#[tokio::test]
async fn made_up_host_names_hold_up_no_sites_script() {
    let world = World::new().await;
    let (_, shop, ..) = shop(&world).await;
    let path = format!("/api/widget.js?key={}", shop.widget_key);
    let ask = async || world.http().send(Method::GET, &path, &[("accept-encoding", "br")], "").await;
    let busy = world.compressing();
    let whole = ask().await;
    assert!(whole.status.is_success() && !whole.headers.contains_key("content-encoding"));
    assert!(String::from_utf8_lossy(&whole.bytes).contains(&shop.widget_key));
    drop(busy);
    let small = ask().await;
    assert_eq!(small.headers["content-encoding"], "br");
    assert!(small.bytes.len() < whole.bytes.len());
}

#[tokio::test]
async fn links_and_policies_come_from_the_configured_address_alone() {
    let world = World::with(|config| config.public_url = Some("https://chat.example".into())).await;
    let (otto, shop, ..) = shop(&world).await;
    let sly = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example"),
        ("cookie", otto.cookie.as_str()),
    ];
    for path in [
        "/".to_owned(),
        "/api/console/me".to_owned(),
        format!("/demo/{}", shop.widget_key),
        format!("/chat/{}", shop.widget_key),
        format!("/api/widget.js?key={}", shop.widget_key),
        format!("/api/widget/welcome?key={}", shop.widget_key),
        format!("/api/console/sites/{}/preview", shop.id),
        format!("/api/console/sites/{}", shop.id),
    ] {
        let answer = world.http().send(Method::GET, &path, &sly, "").await;
        assert!(answer.status.is_success() || path == "/", "{path}: {}", answer.status);
        let text = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.bytes));
        assert!(!text.contains("evil.example"), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_forged_forwarding_header_makes_nobody_another() {
    let strangers = World::with(|config| config.new_visitors_per_hour = 2).await;
    let shop = strangers.owner("otto").await.site("Shop").await;
    for (turn, status) in [200, 200, 429].into_iter().enumerate() {
        assert_eq!(start_from(&strangers, &shop, &format!("203.0.113.{turn}")).await, status);
    }
    let proxied = World::with(|config| {
        config.new_visitors_per_hour = 2;
        let proxies = [("trusted_proxies", "127.0.0.1".to_owned())];
        config.trusted_proxies =
            ocs::config::Config::load(None, std::iter::empty(), &proxies).expect("an address").trusted_proxies;
    })
    .await;
    let shop = proxied.owner("otto").await.site("Shop").await;
    for (turn, status) in [200, 200, 429].into_iter().enumerate() {
        let chain = format!("198.51.100.{turn}, 203.0.113.9");
        assert_eq!(start_from(&proxied, &shop, &chain).await, status, "the right-most hop counts, the rest is a claim");
    }
    assert_eq!(start_from(&proxied, &shop, "203.0.113.10").await, 200);
    assert_eq!(start_from(&proxied, &shop, "2001:db8::1").await, 200);
    assert_eq!(start_from(&proxied, &shop, "2001:db8::2").await, 200);
    assert_eq!(start_from(&proxied, &shop, "2001:db8::3").await, 429, "one /64 is one household");
}

async fn start_from(world: &World, shop: &Site, forwarded: &str) -> u16 {
    let body = json!({ "do": "start", "key": shop.widget_key, "external_id": "anybody", "anonymous": false });
    world.http().json(Method::POST, "/api/widget", &[("x-forwarded-for", forwarded)], &body).await.status.as_u16()
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_on_every_route_that_takes_json() {
    let world = World::new().await;
    let (otto, shop, vera, conversation) = shop(&world).await;
    let bearer = format!("Bearer {}", vera.token);
    let before = otto.get("sites").await;
    let deep = format!("{}1{}", "{\"a\":".repeat(20_000 / 5), "}".repeat(20_000 / 5));
    let lists = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let large = |kib: usize| format!("{{\"name\":\"{}\"}}", "x".repeat(kib * 1024));
    let (large, larger) = (large(64), large(256));
    let bodies: Vec<(&[u8], u16)> = vec![
        (b"", 400),
        (b"null", 400),
        (b"[]", 400),
        (b"\"text\"", 400),
        (b"{", 400),
        (b"{}x", 400),
        (b"{\"no_such_field\":1}", 400),
        (b"\xff\xfe", 400),
        (b"{\"name\":\"\xc3\x28\"}", 400),
        (b"{\"name\":\"a\",\"name\":\"b\"}", 400),
        (deep.as_bytes(), 400),
        (lists.as_bytes(), 400),
    ];
    // The compatible API reads more than JSON, and has its own tests.
    for route in all_routes().into_iter().filter(|route| route.json_body.is_some() && route.caller != Caller::ChatKey) {
        let path = filled(route.path, &shop, conversation);
        let mut headers = vec![("cookie", otto.cookie.as_str()), ("x-csrf-token", otto.csrf.as_str())];
        if route.caller == Caller::Visitor {
            headers = vec![("authorization", &bearer)];
        }
        // A visitor's page may say more than is kept: see facts.rs.
        let too_large = if path == "/api/widget" { &larger } else { &large };
        for (body, status) in bodies.iter().chain(&[(too_large.as_bytes(), 413)]) {
            let mut headers = headers.clone();
            headers.push(("content-type", "application/json; charset=utf-8"));
            let answer = world.http().send(route.method.clone(), &path, &headers, body.to_vec()).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            assert_eq!(answer.status, *status, "{} {path} {shown}", route.method);
            assert_eq!(header(&answer, "content-type"), "application/json", "{path} {shown}");
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", ""] {
            let mut headers = headers.clone();
            headers.push(("content-type", kind));
            let answer = world.http().send(route.method.clone(), &path, &headers, "{}").await;
            assert_eq!(answer.status, 400, "{} {path} as {kind:?}", route.method);
        }
    }
    assert_eq!(otto.get("sites").await, before, "nothing was changed");
}

#[tokio::test]
async fn a_value_of_another_type_is_never_taken_for_one() {
    let world = World::new().await;
    let (otto, shop, vera, conversation) = shop(&world).await;
    let sly = [json!({ "$ne": 1 }), json!(["x"]), json!(true), json!(1e300), json!(null)];
    for (at, value) in sly.iter().enumerate() {
        let body = json!({ "email": value, "password": value });
        assert_eq!(world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await.status, 400, "{body}");
        let body = json!({ "email": "otto@example.org", "password": "correct horse battery", "code": value });
        let status = world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await.status;
        assert!(status == 400 || value.is_null(), "{body}");
        for field in ["key", "external_id", "anonymous"] {
            let mut body = json!({ "do": "start", "key": shop.widget_key, "external_id": "v", "anonymous": false });
            body[field] = value.clone();
            let status = world.http().json(Method::POST, "/api/widget", &[], &body).await.status;
            assert!(status == 400 || field == "anonymous" && value == &json!(true), "{body}: {status}");
        }
        let body = json!({ "do": "send", "client_id": value, "text": "x" });
        assert_eq!(vera.command(body).await.status, 400);
        let body = json!({ "do": "history", "before": { "conversation": value, "seq": value } });
        assert_eq!(vera.command(body).await.status, 400);
        let hint = json!({ "type": "seen", "site_id": value, "conversation_id": value, "seq": value });
        assert_eq!(otto.call(Method::POST, "hint", hint).await.status, 400);
        // Optional facts refuse nobody: none is kept as anything but a text.
        let facts = json!({ "external_id": format!("v{at}"), "anonymous": false, "nickname": value, "email": value,
            "attributes": { "plan": value }, "page": value, "locale": value, "timezone": value });
        let let_in = world.arrive(&shop, facts, None).await.expect("let in");
        let_in.send("n", &value.to_string()).await.ok();
        let visitor = &otto.inbox("state=all").await[0]["visitor"];
        for field in [&visitor["nickname"], &visitor["email"], &visitor["locale"], &visitor["attributes"]["plan"]] {
            assert!(field.is_string() || field.is_null(), "{visitor}");
        }
        assert_eq!((&visitor["email"], &visitor["page"]), (&Value::Null, &Value::Null), "{visitor}");
    }
    for id in ["0", "-1", "1e3", "0x1", "1.0", "1%00", "1%2f..", "9223372036854775808", "NaN", "%20", "１", "null"] {
        for path in [format!("sites/{id}"), format!("sites/{}/conversations/{id}", shop.id)] {
            let answer = otto.call(Method::GET, &path, Value::Null).await;
            assert_eq!(answer.status, 404, "{path}");
        }
    }
    // Who one is comes from the credential, never from the body.
    for more in ["site_id", "seq", "author", "role", "verified", "visitor_id"] {
        let mut body = json!({ "do": "send", "client_id": "c", "text": "x" });
        body[more] = json!(1);
        assert_eq!(vera.command(body).await.code(), "invalid_request", "{more}");
        let mut body = json!({ "client_id": "c", "text": "x" });
        body[more] = json!(1);
        let path = format!("sites/{}/conversations/{conversation}/messages", shop.id);
        assert_eq!(otto.call(Method::POST, &path, body).await.code(), "invalid_request", "{more}");
    }
    assert_eq!(otto.thread(&shop, conversation).await, ["Hello"]);
}

#[tokio::test]
async fn zero_bytes_and_controls_do_no_harm() {
    let world = World::new().await;
    let (otto, shop, vera, conversation) = shop(&world).await;
    vera.send("nul", "a\u{0}b\u{1b}[31mc\u{7f}").await.ok();
    assert_eq!(otto.thread(&shop, conversation).await[1], "ab[31mc");
    assert_eq!(vera.send("c\u{0}", "x").await.status, 400);
    let start = |external_id: &str, nickname: &str| {
        json!({ "external_id": external_id, "anonymous": false, "nickname": nickname,
            "attributes": { "pl\u{0}an": "g\u{202e}old\u{0}" },
            "page": { "url": "https://shop.example/\u{0}", "title": "T\u{202e}\u{0}", "referrer": "" } })
    };
    let refused = world.arrive(&shop, start("v\u{0}", "x"), None).await.err().expect("refused");
    assert_eq!(refused.status, 400);
    let named = world.arrive(&shop, start("v2", "\u{202e}nim\u{2066}dA\u{0}"), None).await.expect("let in");
    assert_eq!(named.state["visitor"]["nickname"], "nimdA");
    for invisible in ["\u{200b}\u{200d}\u{2060}", "\u{3164}", "\u{ad}", "\u{2800}\u{115f}", " \u{feff} "] {
        let nobody = world.arrive(&shop, start("v3", invisible), None).await.expect("let in");
        assert_eq!(nobody.state["visitor"]["nickname"], Value::Null, "{invisible:?}");
    }
    named.send("n1", "x").await.ok();
    let shown = otto.get("conversations?state=all").await.to_string();
    assert!(!shown.contains("\\u0000") && !shown.contains('\u{202e}') && !shown.contains('\u{2066}'), "{shown}");
    assert_eq!(otto.call(Method::POST, "sites", json!({ "name": "\u{202e}\u{200b}" })).await.status, 400);
    let answer = world.http().get("/api/widget/welcome?key=%00%ff").await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_foreign_page_gets_nothing_where_the_owner_names_the_domains() {
    let world = World::new().await;
    let (otto, shop, vera, _) = shop(&world).await;
    otto.configure(&shop, json!({ "allowed_domains": ["shop.example"] })).await;
    let bearer = format!("Bearer {}", vera.token);
    let from = async |origin: &str, method: Method, path: &str, body: Value| {
        let headers = [("origin", origin), ("authorization", bearer.as_str()), ("content-type", "application/json")];
        // A stream that opens never ends: only its head is looked at.
        let sent = world.http().send(method, path, &headers, body.to_string());
        match tokio::time::timeout(std::time::Duration::from_millis(400), sent).await {
            Ok(answer) if answer.status.is_success() => (200, String::new()),
            Ok(answer) => (answer.status.as_u16(), answer.code()),
            Err(_) => (200, String::new()),
        }
    };
    let start = json!({ "do": "start", "key": shop.widget_key, "external_id": "vera", "anonymous": false });
    let welcome = format!("/api/widget/welcome?key={}", shop.widget_key);
    for origin in [EVIL, "null", "https://shop.example.evil.example", "https://notshop.example", "file://", "shop"] {
        for (method, path, body) in [
            (Method::GET, welcome.as_str(), Value::Null),
            (Method::POST, "/api/widget", start.clone()),
            (Method::POST, "/api/widget", json!({ "do": "send", "client_id": "x", "text": "x" })),
            (Method::POST, "/api/widget", json!({ "do": "history", "before": { "conversation": "x", "seq": 1 } })),
            (Method::POST, "/api/widget", json!({ "do": "hint", "hint": { "type": "typing" } })),
            (Method::POST, "/api/widget", json!({ "do": "logout" })),
            (Method::POST, "/api/widget/images", Value::Null),
            (Method::GET, "/api/widget/stream", Value::Null),
        ] {
            let refused = from(origin, method, path, body.clone()).await;
            assert_eq!(refused, (403, "forbidden_origin".into()), "{origin} {path} {body}");
        }
        let mut line = Line::open_from(world.address(), "/api/widget/socket", origin).await;
        line.say(json!({ "type": "hello", "token": vera.token, "cursor": "" })).await;
        assert_eq!(line.frame("refused").await["code"], "forbidden_origin", "{origin}");
    }
    assert_eq!(from("https://shop.example", Method::POST, "/api/widget", start).await.0, 200);
    assert_eq!(from("https://shop.example", Method::GET, "/api/widget/stream", Value::Null).await.0, 200);
    let mut line = Line::open_from(world.address(), "/api/widget/socket", "https://shop.example").await;
    line.say(json!({ "type": "hello", "token": vera.token, "cursor": vera.state["cursor"] })).await;
    line.frame("welcome").await;
}

#[tokio::test]
async fn the_consoles_socket_opens_for_our_own_pages_alone() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let key = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")];
    for origin in [None, Some(EVIL), Some("null")] {
        let mut headers = vec![("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), ("cookie", otto.cookie.as_str())];
        headers.extend(key);
        headers.extend(origin.map(|origin| ("origin", origin)));
        let answer = world.http().send(Method::GET, "/api/console/socket", &headers, "").await;
        assert_eq!(answer.status, 403, "{origin:?}");
    }
    let ticket = otto.call(Method::POST, "ticket", json!({})).await.ok()["ticket"].clone();
    for (turn, kind) in ["welcome", "refused"].into_iter().enumerate() {
        let mut line = Line::open(world.address(), "/api/console/socket").await;
        line.say(json!({ "type": "hello", "ticket": ticket, "cursor": otto.get("conversations").await["cursor"] }))
            .await;
        assert_eq!(line.next().await.expect("a frame")["type"], kind, "use {turn}: a ticket works once");
    }
}

#[tokio::test]
async fn credentials_count_in_their_header_alone() {
    let world = World::new().await;
    let (otto, shop, vera, _) = shop(&world).await;
    let session = otto.cookie.split_once('=').expect("a cookie").1.to_owned();
    for (path, status) in [
        (format!("/api/widget/stream?token={}", vera.token), 401),
        (format!("/api/widget/stream?access_token={}", vera.token), 401),
        (format!("/api/console/me?ocs_session={session}"), 401),
        (console_path(otto.workspace, &format!("stream?token={session}")), 401),
        (format!("/api/console/sites/{}?key={}", shop.id, shop.chat_key), 401),
    ] {
        assert_eq!(world.http().get(&path).await.status, status, "{path}");
    }
    // One kind of credential is worth nothing at another door.
    for token in [&session, &shop.chat_key, &shop.widget_key, &otto.csrf] {
        let bearer = format!("Bearer {token}");
        let body = json!({ "do": "send", "client_id": "x", "text": "x" });
        let answer = world.http().json(Method::POST, "/api/widget", &[("authorization", &bearer)], &body).await;
        assert_eq!(answer.code(), "invalid_token");
    }
    for token in [&vera.token, &shop.chat_key, &otto.csrf] {
        let cookie = format!("ocs_session={token}");
        let answer = world.http().send(Method::GET, "/api/console/me", &[("cookie", &cookie)], "").await;
        assert_eq!(answer.status, 401);
    }
    for key in [&vera.token, &session, &shop.widget_key] {
        let answer = world.http().get(&format!("/api/chat_api.php?action=get_recent_messages&key={key}")).await;
        assert_eq!(answer.status, 401);
    }
}

#[tokio::test]
async fn somebody_elses_ids_reach_nothing_by_any_frame() {
    let world = World::new().await;
    let (otto, shop, vera, conversation) = shop(&world).await;
    let mallory = world.owner("mallory").await;
    let elsewhere = mallory.site("Elsewhere").await;
    let max = world.visitor(&elsewhere, "max").await;
    max.send("m1", "Mine").await.ok();
    let public = vera.send("v2", "Again").await.ok()["message"]["conversation"].clone();
    otto.reply(&shop, conversation, "o1", "For Vera").await.ok();

    // Operator to operator.
    for kind in ["typing", "delivered", "seen"] {
        let hint = |site: i64, conversation: i64| {
            let mut hint = json!({ "type": kind, "site_id": site, "conversation_id": conversation });
            if kind != "typing" {
                hint["seq"] = json!(99);
            }
            hint
        };
        let foreign = mallory.call(Method::POST, "hint", hint(shop.id, conversation)).await;
        let crossed = mallory.call(Method::POST, "hint", hint(elsewhere.id, conversation)).await;
        let missing = mallory.call(Method::POST, "hint", hint(999_999, 999_999)).await;
        assert_eq!((foreign.status, &foreign.bytes), (missing.status, &missing.bytes), "{kind}");
        let missing = mallory.call(Method::POST, "hint", hint(elsewhere.id, 999_999)).await;
        assert_eq!((crossed.status, &crossed.bytes), (missing.status, &missing.bytes), "{kind}");
    }
    // Visitor to visitor, also of the same site.
    let wanda = world.visitor(&shop, "wanda").await;
    for stranger in [&max, &wanda] {
        for kind in ["delivered", "seen"] {
            let hint = json!({ "do": "hint", "hint": { "type": kind, "conversation": public, "seq": 3 } });
            let missing = json!({ "do": "hint", "hint": { "type": kind, "conversation": "nowhere", "seq": 3 } });
            let (foreign, missing) = (stranger.command(hint).await, stranger.command(missing).await);
            assert_eq!((foreign.status, &foreign.bytes), (missing.status, &missing.bytes));
        }
        let history = json!({ "do": "history", "before": { "conversation": public, "seq": 9 } });
        assert_eq!(stranger.command(history).await.status, 404);
        // A cursor that reaches further than one may hear brings nothing.
        let mut line = stranger.listen_from(&otto_cursor(&otto).await).await;
        loop {
            let frame = line.next().await.expect("a frame");
            assert_ne!(frame["type"], "event", "{frame}");
            if frame["type"] != "signal" {
                break;
            }
        }
    }
    let chat = otto.get(&format!("sites/{}/conversations/{conversation}", shop.id)).await["conversation"].clone();
    assert!(chat["visitor_seen_seq"].as_i64().unwrap_or(0) < 3, "{chat}");
    assert!(chat["agent_seen_seq"].as_i64().unwrap_or(0) < 99, "{chat}");
    // The compatible API of one site knows no conversation of another.
    let body = json!({ "conversation_id": conversation, "content": "x" });
    let path = format!("/api/chat_api.php?action=reply_as_agent&key={}", elsewhere.chat_key);
    assert_eq!(world.http().json(Method::POST, &path, &[], &body).await.status, 404);
}

async fn otto_cursor(otto: &Owner) -> String {
    otto.get("conversations?state=all").await["cursor"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn a_picture_of_another_cannot_be_sent_as_ones_own() {
    let world = World::new().await;
    let (otto, shop, vera, _) = shop(&world).await;
    let wanda = world.visitor(&shop, "wanda").await;
    let elsewhere = world.owner("mallory").await.site("Elsewhere").await;
    let max = world.visitor(&elsewhere, "max").await;
    let bearer = format!("Bearer {}", vera.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "image/gif")];
    let uploaded = world.http().send(Method::POST, "/api/widget/images", &headers, PIXEL).await.ok();
    let name = uploaded["image"]["id"].clone();
    for stranger in [&wanda, &max] {
        let foreign = stranger.command(json!({ "do": "send", "client_id": "f", "image": name })).await;
        let missing = json!("visitor_20260101_000000_00000000000000000000000000000000.gif");
        let missing = stranger.command(json!({ "do": "send", "client_id": "g", "image": missing })).await;
        assert_eq!((foreign.status, &foreign.bytes), (missing.status, &missing.bytes));
        assert!(foreign.status.is_client_error());
    }
    vera.command(json!({ "do": "send", "client_id": "mine", "image": name })).await.ok();
    assert_eq!(otto.inbox("").await.len(), 1);
}

/// One grey point.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x80\x80\x80\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

#[tokio::test]
async fn the_data_folder_is_its_owners_alone() {
    let world = World::new().await;
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(world.data()), 0o700);
    assert_eq!(mode(world.data().join("master.key")), 0o600);
    assert_eq!(mode(world.data().join("ocs.sock")), 0o600);

    // A folder that was made beforehand, such as a mounted volume.
    let made = tempfile::tempdir().expect("a folder");
    let data = made.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("chmod");
    let volume = World::with(|config| config.data = data.clone()).await;
    assert_eq!(mode(data), 0o700);
    drop(volume);
}

#[tokio::test]
async fn too_long_a_head_is_refused_and_nobody_else_notices() {
    let world = World::new().await;
    let long = "x".repeat(40 * 1024);
    let answer = world.http().send(Method::GET, "/healthz", &[("x-long", &long)], "").await;
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let many: Vec<(String, &str)> = (0..100).map(|turn| (format!("x-{turn}"), "1")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let answer = world.http().send(Method::GET, "/healthz", &many, "").await;
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let answer = world.http().get(&format!("/healthz?{long}")).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    assert_eq!(world.http().get("/healthz").await.status, 200);
}

#[test]
fn the_promises_name_tests_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("SECURITY.md")).expect("the page");
    let mut named = 0;
    for name in page.split('`').skip(1).step_by(2) {
        let exists = match name.split_once("::") {
            Some((file, story)) => std::fs::read_to_string(root.join(format!("tests/suite/{file}.rs")))
                .is_ok_and(|text| text.contains(&format!("fn {story}()"))),
            None if name.contains('/') && !name.starts_with('/') => root.join(name).exists(),
            None => continue,
        };
        assert!(exists, "SECURITY.md names {name}, which is not there");
        named += 1;
    }
    assert!(named > 30, "{named}");
}

/// Without a public address the server goes by the Host header; what is no host goes into no policy and no snippet.
#[tokio::test]
async fn a_host_header_that_is_no_host_is_not_repeated() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shown = async |host: &str| {
        let headers = [("cookie", otto.cookie.as_str()), ("host", host)];
        let answer = world.http().send(Method::GET, "/api/console/me", &headers, "").await;
        answer.json()["public_url"].as_str().map(str::to_owned)
    };
    let own = format!("http://{}", world.address());
    for host in ["x:99999", "x:", "[::1", "::1", "x]", "a..b", "xn--", "-x", "1.2.3", "[1.2.3.4]", "a:b:c"] {
        let shown = shown(host).await;
        assert!(shown.is_none() || shown.as_deref() == Some(&own), "{host}: {shown:?}");
    }
    for host in ["box", "Box.LAN:8080", "127.0.0.9:81", "[::1]:8080", "xn--bcher-kva.example"] {
        assert_eq!(shown(host).await, Some(format!("http://{host}")));
    }
}
