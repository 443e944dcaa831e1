//! My Sites: what an owner sets, and what it does to pages and keys.

use std::io::Cursor;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Answer, Owner, Site, World};

async fn welcome(world: &World, key: &str) -> Answer {
    world.http().get(&format!("/api/widget/welcome?key={key}")).await
}

async fn fetch(world: &World, key: &str) -> StatusCode {
    world.http().get(&format!("/api/chat_api.php?action=get_recent_messages&key={key}")).await.status
}

async fn patch(owner: &Owner, site: &Site, change: Value) -> Answer {
    owner.call(Method::PATCH, &format!("sites/{}", site.id), change).await
}

async fn view(owner: &Owner, site: &Site) -> Value {
    owner.get(&format!("sites/{}", site.id)).await
}

#[tokio::test]
async fn a_new_site_works_at_once_and_belongs_to_its_maker() {
    let world = World::new().await;
    let (otto, mallory) = (world.owner("otto").await, world.owner("mallory").await);
    let shop = otto.site("Lamp Shop").await;
    let site = view(&otto, &shop).await;
    let fields: Vec<&String> = site.as_object().expect("an object").keys().collect();
    assert_eq!(
        fields,
        [
            "allowed_domains",
            "attack",
            "chat_keys",
            "created_at",
            "id",
            "identity_mode",
            "identity_secrets",
            "limits",
            "logo_url",
            "look",
            "name",
            "opaque_agent_ids",
            "paused",
            "same_external_id",
            "seen_page",
            "unread",
            "welcome",
            "widget_key",
            "workspace_id",
        ]
    );
    assert_eq!(site["limits"], json!({ "messages_per_minute": 20, "api_per_minute": 60, "image_bytes": 5_242_880 }));
    assert_eq!(site["chat_keys"][0]["last4"], shop.chat_key[shop.chat_key.len() - 4..]);
    assert!(!site.to_string().contains(&shop.chat_key), "a secret is shown once");
    assert_eq!(otto.get("sites").await["sites"], json!([site]));
    assert_eq!(welcome(&world, &shop.widget_key).await.ok()["name"], "Lamp Shop");
    assert_eq!(fetch(&world, &shop.chat_key).await, 200);
    assert_eq!(fetch(&world, &shop.widget_key).await, 401, "the public key opens nothing");
    assert_eq!(mallory.get("sites").await["sites"], json!([]));
    assert_eq!(patch(&mallory, &shop, json!({ "name": "Mine" })).await.code(), "not_found");

    world.visitor(&shop, "vera").await.send("v1", "Hello").await.ok();
    assert_eq!(view(&otto, &shop).await["unread"], 1);
}

#[tokio::test]
async fn settings_change_one_by_one_and_all_or_nothing() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let before = view(&otto, &shop).await;
    for change in [
        json!({ "name": "Better", "limits": { "messages_per_minute": 0, "api_per_minute": 60, "image_bytes": 65536 } }),
        json!({ "name": "Better", "limits": { "messages_per_minute": 1, "api_per_minute": 1_000_001, "image_bytes": 65536 } }),
        json!({ "name": "Better", "welcome": { "en": "x".repeat(501) } }),
        json!({ "name": "Better", "welcome": { "tlh": "nuqneH" } }),
        json!({ "name": "Better", "allowed_domains": ["not a host"] }),
        json!({ "name": "Better", "identity_mode": "anything" }),
        json!({ "name": "Better", "owner_id": 7 }),
        json!({ "name": "x".repeat(81) }),
        json!({ "name": " " }),
    ] {
        assert_eq!(patch(&otto, &shop, change.clone()).await.code(), "invalid_request", "{change}");
    }
    assert_eq!(view(&otto, &shop).await, before);

    let after = otto
        .configure(
            &shop,
            json!({
                "name": "Better", "welcome": { "en": "Hello", "fr": "Bonjour", "ja": "  " },
                "allowed_domains": ["https://Shop.example/cart", "*.shop.example"], "identity_mode": "shared",
                "limits": { "messages_per_minute": 600, "api_per_minute": 1_000_000, "image_bytes": 20_971_520 },
            }),
        )
        .await;
    assert_eq!(after["welcome"], json!({ "en": "Hello", "fr": "Bonjour" }));
    assert_eq!(after["allowed_domains"], json!(["shop.example", "*.shop.example"]));
    assert_eq!(after["look"], before["look"], "what was not named stays");
    assert_eq!(view(&otto, &shop).await, after);
}

