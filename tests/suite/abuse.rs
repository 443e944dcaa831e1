//! Floods of new visitors: noticed, slowed by work, shown to the owner, cleaned up after.

use hyper::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::chat_api::Poller;
use crate::world::{Answer, Owner, Site, Visitor, World};

async fn guarded() -> World {
    World::with(|config| config.attack_visitors_per_minute = 3).await
}

fn stranger(name: &str) -> Value {
    json!({ "external_id": name, "anonymous": true })
}

/// What a browser does with a refusal that asks for work.
fn worked(refusal: &Answer) -> String {
    let work = &refusal.json()["error"]["work"];
    let (challenge, bits) = (work["challenge"].as_str().expect("a challenge"), work["bits"].as_u64().expect("bits"));
    let done = |answer: &String| {
        let hash: [u8; 32] = Sha256::digest(answer.as_bytes()).into();
        u64::from(u128::from_be_bytes(std::array::from_fn(|i| hash[i])).leading_zeros()) >= bits
    };
    (0_u64..).map(|number| format!("{challenge}:{number}")).find(done).expect("an answer exists")
}

async fn arrive_working(world: &World, site: &Site, name: &str) -> Result<Visitor, Answer> {
    let refusal = match world.arrive(site, stranger(name), None).await {
        Ok(visitor) => return Ok(visitor),
        Err(refusal) => refusal,
    };
    assert_eq!((refusal.status.as_u16(), refusal.code().as_str()), (429, "work_required"));
    let mut fields = stranger(name);
    fields["work"] = worked(&refusal).into();
    world.arrive(site, fields, None).await
}

/// A site on which an attack has begun: three visitors let in without work, and the owner told.
async fn flooded(world: &World, otto: &Owner) -> (Site, Vec<Visitor>) {
    let shop = otto.site("Shop").await;
    let mut console = otto.listen().await;
    console.frame("welcome").await;
    let mut first = Vec::new();
    for name in ["a", "b", "c"] {
        first.push(world.arrive(&shop, stranger(name), None).await.expect("a calm site lets everybody in"));
    }
    assert!(world.arrive(&shop, stranger("d"), None).await.is_err());
    console.event("site_changed").await;
    (shop, first)
}

async fn attack(otto: &Owner, shop: &Site) -> Value {
    otto.get(&format!("sites/{}", shop.id)).await["attack"].clone()
}

async fn clean_up(otto: &Owner, shop: &Site) -> Answer {
    otto.call(Method::POST, &format!("sites/{}/attack/clean-up", shop.id), json!({})).await
}

#[tokio::test]
async fn a_flood_makes_new_visitors_work_and_nobody_else() {
    let world = guarded().await;
    let otto = world.owner("otto").await;
    let (shop, first) = flooded(&world, &otto).await;

    assert_eq!(attack(&otto, &shop).await["ended_at"], Value::Null, "the owner sees it");
    let worker = arrive_working(&world, &shop, "e").await.expect("who works is let in");
    worker.send("w1", "hello").await.ok();
    let back = world.arrive(&shop, stranger("a"), Some(&first[0].token)).await;
    back.expect("who was here before is not asked").send("a1", "hello again").await.ok();
    let elsewhere = otto.site("Elsewhere").await;
    world.arrive(&elsewhere, stranger("f"), None).await.expect("another site is calm");

    let secret = otto.call(Method::POST, &format!("sites/{}/identity-secrets", shop.id), json!({})).await.ok();
    let token = crate::identity::token_for(&world, secret["secret"].as_str().expect("a secret"), "user_1");
    let signed = json!({ "external_id": "user_1", "anonymous": false, "identity_token": token });
    world.arrive(&shop, signed, None).await.expect("a signed visitor is not asked");
}

#[tokio::test]
async fn work_is_for_one_entry_to_one_site_and_in_time() {
    let world = guarded().await;
    let otto = world.owner("otto").await;
    let (shop, _) = flooded(&world, &otto).await;
    let with = |work: &str| json!({ "external_id": "x", "anonymous": true, "work": work });
    let refused = async |site: &Site, work: &str| {
        let answer = world.arrive(site, with(work), None).await.err().expect("a refusal");
        assert_eq!(answer.code(), "work_required");
        answer
    };

    let first = worked(&refused(&shop, "").await);
    world.arrive(&shop, with(&first), None).await.expect("work done");
    let second = worked(&refused(&shop, &first).await);
    world.pass(121);
    let third = worked(&refused(&shop, &second).await);
    let (challenge, _) = third.split_once(':').expect("a number");
    refused(&shop, challenge).await;
    refused(&shop, &third.replacen("14.", "1.", 1)).await;
    refused(&shop, &"9".repeat(10_000)).await;
    world.arrive(&shop, with(&third), None).await.expect("what was refused has spent nothing");
}

