//! Writing and answering.

use hyper::Method;
use serde_json::json;

use crate::world::{World, texts};

#[tokio::test]
async fn vera_writes_otto_answers_vera_sees_it() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let mut console = otto.listen().await;
    let vera = world.visitor(&shop, "vera").await;
    let mut page = vera.listen().await;

    let sent = vera.send("v1", "Do you ship to Norway?").await.ok();
    assert_eq!(sent["message"]["seq"], 1);
    let heard = console.event("message_sent").await;
    assert_eq!(heard["message"]["text"], "Do you ship to Norway?");
    assert_eq!(heard["message"]["from"], "visitor");

    let conversation = heard["message"]["conversation_id"].as_i64().expect("a number");
    otto.reply(&shop, conversation, "o1", "Yes, in three days.").await.ok();
    assert_eq!(page.messages(2).await, ["Do you ship to Norway?", "Yes, in three days."]);
    assert_eq!(otto.thread(&shop, conversation).await, ["Do you ship to Norway?", "Yes, in three days."]);
}

#[tokio::test]
async fn a_message_sent_twice_is_stored_once() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;

    let first = vera.send("v1", "Hello").await.ok();
    let again = vera.send("v1", "Hello").await.ok();
    assert_eq!(first, again);
    let other = vera.send("v1", "Goodbye").await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (409, "conflict"));
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    assert_eq!(otto.thread(&shop, conversation).await, ["Hello"]);
}

#[tokio::test]
async fn many_at_once_are_numbered_without_gap_and_one_conversation_is_opened() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(
        &shop,
        json!({ "limits": { "messages_per_minute": 600, "api_per_minute": 60, "image_bytes": 1000000 } }),
    )
    .await;
    let vera = world.visitor(&shop, "vera").await;

    let sends = (0..100).map(|i| {
        let vera = &vera;
        // Each twice, at the same time: as from two tabs that share an outbox.
        async move {
            let (id, text) = (format!("v{i}"), format!("message {i}"));
            let (a, b) = tokio::join!(vera.send(&id, &text), vera.send(&id, &text));
            assert_eq!(a.ok(), b.ok());
        }
    });
    futures_util::future::join_all(sends).await;
    let inbox = otto.inbox("state=all").await;
    assert_eq!(inbox.len(), 1);
    assert_eq!((inbox[0]["last_seq"].as_i64(), inbox[0]["unread"].as_i64()), (Some(100), Some(100)));
    let thread = otto.get(&format!("sites/{}/conversations/{}?limit=200", shop.id, inbox[0]["id"])).await;
    let numbers: Vec<i64> =
        thread["messages"].as_array().expect("a list").iter().filter_map(|m| m["seq"].as_i64()).collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_message_over_the_limit_is_refused_and_the_next_minute_takes_it() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(
        &shop,
        json!({ "limits": { "messages_per_minute": 2, "api_per_minute": 60, "image_bytes": 1000000 } }),
    )
    .await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "one").await.ok();
    vera.send("v2", "two").await.ok();
    let third = vera.send("v3", "three").await;
    assert_eq!((third.status.as_u16(), third.code().as_str()), (429, "sending_too_frequently"));
    let body = third.json();
    assert_eq!(body["error"]["message"], "sending too frequently");
    assert!((1..=60).contains(&body["error"]["retry_after_s"].as_i64().expect("seconds")));
    assert_eq!(third.headers["retry-after"], body["error"]["retry_after_s"].to_string());
    // Another visitor is counted apart.
    world.visitor(&shop, "wim").await.send("w1", "hello").await.ok();
}

