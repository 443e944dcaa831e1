//! Finding messages by their words.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::world::{Owner, Site, World};

/// What a search found: the lines, with brackets around the words.
fn lines(found: &Value) -> Vec<String> {
    let piece = |piece: &Value| {
        let text = piece["text"].as_str().expect("a text");
        if piece["found"] == true { format!("[{text}]") } else { text.to_owned() }
    };
    let messages = found["messages"].as_array().expect("a list");
    messages.iter().map(|message| message["line"].as_array().expect("pieces").iter().map(piece).collect()).collect()
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub async fn search(owner: &Owner, words: &str) -> Vec<String> {
    let found = owner.get(&format!("search?q={}", encoded(words))).await;
    assert_eq!(found["next"], Value::Null, "all was looked at");
    lines(&found)
}

/// All pages of a search, one after the other.
async fn by_pages(owner: &Owner, words: &str, limit: u32) -> Vec<String> {
    let first = format!("search?q={words}&limit={limit}");
    let (mut all, mut page) = (Vec::new(), first.clone());
    loop {
        let found = owner.get(&page).await;
        all.extend(lines(&found));
        let Some(next) = found["next"].as_str() else { return all };
        page = format!("{first}&before={next}");
    }
}

async fn say(world: &World, site: &Site, who: &str, texts: &[&str]) {
    let visitor = world.visitor(site, who).await;
    for (n, text) in texts.iter().enumerate() {
        visitor.send(&format!("m{n}"), text).await.ok();
    }
}

fn count(world: &World, sql: &str) -> i64 {
    let conn = Connection::open(world.data().join("ocs.db")).expect("a connection");
    conn.query_row(sql, [], |row| row.get(0)).expect("a count")
}

/// How many messages are in the index.
pub async fn indexed(world: &World) -> i64 {
    count(world, "SELECT COUNT(*) FROM message_terms")
}

/// How many stretches of messages are said to have the word "secret" of the first workspace.
pub async fn stretches_with_secret(world: &World) -> i64 {
    count(world, "SELECT COUNT(*) FROM stretch_terms WHERE stretch_terms MATCH '\"2o0wsecret\"'")
}

/// Changes the database as no server would, and starts again.
async fn after_a_change(world: &mut World, sql: &'static str) {
    world.stop().await;
    let conn = Connection::open(world.data().join("ocs.db")).expect("a connection");
    conn.execute_batch(sql).expect("a change");
    conn.close().expect("closes");
    world.start().await;
}

/// The same stories are told twice: of messages that were just sent, and of messages in the index.
async fn each_way(world: &World, tell: impl AsyncFn()) {
    tell().await;
    world.index().await;
    tell().await;
}

#[tokio::test]
async fn otto_finds_what_vera_wrote_and_opens_it_there() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, blog) = (otto.site("Shop").await, otto.site("Blog").await);
    say(&world, &shop, "vera", &["Good morning", "Where is my ORDER, please?", "The order of last week"]).await;
    say(&world, &blog, "wim", &["May I reorder your article?", "An order is an order"]).await;
    let conversation = otto.inbox(&format!("site={}", shop.id)).await[0]["id"].as_i64().expect("a number");
    otto.reply(&shop, conversation, "o1", "Your order left today").await.ok();

    each_way(&world, async || {
        let all = ["Your [order] left today", "An [order] is an [order]", "The [order] of last week"];
        let all: Vec<&str> = all.into_iter().chain(["Where is my [ORDER], please?"]).collect();
        assert_eq!(search(&otto, "order").await, all);
        assert_eq!(search(&otto, "ord").await, all, "a beginning");
        assert_eq!(search(&otto, "  week,   orde").await, ["The [order] of last [week]"]);
        assert!(search(&otto, "ord week").await.is_empty(), "only the last word may be a beginning");
        assert!(search(&otto, "rder").await.is_empty());
        assert!(search(&otto, "order cancelled").await.is_empty());

        let on_blog = otto.get(&format!("search?q=order&site={}", blog.id)).await;
        assert_eq!(lines(&on_blog), ["An [order] is an [order]"]);
        let found = otto.get("search?q=please").await;
        let message = &found["messages"][0];
        assert_eq!(message["site_id"], shop.id);
        assert_eq!((&message["conversation_id"], &message["seq"]), (&json!(conversation), &json!(2)));
        assert_eq!((&message["from"], &message["visitor"]["external_id"]), (&json!("visitor"), &json!("vera")));
        assert_eq!(found["indexing"], false);
        let by_otto = otto.get("search?q=today").await;
        assert_eq!(
            (&by_otto["messages"][0]["from"], &by_otto["messages"][0]["name"]),
            (&json!("agent"), &json!("otto"))
        );
    })
    .await;
}