#[tokio::test]
async fn allowed_domains_are_hosts_and_never_by_accident_everything() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(&shop, json!({ "allowed_domains": ["shop.example"] })).await;
    for domains in [
        json!([""]),
        json!(["  ", "\u{200b}"]),
        json!(["x.example:99999"]),
        json!(["x.example:"]),
        json!(["x.example:a"]),
        json!(["https://"]),
        json!(["ftp://x.example"]),
        json!(["*.com"]),
        json!(["https://*.com/"]),
        json!(["*.localhost"]),
        json!(["otto@x.example"]),
        json!(["999.1.1.1"]),
        json!(["xn--"]),
        json!(["[::1"]),
    ] {
        let refused = patch(&otto, &shop, json!({ "allowed_domains": domains })).await;
        assert_eq!(
            (refused.code().as_str(), &refused.json()["error"]["field"]),
            ("invalid_request", &json!("allowed_domains")),
            "{domains}"
        );
        assert_eq!(view(&otto, &shop).await["allowed_domains"], json!(["shop.example"]));
    }
    let wide =
        patch(&otto, &shop, json!({ "allowed_domains": ["*.com"] })).await.json()["error"]["message"].to_string();
    assert!(wide.contains("*.com") && wide.contains("every"), "it says why: {wide}");
    let pasted = json!([
        " https://Shop.Example:8443/cart?x=1 ",
        "localhost:3000",
        "http://a.example/x",
        "b.example/#c",
        "*.shop.example",
        ""
    ]);
    let kept = otto.configure(&shop, json!({ "allowed_domains": pasted })).await["allowed_domains"].clone();
    assert_eq!(kept, json!(["shop.example", "localhost", "a.example", "b.example", "*.shop.example"]));
    assert_eq!(otto.configure(&shop, json!({ "allowed_domains": [] })).await["allowed_domains"], json!([]));
}

/// Host names alone are compared: `*.` stands for all names below one and not for that one, and any port of http and https.
#[tokio::test]
async fn a_wildcard_domain_is_its_subdomains_alone() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(&shop, json!({ "allowed_domains": ["*.shop.example"] })).await;
    let start = async |origin: &str| {
        let start = json!({ "do": "start", "key": shop.widget_key, "external_id": "vera", "anonymous": true });
        let headers = [("origin", origin), ("content-type", "application/json")];
        world.http().send(Method::POST, "/api/widget", &headers, start.to_string()).await
    };
    for origin in ["https://www.shop.example", "http://a.b.shop.example", "https://www.shop.example:8443"] {
        start(origin).await.ok();
    }
    for origin in [
        "https://shop.example",
        "https://otherwww-shop.example",
        "https://evilshop.example",
        "https://www.shop.example.evil.example",
        "https://.shop.example",
        "ftp://www.shop.example",
        "app://www.shop.example",
        "null",
    ] {
        assert_eq!(start(origin).await.code(), "forbidden_origin", "{origin}");
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_read_is_refused_with_one_that_can() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let mut look = view(&otto, &shop).await["look"].clone();
    look["header"] = json!("#ffee00");
    let refused = patch(&otto, &shop, json!({ "look": look })).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "unreadable_colours"));
    let error = refused.json()["error"].clone();
    assert_eq!(error["field"], "header_text");
    look["header_text"] = error["nearest"].clone();
    assert_eq!(otto.configure(&shop, json!({ "look": look })).await["look"], look);
}

#[tokio::test]
async fn open_consoles_hear_of_a_change() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let mut line = otto.listen().await;
    line.frame("welcome").await;
    otto.configure(&shop, json!({ "name": "Better" })).await;
    assert_eq!(line.event("site_changed").await["site_id"], shop.id);
}

#[tokio::test]
async fn a_replaced_widget_key_works_until_its_grace_ends() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let path = format!("sites/{}/widget-key", shop.id);
    let new = otto.call(Method::POST, &path, json!({ "grace_s": 3600 })).await.ok()["widget_key"].clone();
    let new = new.as_str().expect("a key");
    assert_ne!(new, shop.widget_key);
    for key in [new, &shop.widget_key] {
        welcome(&world, key).await.ok();
    }
    world.pass(3599);
    welcome(&world, &shop.widget_key).await.ok();
    world.pass(1);
    assert_eq!(welcome(&world, &shop.widget_key).await.code(), "unknown_site");
    welcome(&world, new).await.ok();
    otto.confirm().await;
    let newest = otto.call(Method::POST, &path, json!({ "grace_s": 0 })).await.ok()["widget_key"].clone();
    assert_eq!(welcome(&world, new).await.code(), "unknown_site", "without grace it ends at once");
    welcome(&world, newest.as_str().expect("a key")).await.ok();
    assert_eq!(otto.call(Method::POST, &path, json!({ "grace_s": 99_999_999 })).await.code(), "invalid_request");
}

