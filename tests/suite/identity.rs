//! Who may read a known visitor's history.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::Method;
use ocs::visitors::SAMPLE_ID;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::{Owner, Site, World};

fn named(external_id: &str) -> Value {
    json!({ "external_id": external_id, "anonymous": false })
}

pub fn signed(external_id: &str, token: &str) -> Value {
    json!({ "external_id": external_id, "anonymous": false, "identity_token": token })
}

pub async fn secret_of(otto: &Owner, site: &Site) -> String {
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
async fn a_time_is_any_number_and_each_refusal_has_its_own_reason() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    let now = world.now() / 1000;
    let hs256 = json!({ "alg": "HS256", "typ": "JWT" });
    let token = |claims: Value| jwt(&secret, hs256.clone(), claims);
    // RFC 7519, section 2: a NumericDate may have a fraction, and JSON writes numbers with exponents.
    let raw = |claims: String| {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(hs256.to_string()), URL_SAFE_NO_PAD.encode(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let exponent = format!("{}.{:09}e9", (now + 300) / 1_000_000_000, (now + 300) % 1_000_000_000);
    for exp in [format!("{}.25", now + 300), format!("{}.0", now + 300), exponent, format!("{}", now + 86_400)] {
        let good = raw(format!(r#"{{"sub":"vera","exp":{exp},"nbf":{now}.5,"iat":{now}.75}}"#));
        let refused = world.arrive(&shop, signed("vera", &good), None).await.err();
        assert!(refused.is_none(), "{exp}: {refused:?}");
    }
    let exp = now + 300;
    let reasons = [
        ("not.a".to_owned(), "it is not a JWT of three parts with dots between"),
        ("a.b.c.d".to_owned(), "it is not a JWT of three parts with dots between"),
        ("a.b.=".to_owned(), "its signature is not base64url without padding"),
        ("a.b.cccc".to_owned(), "its header is not a JSON object in base64url without padding"),
        ("x".repeat(4_097), "it is longer than 4,096 bytes"),
        (jwt(&secret, json!({ "alg": "RS256" }), json!({ "sub": "vera", "exp": exp })), "its alg must be HS256"),
        (jwt(&secret, json!({ "typ": "JWT" }), json!({ "sub": "vera", "exp": exp })), "its alg must be HS256"),
        (
            jwt("another", hs256.clone(), json!({ "sub": "vera", "exp": 1 })),
            "its signature does not match this site's identity secret",
        ),
        (token(json!({ "exp": exp })), "it has no sub; set it to the externalId"),
        (token(json!({ "sub": 7, "exp": exp })), "its sub must be a text; put the externalId in quotes"),
        (token(json!({ "sub": "nina", "exp": exp })), "its sub is not the externalId"),
        (token(json!({ "sub": "vera" })), "it has no exp; set it to the Unix time at which it ends"),
        (token(json!({ "sub": "vera", "exp": "soon" })), "its exp must be a number: the Unix time in seconds"),
        (token(json!({ "sub": "vera", "exp": now as f64 - 61.5 })), "it has expired"),
        (token(json!({ "sub": "vera", "exp": now + 90_000 })), "its exp is more than 24 hours ahead"),
        (token(json!({ "sub": "vera", "exp": 1e300 })), "its exp is more than 24 hours ahead"),
        (token(json!({ "sub": "vera", "exp": exp, "nbf": exp })), "it is not valid yet: its nbf is still ahead"),
        (token(json!({ "sub": "vera", "exp": exp, "nbf": [] })), "its nbf must be a number: the Unix time in seconds"),
    ];
    for (token, reason) in reasons {
        let refused = world.arrive(&shop, signed("vera", &token), None).await.err().expect(reason);
        assert_eq!(refused.json()["error"]["message"], format!("the identityToken was refused: {reason}"));
    }
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

#[tokio::test]
async fn who_took_an_id_before_its_owner_came_cannot_take_its_history_along() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    // Mallory, a customer too, says that Vera's id is a random one of her browser's.
    let taken = json!({ "external_id": "vera", "anonymous": true });
    let early = world.arrive(&shop, taken.clone(), None).await.expect("in");
    let vera = world.arrive(&shop, signed("vera", &token_for(&world, &secret, "vera")), None).await.expect("in");
    vera.send("v1", "my address is 1 Main Street").await.ok();
    let late = world.arrive(&shop, taken, None).await.expect("in");

    for mallory in [early, late] {
        let own = signed("mallory", &token_for(&world, &secret, "mallory"));
        let mallory = world.arrive(&shop, own, Some(&mallory.token)).await.expect("in");
        assert!(!mallory.texts().iter().any(|text| text.contains("Main Street")), "{:?}", mallory.texts());
        mallory.send("m1", "hello").await.ok();
    }
    let back = world.arrive(&shop, named("vera"), Some(&vera.token)).await.expect("in");
    assert_eq!(back.texts(), ["my address is 1 Main Street"]);
    let inbox = otto.inbox("").await;
    let of_vera = inbox.iter().find(|c| c["visitor"]["external_id"] == "vera").expect("Vera's conversation");
    assert_eq!(of_vera["last_message"]["text"], "my address is 1 Main Street");
}

#[tokio::test]
async fn two_browsers_of_one_random_id_do_not_rename_each_other() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let random = json!({ "external_id": "v_0123456789", "anonymous": true });
    let vera = world.arrive(&shop, random.clone(), None).await.expect("in");
    vera.send("v1", "I am Vera").await.ok();
    // Mallory copied the id, and has no token of it.
    let mallory = world.arrive(&shop, random.clone(), None).await.expect("in");
    mallory.send("m1", "I am Mallory").await.ok();
    let early = json!({ "external_id": "v_9876543210", "anonymous": true });
    let quiet = world.arrive(&shop, early.clone(), None).await.expect("in");
    let copied = world.arrive(&shop, early, None).await.expect("in");
    let mallory = world.arrive(&shop, named("mallory"), Some(&mallory.token)).await.expect("in");
    assert_eq!(mallory.texts(), ["I am Mallory"]);
    world.arrive(&shop, named("mallory"), Some(&copied.token)).await.expect("in");
    quiet.send("q1", "who had not written yet still can").await.ok();

    let back = world.arrive(&shop, random, Some(&vera.token)).await.expect("in");
    assert_eq!(back.texts(), ["I am Vera"]);
    let inbox = otto.inbox("").await;
    let said = |name: &str| {
        let own = inbox.iter().find(|c| c["visitor"]["external_id"] == name).expect("a conversation");
        own["last_message"]["text"].clone()
    };
    assert_eq!((said("mallory"), said("v_0123456789")), (json!("I am Mallory"), json!("I am Vera")));
}

#[tokio::test]
async fn a_client_id_of_somebody_elses_tells_nothing_of_its_message() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "user_1").await;
    vera.send("first", "hello").await.ok();
    vera.send("second", "again").await.ok();
    let mallory = world.visitor(&shop, "user_1").await;
    let copied = mallory.send("second", "again").await;
    assert_eq!((copied.status.as_u16(), copied.code().as_str()), (409, "conflict"), "nothing of Vera's is answered");
    assert_eq!(vera.send("second", "again").await.ok()["message"]["seq"], 2, "Vera's own retry is");
}

#[tokio::test]
async fn strangers_who_type_an_id_use_up_nothing_of_its_signed_owner() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    otto.configure(
        &shop,
        json!({ "limits": { "messages_per_minute": 2, "api_per_minute": 60, "image_bytes": 5_000_000 } }),
    )
    .await;
    let vera = world.arrive(&shop, signed("vera", &token_for(&world, &secret, "vera")), None).await.expect("in");
    let mallory = world.visitor(&shop, "vera").await;
    for n in 0..2 {
        mallory.send(&format!("m{n}"), "spam").await.ok();
    }
    assert_eq!(mallory.send("m9", "spam").await.code(), "sending_too_frequently");
    let mut lines = Vec::new();
    for _ in 0..12 {
        let mut line = mallory.listen().await;
        line.frame("welcome").await;
        lines.push(line);
    }
    vera.send("v1", "I can still write").await.ok();
    let mut page = vera.listen().await;
    assert_eq!(page.next().await.expect("a frame")["type"], "welcome", "and listen");
}

