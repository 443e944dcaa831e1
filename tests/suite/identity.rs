//! Who may read a known visitor's history.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::{Owner, Site, World};

fn named(external_id: &str) -> Value {
    json!({ "external_id": external_id, "anonymous": false })
}

fn signed(external_id: &str, token: &str) -> Value {
    json!({ "external_id": external_id, "anonymous": false, "identity_token": token })
}

async fn secret_of(otto: &Owner, site: &Site) -> String {
    let made = otto.call(Method::POST, &format!("sites/{}/identity-secrets", site.id), json!({})).await.ok();
    made["secret"].as_str().expect("a secret").to_owned()
}

fn jwt(secret: &str, header: Value, claims: Value) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

pub fn token_for(world: &World, secret: &str, external_id: &str) -> String {
    jwt(secret, json!({ "alg": "HS256", "typ": "JWT" }), json!({ "sub": external_id, "exp": world.now() / 1000 + 300 }))
}

#[tokio::test]
async fn by_default_a_stranger_who_types_an_id_reads_nothing_of_it() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "user_1").await;
    vera.send("v1", "my address is 1 Main Street").await.ok();

    let mallory = world.visitor(&shop, "user_1").await;
    assert!(mallory.texts().is_empty());
    let mut page = mallory.listen().await;
    page.frame("welcome").await;
    vera.send("v2", "and my phone is 555").await.ok();
    mallory.send("m1", "hello").await.ok();
    assert_eq!(page.messages(1).await, ["hello"], "only its own conversation is heard");

    let back = world.arrive(&shop, named("user_1"), Some(&vera.token)).await.expect("to be let in");
    assert_eq!(back.texts(), ["my address is 1 Main Street", "and my phone is 555"]);
    let inbox = otto.inbox("").await;
    assert_eq!(inbox.len(), 2, "two conversations");
    assert_eq!(inbox[0]["visitor"]["id"], inbox[1]["visitor"]["id"], "of one visitor");
    assert_eq!(inbox[0]["verified"], false);
}

#[tokio::test]
async fn in_shared_mode_everybody_who_names_the_id_shares_its_history() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(&shop, json!({ "identity_mode": "shared" })).await;
    let phone = world.visitor(&shop, "user_1").await;
    phone.send("p1", "from my phone").await.ok();
    let desk = world.visitor(&shop, "user_1").await;
    assert_eq!(desk.texts(), ["from my phone"]);
    let mut page = phone.listen().await;
    desk.send("d1", "from my desk").await.ok();
    assert_eq!(page.messages(2).await, ["from my phone", "from my desk"]);
    assert_eq!(otto.inbox("").await.len(), 1);
}

#[tokio::test]
async fn in_signed_only_mode_nobody_chats_without_a_signature() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    otto.configure(&shop, json!({ "identity_mode": "signed_only" })).await;
    let refused = world.arrive(&shop, named("user_1"), None).await.err().expect("a refusal");
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "identity_required"));
    let anonymous = json!({ "external_id": "random", "anonymous": true });
    assert_eq!(world.arrive(&shop, anonymous, None).await.err().expect("a refusal").code(), "identity_required");
    let token = token_for(&world, &secret, "user_1");
    let vera = world.arrive(&shop, signed("user_1", &token), None).await.expect("to be let in");
    assert_eq!(vera.state["visitor"]["verified"], true);
    // The same browser needs no new signature.
    world.arrive(&shop, named("user_1"), Some(&vera.token)).await.expect("to be let in");
}

#[tokio::test]
async fn a_signed_visitor_has_its_history_everywhere_and_none_of_the_strangers() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    let mallory = world.visitor(&shop, "user_1").await;
    mallory.send("m1", "I am not the real one").await.ok();

    let phone = world.arrive(&shop, signed("user_1", &token_for(&world, &secret, "user_1")), None).await.expect("in");
    assert!(phone.texts().is_empty());
    phone.send("p1", "I am").await.ok();
    let desk = world.arrive(&shop, signed("user_1", &token_for(&world, &secret, "user_1")), None).await.expect("in");
    assert_eq!(desk.texts(), ["I am"]);
    let inbox = otto.inbox("").await;
    let verified: Vec<_> = inbox.iter().filter(|c| c["verified"] == true).collect();
    assert_eq!((inbox.len(), verified.len()), (2, 1));
    assert_eq!(verified[0]["last_message"]["text"], "I am");
    // A stranger cannot rename who is verified.
    let rename = json!({ "external_id": "user_1", "anonymous": false, "nickname": "Mallory was here" });
    world.arrive(&shop, rename, None).await.expect("to be let in");
    assert_eq!(otto.inbox("").await[0]["visitor"]["nickname"], Value::Null);
}

