//! What HTTP lets a request say and hardly any client says: questions about copies, parts of a file, other methods.

use hyper::Method;
use ocs::http::route::Caller;
use ocs::routes::all_routes;
use serde_json::json;

use crate::connections::Raw;
use crate::images::{png, upload};
use crate::proxies::Proxy;
use crate::world::{Answer, World};

/// Everything that browsers may keep and ask about again.
async fn kept_by_browsers(world: &World) -> Vec<String> {
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let image = upload(world, &vera, png(600, 20)).await.ok()["image"].clone();
    let own = [("cookie", otto.cookie.as_str()), ("x-csrf-token", otto.csrf.as_str())];
    let logo = format!("/api/console/sites/{}/logo", shop.id);
    let logo = world.http().send(Method::PUT, &logo, &own, png(40, 40)).await.ok()["logo_url"].clone();
    let text = |value: &serde_json::Value| value.as_str().expect("a path").to_owned();
    let mut paths = vec![text(&image["url"]), text(&image["thumb_url"]), text(&logo)];
    let page = world.http().get("/").await;
    // Without a web build there is no page.
    if page.status.is_success() {
        let page = String::from_utf8(page.bytes.to_vec()).expect("a page");
        let hashed = page.split(['"', '\'']).find(|word| word.starts_with("/_app/immutable/"));
        paths.extend(["/".into(), "/widget/manifest.json".into(), hashed.expect("a file of the console").to_owned()]);
        paths.push(format!("/api/widget.js?key={}", shop.widget_key));
    }
    paths
}

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    world.http().send(Method::GET, path, headers, "").await
}

#[tokio::test]
async fn a_copy_that_is_held_is_not_sent_again_and_every_other_is() {
    const LONG_AFTER: &str = "Fri, 01 Jan 2100 00:00:00 GMT";
    let world = World::new().await;
    for path in kept_by_browsers(&world).await {
        let whole = get(&world, &path, &[]).await;
        assert!(whole.status.is_success() && !whole.bytes.is_empty(), "{path}: {}", whole.status);
        let tag = whole.headers["etag"].to_str().expect("a tag").to_owned();
        let list = format!("\"other\", W/{tag} , \"more\"");
        for held in [tag.as_str(), &format!("W/{tag}"), &list, "*"] {
            let again = get(&world, &path, &[("if-none-match", held)]).await;
            assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0), "{path}: {held}");
            for name in ["etag", "cache-control", "x-content-type-options", "content-security-policy", "vary"] {
                assert_eq!(again.headers.get(name), whole.headers.get(name), "{path}: {name} of a 304");
            }
        }
        let bare = tag.trim_matches('"').to_owned();
        let part = format!("{}\"", &tag[..tag.len() - 2]);
        for other in ["\"other\"", "", ",,,", bare.as_str(), part.as_str(), "\"", "\"*\""] {
            let again = get(&world, &path, &[("if-none-match", other)]).await;
            assert_eq!((again.status.as_u16(), &again.bytes), (200, &whole.bytes), "{path}: {other}");
        }
        // Nothing is dated: a date says nothing about what is held, alone or beside a tag.
        for dated in [
            &[("if-modified-since", LONG_AFTER)][..],
            &[("if-modified-since", LONG_AFTER), ("if-none-match", "\"other\"")],
        ] {
            assert_eq!(get(&world, &path, dated).await.bytes, whole.bytes, "{path}: {dated:?}");
        }
    }
    for path in ["/api/console/me", "/uploads/chat_images/visitor_20240115_143200_0123456789abcdef0123456789abcdef.png"]
    {
        let answer = get(&world, path, &[("if-none-match", "*"), ("if-modified-since", LONG_AFTER)]).await;
        assert!(matches!(answer.status.as_u16(), 401 | 404), "{path}: {} for any copy", answer.status);
    }
}

#[tokio::test]
async fn parts_of_a_file_are_not_served_and_the_whole_is() {
    let world = World::new().await;
    let many = format!("bytes={}", "0-0,".repeat(1_000));
    for path in kept_by_browsers(&world).await {
        let whole = get(&world, &path, &[]).await;
        for range in
            ["bytes=0-0", "bytes=-1", "bytes=1-", "bytes=9-1", "bytes=99999999999999999999-", "lines=1-2", &many]
        {
            let tag = whole.headers["etag"].to_str().expect("a tag");
            for headers in [&[("range", range)][..], &[("range", range), ("if-range", tag)]] {
                let answer = get(&world, &path, headers).await;
                assert_eq!((answer.status.as_u16(), &answer.bytes), (200, &whole.bytes), "{path}: {range}");
                assert!(answer.headers.get("content-range").is_none(), "{path}: {range}");
            }
        }
    }
}

