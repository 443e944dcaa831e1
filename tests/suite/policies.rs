//! What an owner allows holds on each use: sessions, sockets and keys from before a change are judged by it as well.

use hyper::Method;
use serde_json::{Value, json};

use crate::identity::{secret_of, signed, token_for};
use crate::second_factor::{code, protect};
use crate::world::{Answer, Line, Owner, Site, Visitor, World};

/// Everything that a visitor with a token may ask for, and the socket; answers how each was refused, or "ok".
async fn tries(world: &World, who: &Visitor, origin: Option<&str>) -> Vec<String> {
    let bearer = format!("Bearer {}", who.token);
    let origin = origin.map(str::to_owned).unwrap_or_else(|| format!("http://{}", world.address()));
    let headers =
        [("authorization", bearer.as_str()), ("origin", origin.as_str()), ("content-type", "application/json")];
    let commands = [
        json!({ "do": "send", "client_id": format!("again {}", world.now()).replace(' ', "-"), "text": "still here" }),
        json!({ "do": "history", "before": { "conversation": who.state["conversations"][0]["id"], "seq": 1 } }),
        json!({ "do": "hint", "hint": { "type": "typing" } }),
    ];
    let mut tried = Vec::new();
    let mut take = |answer: Answer| {
        tried.push(if answer.status.is_success() { "ok".to_owned() } else { answer.code() });
    };
    for body in commands {
        take(world.http().send(Method::POST, "/api/widget", &headers, body.to_string()).await);
    }
    // What is no picture is refused as one only where pictures are taken.
    let picture = world.http().send(Method::POST, "/api/widget/images", &headers, "x").await;
    tried.push(if picture.code() == "invalid_image" { "ok".into() } else { picture.code() });
    let mut line = Line::open_from(world.address(), "/api/widget/socket", &origin).await;
    line.say(json!({ "type": "hello", "token": who.token, "cursor": who.state["cursor"] })).await;
    let first = line.next().await.expect("a frame");
    tried.push(if first["type"] == "welcome" { "ok".into() } else { first["code"].as_str().unwrap_or("?").to_owned() });
    tried
}

/// A page of `origin` that is let in and listens.
async fn open(world: &World, who: &Visitor, origin: &str) -> Line {
    let mut line = Line::open_from(world.address(), "/api/widget/socket", origin).await;
    line.say(json!({ "type": "hello", "token": who.token, "cursor": who.state["cursor"] })).await;
    line.frame("beat").await;
    line
}

/// Vera, who came unsigned and wrote.
async fn vera(world: &World, shop: &Site) -> Visitor {
    world.visitor(shop, "vera").await.send("v1", "hello").await.ok();
    let vera = world.visitor(shop, "vera").await;
    vera.send("v2", "hello again").await.ok();
    let back = json!({ "external_id": "vera", "anonymous": false });
    world.arrive(shop, back, Some(&vera.token)).await.expect("to be let in")
}

fn all(code: &str) -> Vec<String> {
    vec![code.to_owned(); 5]
}

#[tokio::test]
async fn where_only_the_signed_may_chat_sessions_from_before_end_too() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    let known = world.arrive(&shop, signed("known", &token_for(&world, &secret, "known")), None).await.expect("in");
    known.send("k1", "hello").await.ok();
    let known = world.arrive(&shop, signed("known", &token_for(&world, &secret, "known")), Some(&known.token)).await;
    let known = known.expect("in");
    let vera = vera(&world, &shop).await;
    let mut page = open(&world, &vera, "https://shop.example").await;
    otto.configure(&shop, json!({ "identity_mode": "signed_only" })).await;
    assert_eq!(page.frame("refused").await["code"], "identity_required");
    assert_eq!(tries(&world, &vera, None).await, all("identity_required"));
    assert_eq!(tries(&world, &known, None).await, all("ok"));
    otto.configure(&shop, json!({ "identity_mode": "same_browser" })).await;
    world.pass(1);
    assert_eq!(tries(&world, &vera, None).await, all("ok"), "nothing was lost");
}

#[tokio::test]
async fn pages_of_a_domain_that_was_taken_off_the_list_are_sent_away() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = vera(&world, &shop).await;
    let mut old = open(&world, &vera, "https://old.example").await;
    let mut kept = open(&world, &vera, "https://shop.example").await;
    otto.configure(&shop, json!({ "allowed_domains": ["shop.example"] })).await;
    assert_eq!(old.frame("refused").await["code"], "forbidden_origin");
    assert_eq!(tries(&world, &vera, Some("https://old.example")).await, all("forbidden_origin"));
    assert_eq!(tries(&world, &vera, Some("https://shop.example")).await, all("ok"));
    assert_eq!(kept.messages(1).await, ["still here"], "the others stay");
}

