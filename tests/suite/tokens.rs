//! How long a visitor's token lives: it is replaced when it is old, and ends however it is used; nobody loses a thread by it.

use serde_json::{Value, json};

use crate::world::{Site, Visitor, World};

const DAY: i64 = 86_400;
const MINUTE: i64 = 60;

async fn again(world: &World, site: &Site, token: &str) -> Visitor {
    let who = json!({ "external_id": "vera", "anonymous": false });
    world.arrive(site, who, Some(token)).await.expect("to be let in")
}

#[tokio::test]
async fn an_old_token_is_replaced_and_the_thread_goes_on() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "the first day").await.ok();

    world.pass(27 * DAY);
    let back = again(&world, &shop, &vera.token).await;
    assert_eq!((&back.state["token"], back.texts()), (&Value::Null, vec!["the first day".to_owned()]));
    world.pass(2 * DAY);
    let new = again(&world, &shop, &vera.token).await;
    assert_ne!(new.token, vera.token);
    assert_eq!(new.texts(), ["the first day"]);
    new.send("v2", "four weeks later").await.ok();
    vera.send("v3", "from a tab that still holds the old one").await.ok();

    // The new one is shown: from now on the old one has minutes.
    let mut tab = vera.listen_from(new.state["cursor"].as_str().expect("a cursor")).await;
    tab.frame("welcome").await;
    assert_eq!(again(&world, &shop, &new.token).await.texts().len(), 3);
    vera.send("v4", "still").await.ok();
    world.pass(11 * MINUTE);
    assert_eq!(vera.send("v5", "no more").await.code(), "invalid_token");
    assert_eq!(world.end_expired_tokens().await, 1);
    assert_eq!(tab.frame("refused").await["code"], "invalid_token", "and what was open under it is closed");
    new.send("v6", "goes on").await.ok();
}

#[tokio::test]
async fn an_answer_that_got_lost_loses_no_thread() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "hello").await.ok();
    world.pass(30 * DAY);
    // Whatever she is answered does not reach her, again and again.
    let mut given = Vec::new();
    for _ in 0..10 {
        given.extend(again(&world, &shop, &vera.token).await.state["token"].as_str().map(str::to_owned));
    }
    assert_eq!(given.len(), 3, "not any number of tokens is made");
    world.pass(100 * DAY);
    let back = again(&world, &shop, &vera.token).await;
    assert_eq!(back.texts(), ["hello"]);
    assert_eq!(again(&world, &shop, &given[0]).await.texts(), ["hello"]);
}

#[tokio::test]
async fn a_token_that_is_never_renewed_ends_however_much_it_is_used() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    let thief = world.visitor(&shop, "vera").await;
    thief.send("t0", "hello").await.ok();
    let mut days = 0;
    while thief.send(&format!("t{days}"), "hello").await.status.is_success() {
        world.pass(10 * DAY);
        days += 10;
        // Also when it arrives with it again and again, and never with what it is given.
        let who = json!({ "external_id": "vera", "anonymous": false });
        drop(world.arrive(&shop, who, Some(&thief.token)).await);
        assert!(days <= 210, "a token has an end");
    }
    assert!(days >= 180, "it ended after {days} days");
}

#[tokio::test]
async fn a_token_that_is_used_within_its_time_gets_more_also_while_the_server_runs() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "hello").await.ok();
    world.pass(20 * DAY);
    again(&world, &shop, &vera.token).await;
    world.pass(170 * DAY);
    vera.send("v2", "190 days old, and 170 after the last visit").await.ok();
    world.pass(11 * DAY);
    assert_eq!(vera.send("v3", "too late").await.code(), "invalid_token");
}

#[tokio::test]
async fn a_token_in_hand_is_no_way_around_the_limits_of_new_visitors() {
    let world = World::with(|config| config.new_visitors_per_hour = 5).await;
    let shop = world.owner("otto").await.site("Shop").await;
    let mallory = world.visitor(&shop, "m0").await;
    for n in 1..5 {
        let who = json!({ "external_id": format!("m{n}"), "anonymous": false });
        world.arrive(&shop, who, Some(&mallory.token)).await.expect("within the limit");
    }
    let who = json!({ "external_id": "m5", "anonymous": false });
    let refused = world.arrive(&shop, who, Some(&mallory.token)).await.err().expect("a refusal");
    assert_eq!(refused.code(), "too_many_requests");
    let who = json!({ "external_id": "m0", "anonymous": false });
    world.arrive(&shop, who, Some(&mallory.token)).await.expect("whoever is known is not counted");
}
