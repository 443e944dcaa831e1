//! What else a page says about its visitor: it never costs the chat.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Owner, Site, World};

/// Vera arrives with one fact, writes, and the operator sees what was kept; answers the fields that were mended.
async fn arrives_with(world: &World, otto: &Owner, shop: &Site, fact: Value) -> (Value, Vec<String>) {
    let mut fields = json!({ "external_id": format!("vera-{}", world.now()), "anonymous": false });
    fields.as_object_mut().expect("fields").extend(fact.as_object().expect("a fact").clone());
    world.pass(1);
    let vera = world.arrive(shop, fields, None).await;
    let vera = vera.unwrap_or_else(|refused| panic!("{fact}: {} {}", refused.status, refused.code()));
    vera.send("hello", "Hello").await.ok();
    let mended: Vec<String> = vera.state["mended"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|said| said.as_str().expect("a text").to_owned())
        .collect();
    (otto.inbox("state=open").await[0]["visitor"].clone(), mended)
}

#[tokio::test]
async fn no_optional_fact_costs_the_chat_and_each_that_is_mended_is_named() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let many: serde_json::Map<String, Value> = (0..60).map(|n| (format!("a{n:02}"), json!("x"))).collect();
    let letters = |count: usize| "x".repeat(count);
    let family = "👨\u{200d}👩\u{200d}👧";
    // What Vera's page says; where operators see it; what they see; which fields the page is told of.
    let facts = [
        (json!({ "email": "john at shop" }), "/email", Value::Null, vec!["email"]),
        (json!({ "email": format!("vera@{}", letters(300)) }), "/email", Value::Null, vec!["email"]),
        (json!({ "email": " vera@shop.example " }), "/email", json!("vera@shop.example"), vec![]),
        (json!({ "email": "" }), "/email", Value::Null, vec![]),
        (json!({ "nickname": letters(65) }), "/nickname", json!(letters(64)), vec!["nickname"]),
        (json!({ "nickname": family.repeat(70) }), "/nickname", json!(family.repeat(56)), vec!["nickname"]),
        (json!({ "nickname": 7 }), "/nickname", json!("7"), vec![]),
        (json!({ "nickname": ["Vera"] }), "/nickname", Value::Null, vec!["nickname"]),
        (json!({ "attributes": many }), "/attributes/a31", json!("x"), vec!["attributes.a32"]),
        (
            json!({ "attributes": { "plan": letters(3_000) } }),
            "/attributes/plan",
            json!(letters(256)),
            vec!["attributes.plan"],
        ),
        (
            json!({ "attributes": { "f": family.repeat(15) } }),
            "/attributes/f",
            json!(family.repeat(14)),
            vec!["attributes.f"],
        ),
        (json!({ "attributes": { "age": 41.5 } }), "/attributes/age", json!("41.5"), vec![]),
        (json!({ "attributes": { "paid": true } }), "/attributes/paid", json!("true"), vec![]),
        (
            json!({ "attributes": { "tags": ["a", { "b": 1 }] } }),
            "/attributes/tags",
            json!("[\"a\",{\"b\":1}]"),
            vec![],
        ),
        (json!({ "attributes": { "plan": null } }), "/attributes/plan", Value::Null, vec!["attributes.plan"]),
        (json!({ "attributes": { "": "x" } }), "/attributes", json!({}), vec!["attributes"]),
        (json!({ "attributes": "gold" }), "/attributes", json!({}), vec!["attributes"]),
        (json!({ "locale": "nonsense of a page!" }), "/locale", Value::Null, vec!["locale"]),
        (json!({ "locale": "en_GB" }), "/locale", json!("en-GB"), vec![]),
        (json!({ "timezone": letters(65) }), "/timezone", Value::Null, vec!["timezone"]),
        (
            json!({ "page": { "url": format!("https://shop.example/#{}", letters(70_000)) } }),
            "/page/url",
            json!(format!("https://shop.example/#{}", letters(2_026))),
            vec![],
        ),
        (
            json!({ "page": { "url": "https://shop.example/", "title": letters(70_000), "referrer": 5 } }),
            "/page/title",
            json!(letters(300)),
            vec![],
        ),
        (json!({ "page": { "title": "Nowhere" } }), "/page", Value::Null, vec!["page"]),
        (json!({ "page": "https://shop.example/" }), "/page", Value::Null, vec!["page"]),
    ];
    for (fact, at, kept, named) in facts {
        let (visitor, mended) = arrives_with(&world, &otto, &shop, fact.clone()).await;
        let shown: String = fact.to_string().chars().take(80).collect();
        assert_eq!(visitor.pointer(at).unwrap_or(&Value::Null), &kept, "{shown}");
        let fields: Vec<&str> = mended.iter().map(|said| said.split([':', ' ']).next().unwrap_or_default()).collect();
        assert_eq!(fields, named, "{shown}");
    }
}

#[tokio::test]
async fn only_identity_may_refuse_and_says_why() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    for id in ["x".repeat(300), String::new(), "a\u{7}b".into()] {
        let refused = world.arrive(&shop, json!({ "external_id": id, "anonymous": false }), None).await;
        let refused = refused.err().expect("an id is never cut: two people could become one");
        let body = refused.json();
        assert_eq!((refused.status.as_u16(), &body["error"]["field"]), (400, &json!("external_id")), "{id}");
        assert!(body["error"]["message"].as_str().unwrap_or_default().contains("128 bytes"), "{body}");
    }
}

#[tokio::test]
async fn an_operator_sees_which_page_a_visitor_is_on_and_since_when() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let came_at = world.now();
    let page = |path: &str, open_s: Value| json!({ "url": format!("https://shop.example/{path}"), "title": path, "open_s": open_s });
    let fields = json!({ "external_id": "vera", "anonymous": false, "page": page("lamps", json!(40)) });
    let vera = world.arrive(&shop, fields, None).await.expect("let in");
    vera.send("m1", "Hello").await.ok();
    let seen = |visitor: &Value| (visitor["page"]["title"].clone(), visitor["page"]["since"].clone());
    let kept = otto.inbox("").await[0]["visitor"].clone();
    assert_eq!(seen(&kept), (json!("lamps"), json!(came_at - 40_000)), "she was there before she opened the chat");

    let mut console = otto.listen().await;
    let mut line = vera.listen().await;
    line.frame("welcome").await;
    world.pass(60);
    line.say(json!({ "type": "page", "page": page("chairs", json!(2)) })).await;
    let signal = console.signal("page").await;
    let moved_at = world.now() - 2_000;
    assert_eq!((signal["page"]["title"].clone(), signal["page"]["since"].clone()), (json!("chairs"), json!(moved_at)));
    // A page of no use is passed over; the line stays.
    for page in [json!(null), json!("x"), json!({ "title": 5 }), page("tables", json!("soon"))] {
        line.say(json!({ "type": "page", "page": page })).await;
    }
    let signal = console.signal("page").await;
    assert_eq!(signal["page"]["title"], "tables", "{signal}");
    // A console that comes later is told the same.
    let told = async {
        while seen(&otto.inbox("").await[0]["visitor"]).0 != json!("tables") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("kept within a moment");
    // A browser that no longer tells shows no page rather than an old one.
    let fields = json!({ "external_id": "vera", "anonymous": false });
    world.arrive(&shop, fields, Some(&vera.token)).await.expect("let in");
    assert_eq!(otto.inbox("").await[0]["visitor"]["page"], Value::Null);
}