#[tokio::test]
async fn a_pause_holds_for_whoever_was_there_before() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = vera(&world, &shop).await;
    let mut page = open(&world, &vera, "https://shop.example").await;
    otto.configure(&shop, json!({ "paused": true })).await;
    assert_eq!(page.frame("refused").await["code"], "site_paused");
    assert_eq!(tries(&world, &vera, None).await, all("site_paused"));
    let api = format!("/api/chat_api.php?key={}&action=get_recent_messages", shop.chat_key);
    assert_eq!(world.http().get(&api).await.json()["message"], "site paused");
}

#[tokio::test]
async fn who_was_let_in_by_a_secret_that_was_deleted_must_sign_anew() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let (old, new) = (secret_of(&otto, &shop).await, secret_of(&otto, &shop).await);
    let come = async |secret: &str, who: &str, token: Option<&str>| {
        world.arrive(&shop, signed(who, &token_for(&world, secret, who)), token).await.expect("in")
    };
    let forged = come(&old, "forged", None).await;
    forged.send("f1", "hello").await.ok();
    let forged = come(&old, "forged", Some(&forged.token)).await;
    let moved = come(&old, "moved", None).await;
    moved.send("m1", "hello").await.ok();
    let moved = come(&new, "moved", Some(&moved.token)).await;
    let (mut page, mut other) = (open(&world, &forged, "https://a.example").await, moved.listen().await);
    other.frame("beat").await;

    let secrets = otto.get(&format!("sites/{}", shop.id)).await["identity_secrets"].clone();
    let path = format!("sites/{}/identity-secrets/{}", shop.id, secrets[0]["id"]);
    otto.call(Method::DELETE, &path, json!({})).await.ok();
    assert_eq!(page.frame("refused").await["code"], "invalid_token");
    assert_eq!(tries(&world, &forged, None).await, all("invalid_token"));
    assert_eq!(tries(&world, &moved, None).await, all("ok"), "who has come with the new one goes on");
    let again = come(&new, "forged", Some(&forged.token)).await;
    assert_eq!(again.texts(), ["hello"], "and who signs anew has the whole thread");
}

/// A second browser of Otto's, whose console is open.
async fn elsewhere(world: &World, secret: &str) -> (Owner, Line) {
    let code = code(secret, world.now());
    let body = json!({ "email": "otto@example.org", "password": "correct horse battery", "code": code });
    let answer = world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await;
    let other = Owner::from(world.http().clone(), answer);
    let mut line = other.listen().await;
    line.frame("beat").await;
    world.pass(60);
    (other, line)
}

#[tokio::test]
async fn a_changed_second_factor_ends_the_other_sessions_of_the_account() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (secret, _) = protect(&world, &otto).await;
    for path in ["codes", "off"] {
        let (other, mut line) = elsewhere(&world, &secret).await;
        let shown = json!({ "password": "correct horse battery", "code": code(&secret, world.now()) });
        otto.call(Method::POST, &format!("account/second-factor/{path}"), shown).await.ok();
        assert_eq!(line.frame("refused").await["code"], "not_signed_in", "{path}");
        assert_eq!(other.call(Method::GET, "me", Value::Null).await.status, 401, "{path}");
        assert_eq!(otto.call(Method::GET, "me", Value::Null).await.status, 200, "{path}");
        world.pass(60);
    }
}

#[tokio::test]
async fn a_narrower_key_in_place_of_one_in_use_holds_with_the_next_call() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let call = async |key: &str| {
        let path = format!("/api/chat_api.php?key={key}&action=get_recent_messages");
        world.http().get(&path).await.json()["message"].clone()
    };
    assert_eq!(call(&shop.chat_key).await, Value::Null);
    let make = async |wanted: Value| {
        let made = otto.call(Method::POST, &format!("sites/{}/chat-keys", shop.id), wanted).await.ok();
        made["secret"].as_str().expect("a secret").to_owned()
    };
    let elsewhere = make(json!({ "grace_s": 0, "networks": ["192.0.2.0/24"] })).await;
    assert_eq!(
        (call(&shop.chat_key).await, call(&elsewhere).await),
        (json!("invalid key"), json!("address not allowed"))
    );
    let replies = make(json!({ "grace_s": 0, "scope": "reply" })).await;
    assert_eq!((call(&elsewhere).await, call(&replies).await), (json!("invalid key"), json!("action not allowed")));
}