#[tokio::test]
async fn words_are_found_in_every_script_and_however_they_were_typed() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let texts = [
        "Crème brûlée für STRASSBURG",
        "请问退货政策是什么",
        "ガラスの靴はありますか",
        "배송은 언제 되나요",
        "Где мой заказ?",
    ];
    say(&world, &shop, "vera", &texts).await;
    each_way(&world, async || {
        assert_eq!(search(&otto, "creme BRULEE").await, ["[Crème] [brûlée] für STRASSBURG"]);
        assert_eq!(search(&otto, "Cre\u{300}me").await, ["[Crème] brûlée für STRASSBURG"]);
        assert_eq!(search(&otto, "fur straß").await, ["Crème brûlée [für] [STRASSBURG]"]);
        assert_eq!(search(&otto, "退货").await, ["请问[退货]政策是什么"]);
        assert_eq!(search(&otto, "策").await, ["请问退货政[策]是什么"]);
        assert_eq!(search(&otto, "么").await, ["请问退货政策是什[么]"]);
        assert!(search(&otto, "货退").await.is_empty());
        assert!(search(&otto, "退政").await.is_empty(), "no neighbours");
        assert_eq!(search(&otto, "ｶﾞﾗｽ").await, ["[ガラス]の靴はありますか"]);
        assert_eq!(search(&otto, "배송").await, ["[배송]은 언제 되나요"]);
        assert_eq!(search(&otto, "ЗАКАЗ").await, ["Где мой [заказ]?"]);
    })
    .await;
}

#[tokio::test]
async fn mallory_finds_nothing_of_ottos() {
    let world = World::new().await;
    let (otto, mallory) = (world.owner("otto").await, world.owner("mallory").await);
    let (shop, elsewhere) = (otto.site("Shop").await, mallory.site("Elsewhere").await);
    say(&world, &shop, "vera", &["a secret order"]).await;
    say(&world, &elsewhere, "vera", &["an order for mallory"]).await;
    each_way(&world, async || {
        assert_eq!(search(&mallory, "order").await, ["an [order] for mallory"]);
        for words in ["secret", "s", "a secret order"] {
            assert!(search(&mallory, words).await.is_empty(), "{words}");
        }
        // As the terms of the index look inside.
        for words in ["1o0wsecret", "1o0w", "o0wsecret", "\"1o0wsecret\"", &format!("1o0s{}", shop.id)] {
            assert!(search(&mallory, words).await.is_empty(), "{words}");
        }
        let foreign = mallory.call(hyper::Method::GET, &format!("search?q=secret&site={}", shop.id), json!({})).await;
        let missing = mallory.call(hyper::Method::GET, "search?q=secret&site=999999", json!({})).await;
        assert_eq!((foreign.status, &foreign.bytes), (missing.status, &missing.bytes));
        assert_eq!(foreign.status, 404);
        assert_eq!(search(&otto, "order").await, ["a secret [order]"]);
    })
    .await;
}