#[tokio::test]
async fn clean_up_removes_what_the_flood_left_and_keeps_who_was_answered() {
    let world = guarded().await;
    let otto = world.owner("otto").await;
    let before = otto.site("Before").await;
    let (shop, first) = flooded(&world, &otto).await;
    let elsewhere = world.arrive(&before, stranger("a"), None).await.expect("a calm site");
    elsewhere.send("z1", "another site's").await.ok();
    for (number, visitor) in first.iter().enumerate() {
        visitor.send(&format!("m{number}"), "buy this").await.ok();
    }
    let real = arrive_working(&world, &shop, "real").await.expect("who works is let in");
    real.send("r1", "where is my order?").await.ok();
    let answered = otto.inbox(&format!("site={}", shop.id)).await;
    let answered =
        answered.iter().find(|c| c["last_message"]["text"] == "where is my order?").expect("its conversation");
    let answered = answered["id"].as_i64().expect("a number");
    otto.reply(&shop, answered, "o1", "on its way").await.ok();
    let away = otto.get("conversations?state=all").await["cursor"].as_str().expect("a cursor").to_owned();
    let mut console = otto.listen().await;
    console.frame("welcome").await;
    let mut page = first[0].listen().await;
    page.frame("welcome").await;

    let seen = attack(&otto, &shop).await;
    assert_eq!(seen["conversations"], 3, "{seen}");
    world.index().await;
    assert_eq!(crate::search::search(&otto, "buy").await.len(), 3);
    assert_eq!(clean_up(&otto, &shop).await.ok(), json!({ "conversations": 3 }));

    assert!(crate::search::search(&otto, "buy").await.is_empty());
    assert_eq!(crate::search::indexed(&world).await, 3, "the others and the answer");

    let left = otto.inbox("state=all").await;
    let mut texts: Vec<_> = left.iter().map(|c| c["last_message"]["text"].as_str().expect("a text")).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["another site's", "on its way"]);
    assert_eq!(otto.thread(&shop, answered).await, ["where is my order?", "on its way"]);
    assert_eq!(page.frame("refused").await["code"], "invalid_token", "an open page of theirs is ended");
    assert_eq!(first[1].send("m9", "more").await.code(), "invalid_token");
    console.frame("resync").await;
    otto.listen_from(&away).await.frame("resync").await;
    real.send("r2", "thank you").await.ok();
    assert_eq!(otto.thread(&shop, answered).await.len(), 3, "the conversation goes on");
}

#[tokio::test]
async fn an_attack_that_ended_is_settled_by_the_owner_or_by_a_restart_and_a_clean_up() {
    let mut world = guarded().await;
    let otto = world.owner("otto").await;
    let (shop, first) = flooded(&world, &otto).await;
    first[0].send("m1", "buy this").await.ok();
    let settle = |otto: Owner| async move {
        otto.call(Method::POST, &format!("sites/{}/attack/settle", shop.id), json!({})).await
    };
    assert_eq!(settle(otto.clone()).await.status, 409, "under way");
    world.pass(60);
    world.stop().await;
    world.start().await;
    let body = json!({ "email": "otto@example.org", "password": "correct horse battery" });
    let answer = world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await;
    let otto = Owner::from(world.http().clone(), answer);
    let shown = otto.get("sites").await["sites"][0]["attack"].clone();
    assert_eq!(shown["conversations"], 1, "{shown}");
    settle(otto.clone()).await.ok();
    assert_eq!(otto.get("sites").await["sites"][0]["attack"], Value::Null);
    assert_eq!(otto.inbox("state=all").await.len(), 1, "what came with it stays");
}

#[tokio::test]
async fn clean_up_keeps_what_a_browser_wrote_that_was_here_before() {
    let world = guarded().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let regular = world.visitor(&shop, "user_1").await;
    world.pass(120);
    let flood = world.visitor(&shop, "user_1").await;
    world.visitor(&shop, "user_2").await;
    let mut console = otto.listen().await;
    console.frame("welcome").await;
    assert!(world.arrive(&shop, stranger("d"), None).await.is_err());
    console.event("site_changed").await;
    flood.send("f1", "buy this").await.ok();
    regular.send("r1", "where is my order?").await.ok();
    assert_eq!(clean_up(&otto, &shop).await.ok(), json!({ "conversations": 1 }));
    let left = otto.inbox("state=all").await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["last_message"]["text"], "where is my order?");
    regular.send("r2", "hello?").await.ok();
    assert_eq!(flood.send("f2", "buy that").await.code(), "invalid_token");
}

#[tokio::test]
async fn a_script_goes_on_past_what_a_clean_up_removed() {
    let world = guarded().await;
    let otto = world.owner("otto").await;
    let (shop, first) = flooded(&world, &otto).await;
    first[0].send("m0", "buy this").await.ok();
    let gone = otto.inbox(&format!("site={}", shop.id)).await[0]["id"].as_i64().expect("a number");
    let (mut behind, mut one) = (Poller::new(&shop, ""), Poller::new(&shop, &format!("&conversation_id={gone}")));
    assert_eq!((behind.ask(&world).await, one.ask(&world).await), ((1, false), (1, false)));
    first[1].send("m1", "buy that").await.ok();
    assert_eq!(clean_up(&otto, &shop).await.ok(), json!({ "conversations": 2 }));
    assert_eq!(behind.ask(&world).await, (0, false));
    assert_eq!(one.answer(&world).await.status, 404, "its conversation is gone");
    let real = arrive_working(&world, &shop, "real").await.expect("who works is let in");
    real.send("r1", "where is my order?").await.ok();
    assert_eq!(behind.ask(&world).await, (1, false));
    assert_eq!(behind.received, ["buy this", "where is my order?"]);
}