#[tokio::test]
async fn other_methods_do_nothing_on_every_route() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    world.visitor(&shop, "vera").await.send("v1", "Hello").await.ok();
    let routes = all_routes();
    let own =
        [("cookie", otto.cookie.as_str()), ("x-csrf-token", otto.csrf.as_str()), ("x-echo", "marker-of-the-request")];
    for route in &routes {
        let path = route.path.replace("{site}", &shop.id.to_string()).replace("{widget_key}", &shop.widget_key);
        let path = path.replace("{conversation}", "1").replace("{*path}", "manifest.json").replace("{name}", "x.png");
        let path = path.replace(['{', '}'], "");
        let takes = |method: Method| routes.iter().any(|other| other.path == route.path && other.method == method);
        let ask = async |method: Method| world.http().send(method, &path, &own, "").await;
        let head = ask(Method::HEAD).await;
        assert!(head.bytes.is_empty(), "HEAD {path}");
        if path.ends_with("/socket") {
            assert!(matches!(head.status.as_u16(), 400 | 405), "HEAD {path}: {}", head.status);
        } else if !takes(Method::GET) {
            assert_eq!(head.status, 405, "HEAD {path}");
        } else if !path.ends_with("/stream") {
            assert_eq!(head.status, ask(Method::GET).await.status, "HEAD {path}");
        }
        let brew = Method::from_bytes(b"BREW").expect("a word");
        for method in [Method::OPTIONS, Method::TRACE, brew, Method::from_bytes(b"PROPFIND").expect("a word")] {
            if takes(method.clone()) {
                let preflight = ask(method).await;
                assert!(preflight.status.is_success() && preflight.bytes.is_empty(), "OPTIONS {path}");
                continue;
            }
            let answer = ask(method.clone()).await;
            let place = format!("{method} {path}: {}", answer.status);
            assert_eq!(answer.status, 405, "{place}");
            assert!(!String::from_utf8_lossy(&answer.bytes).contains("marker"), "{place}: nothing is said back");
            assert!(answer.headers.get("access-control-allow-methods").is_none(), "{place}");
            let allowed = answer.headers.get("allow").and_then(|list| list.to_str().ok()).unwrap_or_default();
            assert!(allowed.contains(route.method.as_str()), "{place}: it says what is taken, not {allowed:?}");
        }
    }
    assert!(routes.iter().any(|route| matches!(route.caller, Caller::SiteMember(_))), "there was something to harm");
    assert_eq!(otto.get(&format!("sites/{}", shop.id)).await["name"], "Shop");
    assert_eq!(otto.inbox("").await.len(), 1);
    // What a method hides in a header is not the method.
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let headers = [own[0], own[1], (name, "DELETE")];
        let path = format!("/api/console/sites/{}?_method=DELETE", shop.id);
        world.http().json(Method::POST, &path, &headers, &json!({ "_method": "DELETE" })).await;
        assert_eq!(otto.get(&format!("sites/{}", shop.id)).await["name"], "Shop", "{name}");
    }
}

/// Figures are for those who run the server: who asks it itself, from this machine.
#[tokio::test]
async fn figures_are_shown_to_this_machine_and_never_through_a_proxy() {
    let world = World::new().await;
    let figures = world.http().get("/metrics").await;
    assert!(figures.status == 200 && figures.bytes.starts_with(b"# HELP ocs_connections"));
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", ""),
        ("X-Forwarded-Proto", "https"),
        ("x-forwarded-host", "chat.example"),
        ("x-real-ip", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("via", "1.1 cache"),
    ] {
        assert_eq!(get(&world, "/metrics", &[(name, value)]).await.status, 404, "{name}: {value}");
    }
    let mut other = Raw::from(&world, "127.0.0.9").await;
    other.say(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(other.end().await.is_some_and(|answer| answer.starts_with(b"HTTP/1.1 404")));
    for proxy in [Proxy::nginx(world.address()), Proxy::caddy(world.address())] {
        let http = crate::world::Http::to(&proxy.address);
        assert_eq!(
            (http.get("/healthz").await.status, http.get("/metrics").await.status.as_u16()),
            (hyper::StatusCode::OK, 404)
        );
    }
    let named = World::with(|config| config.metrics_from = vec![std::net::IpAddr::from([127, 0, 0, 9]).into()]).await;
    assert_eq!(named.http().get("/metrics").await.status, 404);
}
