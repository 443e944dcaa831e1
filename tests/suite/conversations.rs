//! Closing, reopening, ticks and unread counts.

use hyper::Method;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_closed_conversation_opens_again_when_either_side_writes() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "Hello").await.ok();
    let id = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let close = format!("sites/{}/conversations/{id}/close", shop.id);

    assert_eq!(otto.call(Method::POST, &close, json!({})).await.ok()["state"], "closed");
    assert_eq!(otto.call(Method::POST, &close, json!({})).await.code(), "conflict");
    assert!(otto.inbox("state=open").await.is_empty());
    vera.send("v2", "One more thing").await.ok();
    assert_eq!(otto.inbox("state=open").await[0]["id"], id);

    otto.call(Method::POST, &close, json!({})).await.ok();
    otto.reply(&shop, id, "o1", "Here is the answer").await.ok();
    let inbox = otto.inbox("state=open").await;
    assert_eq!((inbox.len(), inbox[0]["id"].as_i64()), (1, Some(id)));
}

#[tokio::test]
async fn ticks_follow_what_the_other_side_really_had_on_screen() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let mut page = vera.listen().await;
    let mut console = otto.listen().await;
    vera.send("v1", "Hello").await.ok();
    let heard = console.event("message_sent").await;
    let (site_id, conversation_id) = (heard["message"]["site_id"].clone(), heard["message"]["conversation_id"].clone());

    console.say(json!({ "type": "delivered", "site_id": site_id, "conversation_id": conversation_id, "seq": 1 })).await;
    let delivered = page.event("delivered").await;
    assert_eq!((&delivered["by"], &delivered["seq"]), (&json!("agent"), &json!(1)));
    assert_eq!(otto.inbox("unread=true").await.len(), 1, "delivered is not seen");

    // A mark beyond the last message counts up to the last message only.
    console.say(json!({ "type": "seen", "site_id": site_id, "conversation_id": conversation_id, "seq": 99 })).await;
    let seen = page.event("seen").await;
    assert_eq!((&seen["by"], &seen["seq"]), (&json!("agent"), &json!(1)));
    assert!(otto.inbox("unread=true").await.is_empty());

    otto.reply(&shop, conversation_id.as_i64().expect("a number"), "o1", "Hi").await.ok();
    let answer = page.event("message_sent").await;
    page.say(json!({ "type": "seen", "conversation": answer["message"]["conversation"], "seq": 2 })).await;
    let seen = console.event("seen").await;
    let seen = if seen["by"] == "visitor" { seen } else { console.event("seen").await };
    assert_eq!((&seen["by"], &seen["seq"]), (&json!("visitor"), &json!(2)));
}

#[tokio::test]
async fn the_inbox_comes_in_pages_and_by_site() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, blog) = (otto.site("Shop").await, otto.site("Blog").await);
    for i in 0..7 {
        let site = if i % 2 == 0 { &shop } else { &blog };
        world.visitor(site, &format!("visitor {i}")).await.send("v", &format!("hello {i}")).await.ok();
        world.pass(1);
    }
    let mut names = Vec::new();
    let mut before = String::new();
    loop {
        let page = otto.get(&format!("conversations?state=all&limit=3{before}")).await;
        assert_eq!(page["counts"], json!({ "open": 7, "unread": 7 }));
        names.extend(
            page["conversations"].as_array().expect("a list").iter().map(|c| c["last_message"]["text"].clone()),
        );
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(names, (0..7).rev().map(|i| json!(format!("hello {i}"))).collect::<Vec<_>>());
    assert_eq!(otto.inbox(&format!("site={}", blog.id)).await.len(), 3);
}

#[tokio::test]
async fn typing_and_presence_are_told_and_not_stored() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "Hello").await.ok();
    let mut console = otto.listen().await;
    console.frame("welcome").await;
    let mut page = vera.listen().await;
    assert_eq!(console.signal("presence").await["online"], true);
    assert_eq!(otto.inbox("").await[0]["visitor"]["online"], true);
    page.say(json!({ "type": "typing" })).await;
    let typing = console.signal("typing").await;
    let typing_back =
        json!({ "type": "typing", "site_id": typing["site_id"], "conversation_id": typing["conversation_id"] });
    console.say(typing_back).await;
    assert_eq!(page.signal("typing").await["name"], "otto");
    drop(page);
    assert_eq!(console.signal("presence").await["online"], false);
}