#[tokio::test]
async fn text_stays_text_and_bad_text_is_refused() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let markup = "<b>bold</b> & <script>alert(1)</script>\nsecond line\u{0}";
    let sent = vera.send("v1", markup).await.ok();
    assert_eq!(sent["message"]["text"], "<b>bold</b> & <script>alert(1)</script>\nsecond line");
    for nothing in [" \n ", "\u{200b}\u{200d}", "\u{e0041}\u{2060}", "\0"] {
        assert_eq!(vera.send("v2", nothing).await.code(), "empty_message", "{nothing:?}");
    }
    assert_eq!(vera.send("v3", &"a".repeat(4_001)).await.code(), "text_too_long");
    vera.send("v4", &"é".repeat(4_000)).await.ok();
    assert_eq!(vera.send("no spaces allowed", "x").await.code(), "invalid_request");
    let unknown = vera.command(json!({ "do": "send", "client_id": "v5", "text": "x", "seq": 9 })).await;
    assert_eq!((unknown.status.as_u16(), unknown.code().as_str()), (400, "invalid_request"));
    assert_eq!(
        vera.command(json!({ "do": "send", "client_id": { "a": 1 }, "text": "x" })).await.code(),
        "invalid_request"
    );
}

#[tokio::test]
async fn history_comes_in_pages_without_a_gap() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(
        &shop,
        json!({ "limits": { "messages_per_minute": 600, "api_per_minute": 60, "image_bytes": 1000000 } }),
    )
    .await;
    let vera = world.visitor(&shop, "vera").await;
    for i in 1..=120 {
        vera.send(&format!("v{i}"), &format!("{i}")).await.ok();
    }
    let token = vera.token.clone();
    let back = world
        .arrive(&shop, json!({ "external_id": "vera", "anonymous": false }), Some(&token))
        .await
        .expect("to be let in");
    let mut all = back.texts();
    let mut oldest = back.state["messages"][0].clone();
    let mut more = back.state["more"].as_bool().expect("a flag");
    while more {
        let before = json!({ "conversation": oldest["conversation"], "seq": oldest["seq"] });
        let page = back.command(json!({ "do": "history", "before": before })).await.ok();
        let mut older = texts(&page["messages"]);
        older.extend(all);
        all = older;
        oldest = page["messages"][0].clone();
        more = page["more"].as_bool().expect("a flag");
    }
    assert_eq!(all, (1..=120).map(|i| i.to_string()).collect::<Vec<_>>());
}

/// The writer remembers conversations from one message to the next; whatever happens to them in between must count.
#[tokio::test]
async fn what_happens_between_two_messages_counts_for_the_next() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let mut console = otto.listen().await;
    let vera = world.arrive(&shop, json!({ "external_id": "a-browser", "anonymous": true }), None).await;
    let vera = vera.unwrap_or_else(|answer| panic!("{answer:?}"));
    let first = vera.send("v1", "one").await.ok();
    vera.send("v2", "two").await.ok();
    let id = otto.inbox("").await[0]["id"].as_i64().expect("a number");

    console.say(json!({ "type": "seen", "site_id": shop.id, "conversation_id": id, "seq": 2 })).await;
    console.event("seen").await;
    vera.send("v3", "three").await.ok();
    assert_eq!(otto.inbox("").await[0]["unread"], 1, "two of three were seen");

    otto.call(Method::POST, &format!("sites/{}/conversations/{id}/close", shop.id), json!({})).await.ok();
    assert_eq!(console.event("conversation_changed").await["conversation"]["state"], "closed");
    vera.send("v4", "four").await.ok();
    assert_eq!(console.event("conversation_changed").await["conversation"]["state"], "open");

    assert_eq!(vera.send("v1", "one").await.ok(), first, "a retry is known as one");
    assert_eq!(vera.send("v1", "another").await.code(), "conflict");

    let named = world.arrive(&shop, json!({ "external_id": "vera", "anonymous": false }), Some(&vera.token)).await;
    let named = named.unwrap_or_else(|answer| panic!("{answer:?}"));
    let fifth = named.send("v5", "five").await.ok();
    assert_eq!((&fifth["message"]["seq"], vera.send("v6", "six").await.status.as_u16()), (&json!(5), 401));
    otto.reply(&shop, id, "o1", "six").await.ok();
    assert_eq!(otto.thread(&shop, id).await, ["one", "two", "three", "four", "five", "six"]);
    assert_eq!(otto.inbox("").await.len(), 1);
}