#[tokio::test]
async fn signs_do_no_harm_and_what_is_too_much_is_refused() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    say(&world, &shop, "vera", &["NOT an order OR (two) AND \"three\" * near terms:a"]).await;
    each_way(&world, async || {
        for words in
            ["not", "or", "OR (two", "\"three\"", "three*", "terms:a", "near", "-order", "^not", "order;--", "'or'"]
        {
            assert_eq!(search(&otto, words).await.len(), 1, "{words}");
        }
        for words in
            ["", " ", "\"", "*", "\"\"*", "()", "💥", "NEAR(order apple)", "order NOT three four", "\0", "%", "{}"]
        {
            assert!(search(&otto, words).await.is_empty(), "{words}");
        }
        let refused = async |query: &str| {
            let answer = otto.call(hyper::Method::GET, &format!("search?{query}"), json!({})).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_request"), "{query}");
        };
        refused(&format!("q={}", "a".repeat(201))).await;
        for query in ["", "q=a&limit=0", "q=a&limit=101", "q=a&before=x", "q=a&before=0", "q=a&page=2", "q=a&site=x"] {
            refused(query).await;
        }
        assert!(search(&otto, &"退".repeat(200)).await.is_empty());
        assert!(search(&otto, &"q ".repeat(100)).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn pages_go_back_in_time_without_a_gap_over_what_is_indexed_and_what_is_not() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    for n in 0..15 {
        if n == 10 {
            assert_eq!(world.index().await, 10);
        }
        vera.send(&format!("m{n}"), &format!("order {n}")).await.ok();
    }
    assert_eq!(by_pages(&otto, "order", 4).await, (0..15).rev().map(|n| format!("[order] {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_deleted_is_not_found() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, blog) = (otto.site("Shop").await, otto.site("Blog").await);
    say(&world, &shop, "vera", &["an order in the shop"]).await;
    say(&world, &blog, "vera", &["an order at the blog"]).await;
    world.index().await;
    say(&world, &shop, "wim", &["an order of today"]).await;
    assert_eq!(search(&otto, "order").await.len(), 3);
    assert_eq!(indexed(&world).await, 2);
    otto.call(hyper::Method::DELETE, &format!("sites/{}", shop.id), json!({})).await.ok();
    assert_eq!(search(&otto, "order").await, ["an [order] at the blog"]);
    world.purge().await;
    assert_eq!(indexed(&world).await, 1, "it is gone from the index with the site");
    world.index().await;
    assert_eq!(indexed(&world).await, 1, "and does not come back");
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    say(&world, &shop, "vera", &["the first order"]).await;
    world.index().await;
    say(&world, &shop, "wim", &["the second order"]).await;
    world.stop().await;
    world.start().await;
    let otto = world.owner_again("otto").await;
    assert_eq!(search(&otto, "order").await, ["the second [order]", "the first [order]"]);
    say(&world, &shop, "zoe", &["the third order"]).await;
    world.index().await;
    assert_eq!(search(&otto, "order").await, ["the third [order]", "the second [order]", "the first [order]"]);
}

/// What is enough for a batch is indexed by the server's own chore; what is not is found all the same.
#[tokio::test]
async fn messages_are_indexed_behind_the_chat_and_found_meanwhile() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(
        &shop,
        json!({ "limits": { "messages_per_minute": 600, "api_per_minute": 60, "image_bytes": 1000000 } }),
    )
    .await;
    let vera = world.visitor(&shop, "vera").await;
    let send = async |n: usize| vera.send(&format!("m{n}"), &format!("order o{n}")).await.ok();
    futures_util::future::join_all((0..500).map(send)).await;
    assert_eq!(search(&otto, "o499").await, ["order [o499]"]);
    let by_itself = async {
        while indexed(&world).await < 500 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), by_itself).await.expect("an index in time");
    vera.send("last", "order o500").await.ok();
    for n in [0, 250, 499, 500] {
        assert_eq!(search(&otto, &format!("o{n} orde")).await, [format!("[order] [o{n}]")]);
    }
    assert_eq!(otto.get("search?q=order&limit=100").await["messages"].as_array().expect("a list").len(), 100);
}

/// The index is looked through a span of numbers at a time; here one is as good as empty and another quite empty.
#[tokio::test]
async fn a_search_goes_back_over_spans_in_which_little_or_nothing_was_said() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    say(&world, &shop, "vera", &["order one", "order two"]).await;
    after_a_change(&mut world, "UPDATE id_blocks SET next = 131072 WHERE kind = 'message'").await;
    say(&world, &shop, "wim", &["order three"]).await;
    after_a_change(&mut world, "UPDATE id_blocks SET next = 500000 WHERE kind = 'message'").await;
    say(&world, &shop, "zoe", &["order four"]).await;
    world.index().await;
    let otto = world.owner_again("otto").await;
    let all = ["[order] four", "[order] three", "[order] two", "[order] one"];
    assert_eq!(search(&otto, "ord").await, all);
    assert_eq!(search(&otto, "two ord").await, ["[order] [two]"]);
    assert_eq!(by_pages(&otto, "order", 1).await, all);
}

/// A hundred million numbers are six thousand spans, more than are asked one by one within the time of a page.
#[tokio::test]
async fn what_is_rare_is_found_in_one_page_however_far_back_it_was_said() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    say(&world, &shop, "vera", &["the order that was never seen again", "another order"]).await;
    after_a_change(&mut world, "UPDATE id_blocks SET next = 100000000 WHERE kind = 'message'").await;
    say(&world, &shop, "wim", &["an order of today"]).await;
    world.index().await;
    let otto = world.owner_again("otto").await;
    assert_eq!(search(&otto, "order nev").await, ["the [order] that was [never] seen again"]);
    assert_eq!(search(&otto, "seen n").await, ["the order that was [never] [seen] again"]);
    assert!(search(&otto, "order zebra").await.is_empty());
    assert_eq!(lines(&otto.get(&format!("search?q=never&site={}", shop.id)).await).len(), 1);
}

#[tokio::test]
async fn what_is_deleted_leaves_nothing_in_the_stretches_and_hides_nothing_else_there() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, blog) = (otto.site("Shop").await, otto.site("Blog").await);
    say(&world, &shop, "vera", &["a secret order"]).await;
    say(&world, &blog, "vera", &["an order at the blog"]).await;
    after_a_change(&mut world, "UPDATE id_blocks SET next = 1000000 WHERE kind = 'message'").await;
    say(&world, &blog, "wim", &["good morning"]).await;
    world.index().await;
    assert_eq!(stretches_with_secret(&world).await, 1);
    let otto = world.owner_again("otto").await;
    otto.call(hyper::Method::DELETE, &format!("sites/{}", shop.id), json!({})).await.ok();
    world.purge().await;
    assert_eq!(stretches_with_secret(&world).await, 0, "gone with the site");
    for _ in ["before the stretch is read again", "after it"] {
        assert_eq!(search(&otto, "order").await, ["an [order] at the blog"]);
        world.index().await;
    }
    assert_eq!(stretches_with_secret(&world).await, 0, "and does not come back");
}

/// The index of messages is older than the one of stretches.
#[tokio::test]
async fn a_database_without_stretches_is_searched_all_the_same_and_gets_them() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    say(&world, &shop, "vera", &["a secret order"]).await;
    after_a_change(&mut world, "UPDATE id_blocks SET next = 1000000 WHERE kind = 'message'").await;
    say(&world, &shop, "wim", &["good morning"]).await;
    world.index().await;
    let before = "DELETE FROM stretch_terms; UPDATE instance SET value = '0' WHERE name = 'last_stretched_message'";
    after_a_change(&mut world, before).await;
    let otto = world.owner_again("otto").await;
    assert_eq!(search(&otto, "secret").await, ["a [secret] order"]);
    world.index().await;
    assert_eq!(stretches_with_secret(&world).await, 1);
    assert_eq!(search(&otto, "secret").await, ["a [secret] order"]);
}