#[tokio::test]
async fn chat_keys_are_replaced_with_grace_and_revoked_at_once() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let path = format!("sites/{}/chat-keys", shop.id);
    assert_eq!(fetch(&world, &shop.chat_key).await, 200);
    let new = otto.call(Method::POST, &path, json!({})).await.ok();
    let secret = new["secret"].as_str().expect("a secret").to_owned();
    assert_eq!((fetch(&world, &shop.chat_key).await.as_u16(), fetch(&world, &secret).await.as_u16()), (200, 200));
    let keys = view(&otto, &shop).await["chat_keys"].clone();
    assert_eq!(keys[0]["expires_at"], world.now() + 86_400_000, "a day, when nothing else was asked");
    assert_eq!(keys[1]["expires_at"], Value::Null);

    world.pass(86_400);
    assert_eq!((fetch(&world, &shop.chat_key).await.as_u16(), fetch(&world, &secret).await.as_u16()), (401, 200));
    assert_eq!(view(&otto, &shop).await["chat_keys"].as_array().map(Vec::len), Some(1));
    while view(&otto, &shop).await["chat_keys"][0]["last_used_at"] != world.now() {
        tokio::task::yield_now().await;
    }

    otto.confirm().await;
    let revoke = format!("{path}/{}", new["key"]["id"]);
    assert_eq!(otto.call(Method::DELETE, &revoke, json!({})).await.ok(), json!({}));
    assert_eq!(fetch(&world, &secret).await, 401);
    assert_eq!(otto.call(Method::DELETE, &revoke, json!({})).await.code(), "not_found");
}

#[tokio::test]
async fn two_identity_secrets_at_most() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let path = format!("sites/{}/identity-secrets", shop.id);
    let first = otto.call(Method::POST, &path, json!({})).await.ok();
    let second = otto.call(Method::POST, &path, json!({})).await.ok();
    assert_eq!(otto.call(Method::POST, &path, json!({})).await.code(), "conflict");
    let shown = view(&otto, &shop).await;
    assert_eq!(shown["identity_secrets"], json!([first["key"], second["key"]]));
    let database = std::fs::read(world.data().join("ocs.db-wal")).expect("the log of the database");
    for new in [&first, &second] {
        let secret = new["secret"].as_str().expect("a secret");
        assert!(secret.starts_with("ids_") && !shown.to_string().contains(secret));
        assert!(!database.windows(secret.len()).any(|part| part == secret.as_bytes()), "it is kept sealed");
    }
    let path = format!("{path}/{}", first["key"]["id"]);
    assert_eq!(otto.call(Method::DELETE, &path, json!({})).await.ok(), json!({}));
    assert_eq!(view(&otto, &shop).await["identity_secrets"], json!([second["key"]]));
}

#[tokio::test]
async fn a_paused_site_takes_nobody_and_goes_on_later() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let mut page = vera.listen().await;
    page.frame("welcome").await;
    otto.configure(&shop, json!({ "paused": true })).await;
    assert_eq!(page.frame("refused").await["code"], "site_paused");
    assert_eq!(vera.send("v1", "Hello?").await.code(), "site_paused");
    assert_eq!(fetch(&world, &shop.chat_key).await, 403);
    otto.configure(&shop, json!({ "paused": false })).await;
    vera.send("v1", "Hello!").await.ok();
}

#[tokio::test]
async fn a_deleted_site_is_gone_and_the_next_one_is_not() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, studio) = (otto.site("Shop").await, otto.site("Studio").await);
    let (vera, yuki) = (world.visitor(&shop, "vera").await, world.visitor(&studio, "yuki").await);
    vera.send("v1", "Hello").await.ok();
    yuki.send("y1", "Hello").await.ok();
    let path = format!("sites/{}", shop.id);
    assert_eq!(otto.call(Method::DELETE, &path, json!({})).await.ok(), json!({}));
    assert_eq!(otto.call(Method::GET, &path, Value::Null).await.code(), "not_found");
    assert_eq!(welcome(&world, &shop.widget_key).await.code(), "unknown_site");
    assert_eq!(fetch(&world, &shop.chat_key).await, 401);
    assert_eq!(vera.send("v2", "Still there?").await.code(), "invalid_token");
    assert_eq!(otto.inbox("state=all").await.len(), 1);
    yuki.send("y2", "Me too?").await.ok();
    assert_eq!(fetch(&world, &studio.chat_key).await, 200);
}