/// A page that was left open over night still has yesterday's identity token.
#[tokio::test]
async fn an_expired_token_resumes_the_session_that_it_signed_and_nothing_else() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    let token = token_for(&world, &secret, "vera");
    let vera = world.arrive(&shop, signed("vera", &token), None).await.expect("in");
    vera.send("v1", "my address is 1 Main Street").await.ok();
    let unsigned = world.visitor(&shop, "vera").await;
    let nina = world.arrive(&shop, signed("nina", &token_for(&world, &secret, "nina")), None).await.expect("in");
    let guest = world.arrive(&shop, json!({ "external_id": "v_1", "anonymous": true }), None).await.expect("in");
    world.pass(12 * 3_600);

    let back = world.arrive(&shop, signed("vera", &token), Some(&vera.token)).await.expect("to be let in again");
    assert_eq!((back.texts(), &back.token), (vec!["my address is 1 Main Street".to_owned()], &vera.token));
    assert_eq!(back.state["visitor"]["verified"], true);

    let refused = [
        ("no session", None),
        ("a session without a signature", Some(&unsigned.token)),
        ("another's session", Some(&nina.token)),
        ("an anonymous session", Some(&guest.token)),
    ];
    for (whose, session) in refused {
        let refused =
            world.arrive(&shop, signed("vera", &token), session.map(String::as_str)).await.err().expect(whose);
        assert_eq!(refused.json()["error"]["message"], "the identityToken was refused: it has expired", "{whose}");
    }
    let past = world.now() / 1000 - 300;
    let hs256 = json!({ "alg": "HS256" });
    let wrong = [
        ("forged", jwt("another secret", hs256.clone(), json!({ "sub": "vera", "exp": past }))),
        ("another's", jwt(&secret, hs256.clone(), json!({ "sub": "nina", "exp": past }))),
        ("not valid yet either", jwt(&secret, hs256, json!({ "sub": "vera", "exp": past, "nbf": past + 900 }))),
    ];
    for (what, token) in wrong {
        let refused = world.arrive(&shop, signed("vera", &token), Some(&vera.token)).await.err().expect(what);
        assert_eq!(refused.code(), "invalid_identity", "{what}");
    }
}