#[tokio::test]
async fn forged_expired_and_borrowed_tokens_are_refused() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    let exp = world.now() / 1000 + 300;
    let hs256 = json!({ "alg": "HS256" });
    let wrong = [
        jwt("another secret", hs256.clone(), json!({ "sub": "user_1", "exp": exp })),
        jwt(&secret, hs256.clone(), json!({ "sub": "user_2", "exp": exp })),
        jwt(&secret, hs256.clone(), json!({ "sub": "user_1", "exp": world.now() / 1000 - 120 })),
        jwt(&secret, hs256.clone(), json!({ "sub": "user_1", "exp": exp + 400 * 86_400 })),
        jwt(&secret, hs256, json!({ "sub": "user_1" })),
        jwt(&secret, json!({ "alg": "none" }), json!({ "sub": "user_1", "exp": exp })),
        "a.b".to_owned(),
        "..".to_owned(),
    ];
    for token in wrong {
        let refused = world.arrive(&shop, signed("user_1", &token), None).await.err();
        assert_eq!(refused.expect("a refusal").code(), "invalid_identity", "{token}");
    }
    world.pass(120);
    let token = token_for(&world, &secret, "user_1");
    world.arrive(&shop, signed("user_1", &token), None).await.expect("a good one is taken");
}

#[tokio::test]
async fn an_anonymous_visitor_that_says_who_it_is_keeps_its_thread() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let browser = json!({ "external_id": "9f8e7d", "anonymous": true });
    let guest = world.arrive(&shop, browser, None).await.expect("to be let in");
    guest.send("g1", "before signing in").await.ok();
    let named = world.arrive(&shop, named("user_1"), Some(&guest.token)).await.expect("to be let in");
    assert_eq!(named.texts(), ["before signing in"]);
    assert_ne!(named.token, guest.token, "a new identity has a new token");
    assert_eq!(guest.send("g2", "with the old token").await.code(), "invalid_token");
    // A retry of what was sent before is still the same message.
    named.send("g1", "before signing in").await.ok();
    let inbox = otto.inbox("").await;
    assert_eq!((inbox.len(), &inbox[0]["visitor"]["external_id"]), (1, &json!("user_1")));

    // A second anonymous browser of the same signed person: its thread goes to the person that is known.
    let secret = secret_of(&otto, &shop).await;
    let phone = json!({ "external_id": "1a2b3c", "anonymous": true });
    let phone = world.arrive(&shop, phone, None).await.expect("to be let in");
    phone.send("h1", "from the phone, anonymous").await.ok();
    let token = token_for(&world, &secret, "user_1");
    let phone = world.arrive(&shop, signed("user_1", &token), Some(&phone.token)).await.expect("to be let in");
    assert_eq!(phone.texts(), ["from the phone, anonymous"]);
    phone.send("h1", "from the phone, anonymous").await.ok();
    phone.send("h2", "now signed").await.ok();
    assert_eq!(otto.inbox("").await.len(), 2);
}

#[tokio::test]
async fn another_person_on_the_same_browser_starts_with_nothing() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let alice = world.visitor(&shop, "alice").await;
    alice.send("a1", "for my eyes").await.ok();
    let bob = world.arrive(&shop, named("bob"), Some(&alice.token)).await.expect("to be let in");
    assert!(bob.texts().is_empty());
    let mut page = alice.listen().await;
    page.frame("welcome").await;
    alice.command(json!({ "do": "logout" })).await.ok();
    assert_eq!(page.frame("refused").await["code"], "invalid_token");
    assert_eq!(alice.send("a2", "x").await.code(), "invalid_token");
}