#[tokio::test]
async fn a_logo_is_cleaned_shown_and_removed() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let mut picture = Vec::new();
    let red = image::RgbImage::from_pixel(600, 300, image::Rgb([200, 0, 0]));
    red.write_to(&mut Cursor::new(&mut picture), image::ImageFormat::Png).expect("a picture");
    let headers =
        [("cookie", otto.cookie.as_str()), ("x-csrf-token", otto.csrf.as_str()), ("content-type", "image/png")];
    let path = format!("/api/console/sites/{}/logo", shop.id);
    let site = world.http().send(Method::PUT, &path, &headers, picture).await.ok();
    let url = site["logo_url"].as_str().expect("a logo").to_owned();
    let shown = world.http().get(&url).await;
    assert!(shown.headers["content-type"].to_str().is_ok_and(|kind| kind.starts_with("image/")));
    let size = image::load_from_memory(&shown.bytes).expect("a picture").to_rgb8().dimensions();
    assert_eq!(size, (256, 128));
    assert_eq!(welcome(&world, &shop.widget_key).await.ok()["logo_url"], url);

    let bad = world.http().send(Method::PUT, &path, &headers, "<svg onload=alert(1)>").await;
    assert_eq!(bad.code(), "invalid_image");
    assert_eq!(view(&otto, &shop).await["logo_url"], url, "the old one stays");
    let removed = otto.call(Method::DELETE, &format!("sites/{}/logo", shop.id), json!({})).await.ok();
    assert_eq!(removed["logo_url"], Value::Null);
}

#[tokio::test]
async fn the_owner_sees_that_a_page_loads_the_widget() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let path = format!("/api/widget.js?key={}", shop.widget_key);
    let load = async |page: &str| {
        world.http().send(Method::GET, &path, &[("referer", page)], "").await;
    };
    load("https://shop.example/cart").await;
    let seen = async |origin: &str| {
        while view(&otto, &shop).await["seen_page"]["origin"] != origin {
            tokio::task::yield_now().await;
        }
        view(&otto, &shop).await["seen_page"]["at"].as_i64().expect("a moment")
    };
    let first = seen("https://shop.example").await;
    world.pass(59);
    load("https://shop.example/").await;
    world.pass(1);
    assert_eq!(seen("https://shop.example").await, first, "once a minute is enough");
    load("https://www.shop.example/").await;
    assert_eq!(seen("https://www.shop.example").await, first + 60_000);
    world.pass(120);
    for own in ["/demo/", "/chat/"] {
        load(&format!("http://{}{own}{}", world.address(), shop.widget_key)).await;
    }
    load("https://shop.example/last").await;
    assert_eq!(seen("https://shop.example").await, first + 180_000, "our own pages say nothing about hers");
    otto.call(Method::PATCH, &format!("sites/{}", shop.id), json!({ "allowed_domains": ["shop.example"] })).await.ok();
    let demo = format!("http://{}/demo/{}", world.address(), shop.widget_key);
    let script = world.http().send(Method::GET, &path, &[("referer", &demo)], "").await;
    assert!(
        !String::from_utf8_lossy(&script.bytes).contains("allowed domains"),
        "the demo page shows the widget all the same"
    );
}

#[tokio::test]
async fn the_preview_runs_a_look_that_is_not_saved() {
    let world = World::new().await;
    let (otto, mallory) = (world.owner("otto").await, world.owner("mallory").await);
    let shop = otto.site("Shop").await;
    let path = format!("sites/{}/preview?welcome=%3Cscript%3E%22&look=", shop.id);
    let page = otto.call(Method::GET, &path.replace("&look=", ""), Value::Null).await;
    assert!(page.headers["content-security-policy"].to_str().expect("text").contains("frame-ancestors 'self'"));
    assert!(!page.headers.contains_key("x-frame-options"), "our own console frames it");
    let html = String::from_utf8_lossy(&page.bytes).into_owned();
    assert!(
        html.contains("preview.js?look=%7B%22variant%22%3A%22classic%22") && html.contains("welcome=%3Cscript%3E%22")
    );
    assert!(!html.contains("<script>\""), "what was typed is no markup");
    // The page around the widget is as its owner asks, whatever the browser prefers.
    for (asked, scheme) in [("", "light dark"), ("page=light", "light"), ("page=dark", "dark")] {
        let page = otto.call(Method::GET, &format!("sites/{}/preview?{asked}", shop.id), Value::Null).await;
        let html = String::from_utf8_lossy(&page.bytes).into_owned();
        assert!(html.contains(&format!("<style>:root{{color-scheme:{scheme}}}")), "{asked}: {html}");
    }
    assert_eq!(otto.call(Method::GET, &format!("{path}no"), Value::Null).await.code(), "invalid_request");
    assert_eq!(mallory.call(Method::GET, &path.replace("&look=", ""), Value::Null).await.code(), "not_found");
}