#[tokio::test]
async fn claims_that_this_server_must_not_pass_over_are_not() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    let now = world.now() / 1000;
    let hs256 = json!({ "alg": "HS256" });
    let raw = |claims: &str| {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(hs256.to_string()), URL_SAFE_NO_PAD.encode(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let exp = now + 300;
    let wrong = [
        ("not yet", jwt(&secret, hs256.clone(), json!({ "sub": "vera", "exp": exp, "nbf": now + 120 }))),
        (
            "critical",
            jwt(
                &secret,
                json!({ "alg": "HS256", "crit": ["b64"], "b64": false }),
                json!({ "sub": "vera", "exp": exp }),
            ),
        ),
        ("empty crit", jwt(&secret, json!({ "alg": "HS256", "crit": [] }), json!({ "sub": "vera", "exp": exp }))),
        ("two subjects", raw(&format!(r#"{{"sub":"mallory","sub":"vera","exp":{exp}}}"#))),
        ("two ends", raw(&format!(r#"{{"sub":"vera","exp":1,"exp":{exp}}}"#))),
        ("an end in words", raw(&format!(r#"{{"sub":"vera","exp":"{exp}"}}"#))),
        ("an endless end", raw(r#"{"sub":"vera","exp":9223372036854775807}"#)),
        ("more than a number", raw(r#"{"sub":"vera","exp":99999999999999999999}"#)),
        ("a list of subjects", raw(&format!(r#"{{"sub":["vera"],"exp":{exp}}}"#))),
        ("lower case", jwt(&secret, json!({ "alg": "hs256" }), json!({ "sub": "vera", "exp": exp }))),
        ("another digest", jwt(&secret, json!({ "alg": "HS512" }), json!({ "sub": "vera", "exp": exp }))),
        ("padded", format!("{}=", jwt(&secret, hs256.clone(), json!({ "sub": "vera", "exp": exp })))),
        ("the public key", jwt(&shop.widget_key, hs256.clone(), json!({ "sub": "vera", "exp": exp }))),
        ("the chat key", jwt(&shop.chat_key, hs256.clone(), json!({ "sub": "vera", "exp": exp }))),
        ("no key", jwt("", hs256.clone(), json!({ "sub": "vera", "exp": exp }))),
    ];
    for (what, token) in wrong {
        let refused = world.arrive(&shop, signed("vera", &token), None).await.err();
        assert_eq!(refused.unwrap_or_else(|| panic!("{what} was taken")).code(), "invalid_identity", "{what}");
    }
    let started = jwt(&secret, hs256, json!({ "sub": "vera", "exp": exp, "nbf": now - 5, "iat": now - 5, "aud": "x" }));
    world.arrive(&shop, signed("vera", &started), None).await.expect("what is valid since a while is taken");
}

#[tokio::test]
async fn an_anonymous_thread_whose_ids_were_used_under_the_name_is_handed_over_all_the_same() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    world.visitor(&shop, "vera").await.send("1", "somebody else was first").await.ok();
    let guest = world.arrive(&shop, json!({ "external_id": "v_1", "anonymous": true }), None).await.expect("in");
    guest.send("1", "before signing in").await.ok();
    let vera = world.arrive(&shop, named("vera"), Some(&guest.token)).await.expect("in");
    assert_eq!(vera.texts(), ["before signing in"]);
}

#[tokio::test]
async fn whoever_is_let_in_at_the_same_moment_holds_a_token_that_is_good() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    for round in 0..10 {
        let random = json!({ "external_id": format!("v_{round}"), "anonymous": true });
        let guest = world.arrive(&shop, random, None).await.expect("in");
        let name = format!("vera {round}");
        let at_once = (0..4).map(|_| world.arrive(&shop, named(&name), Some(&guest.token)));
        let mut let_in = 0;
        for tab in futures_util::future::join_all(at_once).await {
            let tab = match tab {
                Ok(tab) => tab,
                Err(refused) => {
                    assert_eq!(refused.code(), "invalid_token", "round {round}");
                    continue;
                }
            };
            let_in += 1;
            let alive = tab.command(json!({ "do": "hint", "hint": { "type": "alive" } })).await;
            assert!(alive.status.is_success(), "round {round}: {}", alive.status);
        }
        assert!(let_in > 0, "round {round}");
    }
}

/// Returns `same_external_id` of `shop`. The list of sites and the site's own page must agree on it.
async fn same_external_id(otto: &Owner, shop: &Site) -> Value {
    let site = otto.get(&format!("sites/{}", shop.id)).await["same_external_id"].clone();
    let lines = otto.get("my-sites").await;
    let line = lines["sites"].as_array().expect("a list").iter().find(|line| line["id"] == shop.id).cloned();
    assert_eq!(line.expect("the site")["same_external_id"], site);
    site
}

async fn behind_a_proxy() -> (World, Owner, Site) {
    let proxy = std::net::IpAddr::from([127, 0, 0, 1]).into();
    let world = World::with(|config| config.trusted_proxies = vec![proxy]).await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    (world, otto, shop)
}

/// The server knows an example's id that was left as it is only where it is the printed one.
#[test]
fn whoever_prints_the_line_to_fill_in_prints_the_id_that_the_server_knows() {
    for file in ["README.md", "web/console/src/routes/(console)/sites/[id]/embed.ts"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(path).expect("the file");
        assert!(text.contains(&format!("externalId: '{SAMPLE_ID}'")), "{file}");
    }
}

/// Addresses of five networks.
const NETWORKS: [&str; 5] = ["192.0.2.1", "192.0.2.2", "198.51.100.7", "203.0.113.9", "2001:db8::1"];

#[tokio::test]
async fn one_visitor_under_the_id_of_the_documentation_is_told_to_the_owner() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    assert_eq!(same_external_id(&otto, &shop).await, Value::Null);
    world.visitor(&shop, "user_12345").await;
    let told = same_external_id(&otto, &shop).await;
    assert_eq!((&told["external_id"], &told["sample"]), (&json!("user_12345"), &json!(true)));
    assert_eq!(told["at"], world.now());
    // Mended: somebody comes under an id of their own.
    world.visitor(&shop, "vera").await;
    assert_eq!(same_external_id(&otto, &shop).await, Value::Null);
    // So is the line that the console prints, if somebody takes the slashes away and fills in nothing.
    let other = otto.site("Studio").await;
    assert_eq!(same_external_id(&otto, &other).await, Value::Null);
    world.visitor(&other, SAMPLE_ID).await;
    assert_eq!(same_external_id(&otto, &other).await["sample"], true);
}

#[tokio::test]
async fn a_constant_id_is_told_once_it_came_from_five_networks_and_survives_a_restart() {
    let (mut world, otto, shop) = behind_a_proxy().await;
    for from in &NETWORKS[..4] {
        world.arrive_by(&shop, named("demo-user"), None, from).await.expect("to be let in");
        // Who only looks around, without an id, says nothing about it.
        let nobody = json!({ "external_id": format!("random-{from}"), "anonymous": true });
        world.arrive_by(&shop, nobody, None, from).await.expect("to be let in");
    }
    assert_eq!(same_external_id(&otto, &shop).await, Value::Null, "four may still be one person");
    world.arrive_by(&shop, named("demo-user"), None, NETWORKS[4]).await.expect("to be let in");
    let told = same_external_id(&otto, &shop).await;
    assert_eq!((&told["external_id"], &told["sample"]), (&json!("demo-user"), &json!(false)));

    world.stop().await;
    world.start().await;
    let otto = Owner { http: world.http().clone(), ..otto };
    assert_eq!(same_external_id(&otto, &shop).await, told);

    for browser in 0..10 {
        let nobody = json!({ "external_id": format!("random-again-{browser}"), "anonymous": true });
        world.arrive_by(&shop, nobody, None, NETWORKS[0]).await.expect("to be let in");
    }
    assert_eq!(same_external_id(&otto, &shop).await, Value::Null, "the line was taken out of the page");
}

#[tokio::test]
async fn one_person_who_tests_is_never_taken_for_all_visitors() {
    let (world, otto, shop) = behind_a_proxy().await;
    // Twenty private windows at home.
    for _ in 0..20 {
        world.arrive_by(&shop, named("otto-tests"), None, "192.0.2.1").await.expect("to be let in");
    }
    assert_eq!(same_external_id(&otto, &shop).await, Value::Null);
    // One browser that travels.
    let laptop = world.arrive_by(&shop, named("traveller"), None, "192.0.2.1").await.expect("to be let in");
    for from in NETWORKS {
        world.arrive_by(&shop, named("traveller"), Some(&laptop.token), from).await.expect("to be let in");
    }
    assert_eq!(same_external_id(&otto, &shop).await, Value::Null);
    // Somebody signed in on five networks, whom the site has signed for.
    let studio = otto.site("Studio").await;
    let secret = secret_of(&otto, &studio).await;
    for from in NETWORKS {
        let vera = signed("vera", &token_for(&world, &secret, "vera"));
        world.arrive_by(&studio, vera, None, from).await.expect("to be let in");
    }
    assert_eq!(same_external_id(&otto, &studio).await, Value::Null);
}
