//! Scripts that read and answer through the compatible API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::{Value, json};

use crate::images::png;
use crate::world::{Owner, Site, World};

async fn opened(world: &World) -> (Owner, Site, i64) {
    let otto = world.owner("otto").await;
    let site = otto.site("Shop").await;
    let vera = world.visitor(&site, "vera").await;
    vera.send("v1", "Do you ship to Norway?").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    (otto, site, conversation)
}

async fn recent(world: &World, site: &Site, more: &str) -> Vec<Value> {
    let path = format!("/api/chat_api.php?action=get_recent_messages&key={}{more}", site.chat_key);
    world.http().get(&path).await.ok()["data"].as_array().expect("a list").clone()
}

fn reply_at(site: &Site) -> String {
    format!("/api/chat_api.php?action=reply_as_agent&key={}", site.chat_key)
}

#[tokio::test]
async fn a_script_answers_and_the_visitor_sees_it_live() {
    let world = World::new().await;
    let (_, site, conversation) = opened(&world).await;
    let vera = world.visitor(&site, "vera").await;
    let nina = world.visitor(&site, "nina").await;
    nina.send("n1", "Hello").await.ok();
    let mut page = nina.listen().await;
    let all = recent(&world, &site, "").await;
    let to_nina = all[1]["conversation_id"].as_str().expect("text").to_owned();
    assert_eq!(all[0]["conversation_id"], conversation.to_string());

    let body = json!({ "conversation_id": to_nina, "content": "Hi Nina", "agent_name": "Agent Wang" });
    let answer = world.http().json(Method::POST, &reply_at(&site), &[], &body).await;
    assert_eq!(answer.bytes, r#"{"success":true}"#);
    page.event("message_sent").await;
    let heard = page.event("message_sent").await;
    assert_eq!((&heard["message"]["text"], &heard["message"]["name"]), (&json!("Hi Nina"), &json!("Agent Wang")));
    assert!(!vera.texts().contains(&"Hi Nina".to_owned()));
}

#[tokio::test]
async fn forms_and_mislabelled_bodies_are_read() {
    let world = World::new().await;
    let (otto, site, conversation) = opened(&world).await;
    let form = "application/x-www-form-urlencoded";
    let sent = [
        (Some(form), format!("conversation_id={conversation}&content=one+%C3%A4&agent_name=Ann")),
        (Some(form), json!({ "conversation_id": conversation, "content": "two" }).to_string()),
        (None, json!({ "conversation_id": conversation.to_string(), "content": "three" }).to_string()),
        (Some("text/plain"), format!("conversation_id={conversation}&content=four")),
    ];
    for (kind, body) in sent {
        let headers: Vec<_> = kind.iter().map(|kind| ("content-type", *kind)).collect();
        world.http().send(Method::POST, &reply_at(&site), &headers, body).await.ok();
    }
    assert_eq!(otto.thread(&site, conversation).await[1..], ["one ä", "two", "three", "four"]);
    let names: Vec<_> = otto.get(&format!("sites/{}/conversations/{conversation}", site.id)).await["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|message| message["name"].clone())
        .collect();
    assert_eq!(names[1..3], [json!("Ann"), json!("Agent")], "the documented default");
}

#[tokio::test]
async fn broken_forms_are_refused_and_harm_nobody() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(
        &shop,
        json!({ "limits": { "messages_per_minute": 20, "api_per_minute": 1000, "image_bytes": 65536 } }),
    )
    .await;
    world.visitor(&shop, "vera").await.send("v1", "Hello").await.ok();
    let id = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let post = async |kind: &str, body: Vec<u8>| {
        world.http().send(Method::POST, &reply_at(&shop), &[("content-type", kind)], body).await
    };
    let form = "application/x-www-form-urlencoded";
    let many = format!("conversation_id={id}{}", "&content=x".repeat(999));
    let too_many = format!("conversation_id={id}{}", "&content=x".repeat(1_000));
    let part = "--x\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nx\r\n";
    let too_many_parts = format!("{}--x--", part.repeat(1_001));
    for (body, status) in [
        (format!("conversation_id={id}"), 400),
        (format!("conversation_id={id}&content="), 400),
        (format!("conversation_id={id}&content=%00%01"), 400),
        (format!("conversation_id={id}&&&&content"), 400),
        (format!("conversation_id[]={id}&content=x"), 400),
        (format!("conversation_id={id}&content[]=x"), 400),
        (format!("conversation_id={id};content=x"), 400),
        ("=&=&=".into(), 400),
        ("&".repeat(60_000), 400),
        ("%".repeat(60_000), 400),
        ("conversation_id=-1&content=x".into(), 404),
        ("conversation_id=1e3&content=x".into(), 400),
        ("conversation_id=9223372036854775808&content=x".into(), 404),
        (format!("conversation_id={id}&content=x&image_base64=%ZZ"), 400),
        // Of a repeated name the last one counts, as in PHP.
        (many, 200),
        (format!("conversation_id={id}&content=unknown+fields&site_id=1"), 200),
        // What cannot be decoded stands for itself.
        (format!("conversation_id={id}&content=100%"), 200),
        (format!("conversation_id={id}&content=%zz%4"), 200),
    ] {
        let answer = post(form, body.clone().into_bytes()).await;
        assert_eq!(answer.status, status, "{:.60}: {}", body, String::from_utf8_lossy(&answer.bytes));
        assert_eq!(answer.json()["success"], status == 200, "{:.60}", body);
    }
    let bad_utf8 = [format!("conversation_id={id}&content=").as_bytes(), b"\xff\xfe caf\xc3"].concat();
    assert_eq!(post(form, bad_utf8).await.status, 200);
    let multipart = format!("--x\r\nContent-Disposition: form-data; name=\"conversation_id\"\r\n\r\n{id}\r\n--x--");
    assert_eq!(post("multipart/form-data; boundary=x", multipart.into_bytes()).await.status, 400);
    for (kind, body) in [(form, too_many), ("multipart/form-data; boundary=x", too_many_parts)] {
        let answer = post(kind, body.into_bytes()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["message"]),
            (400, &json!("more than 1000 fields")),
            "{kind}"
        );
    }
    let texts = otto.thread(&shop, id).await;
    assert_eq!(texts, ["Hello", "x", "unknown fields", "100%", "%zz%4", "ÿþ cafÃ"]);
}

#[tokio::test]
async fn text_and_image_go_together_and_a_retry_stores_nothing_twice() {
    let world = World::new().await;
    let (_, site, conversation) = opened(&world).await;
    let image = format!("data:image/png;base64,{}", STANDARD.encode(png(30, 20)));
    let body = json!({ "conversation_id": conversation, "content": "See:", "image_base64": image });
    for _ in 0..3 {
        let headers = [("idempotency-key", "order-17")];
        let answer = world.http().json(Method::POST, &reply_at(&site), &headers, &body).await;
        assert_eq!(answer.bytes, r#"{"success":true}"#);
    }
    let all = recent(&world, &site, "").await;
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!((&all[1]["content"], &all[1]["message_type"]), (&json!("See:"), &json!("text")));
    assert_eq!((&all[2]["content"], &all[2]["message_type"]), (&json!(""), &json!("image")));
    let url = all[2]["image_url"].as_str().expect("a path");
    assert!(url.starts_with("/uploads/chat_images/agent_") && url.ends_with(".png"), "{url}");
    assert_eq!(world.http().get(url).await.headers["content-type"], "image/png");

    let headers = [("idempotency-key", "order-18")];
    world.http().json(Method::POST, &reply_at(&site), &headers, &body).await.ok();
    assert_eq!(recent(&world, &site, "").await.len(), 5, "another key is another reply");
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_reply() {
    let world = World::new().await;
    let (otto, site, conversation) = opened(&world).await;
    let limits = json!({ "messages_per_minute": 20, "api_per_minute": 1000, "image_bytes": 65_536 });
    otto.configure(&site, json!({ "limits": limits })).await;
    world.visitor(&site, "nina").await.send("n1", "Hello").await.ok();
    let other = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let image = |width| STANDARD.encode(png(width, 20));
    let reply = async |key: &str, body: &Value| {
        world.http().json(Method::POST, &reply_at(&site), &[("idempotency-key", key)], body).await
    };
    let text = json!({ "conversation_id": conversation, "content": "One", "agent_name": "Ann" });
    let both = json!({ "conversation_id": conversation, "content": "One", "image_base64": image(30) });
    let picture = json!({ "conversation_id": conversation, "image_base64": image(30) });
    let with = |body: &Value, name: &str, value: Value| {
        let mut body = body.clone();
        body[name] = value;
        body
    };
    for (key, first) in [("text", &text), ("both", &both), ("picture", &picture)] {
        reply(key, first).await.ok();
        let count = recent(&world, &site, "").await.len();
        let others = [
            with(first, "content", json!("Two")),
            with(first, "agent_name", json!("Bob")),
            with(first, "conversation_id", json!(other)),
            with(first, "image_base64", json!(image(31))),
            text.clone(),
            both.clone(),
            picture.clone(),
        ];
        for body in others.iter().filter(|body| *body != first) {
            let refused = reply(key, body).await;
            assert_eq!(refused.bytes, r#"{"success":false,"message":"idempotency key reused"}"#, "{key}");
            assert_eq!(refused.status, 422);
        }
        // The same again, written otherwise, is the same reply.
        let as_text = with(first, "conversation_id", json!(conversation.to_string()));
        assert_eq!(reply(key, &as_text).await.bytes, r#"{"success":true}"#, "{key}");
        assert_eq!(recent(&world, &site, "").await.len(), count, "{key}: nothing more is stored");
    }
    // The console's own ids keep the same rule, also in another conversation.
    otto.reply(&site, conversation, "o1", "Yes").await.ok();
    assert_eq!(otto.reply(&site, conversation, "o1", "No").await.code(), "conflict");
    assert_eq!(otto.reply(&site, other, "o1", "Yes").await.code(), "conflict");
    otto.reply(&site, conversation, "o1", "Yes").await.ok();
    assert_eq!(otto.thread(&site, other).await, ["Hello"]);
}

#[tokio::test]
async fn the_newest_fifty_oldest_first_or_as_many_as_asked() {
    let world = World::new().await;
    let (otto, site, conversation) = opened(&world).await;
    for i in 0..59 {
        otto.reply(&site, conversation, &format!("o{i}"), &format!("answer {i}")).await.ok();
    }
    let all = recent(&world, &site, "").await;
    assert_eq!(all.len(), 50);
    assert_eq!((&all[0]["content"], &all[49]["content"]), (&json!("answer 9"), &json!("answer 58")));
    assert_eq!(recent(&world, &site, "&limit=200").await.len(), 60);
    assert_eq!(recent(&world, &site, "&limit=1").await[0]["content"], "answer 58");
    assert_eq!(recent(&world, &site, &format!("&conversation_id={conversation}&limit=3&_=1")).await.len(), 3);
    for bad in ["&limit=0", "&limit=201", "&limit=x", "&conversation_id=x"] {
        let path = format!("/api/chat_api.php?action=get_recent_messages&key={}{bad}", site.chat_key);
        let answer = world.http().get(&path).await;
        assert_eq!(answer.bytes, r#"{"success":false,"message":"invalid request"}"#, "{bad}");
    }
}

#[tokio::test]
async fn agents_can_be_shown_by_an_opaque_id() {
    let world = World::new().await;
    let (otto, site, conversation) = opened(&world).await;
    otto.reply(&site, conversation, "o1", "from the console").await.ok();
    let body = json!({ "conversation_id": conversation, "content": "from a script" });
    world.http().json(Method::POST, &reply_at(&site), &[], &body).await.ok();
    let shown = |all: &[Value]| -> Vec<String> {
        all.iter().map(|line| line["sender_user_id"].as_str().expect("text").to_owned()).collect()
    };
    let open = shown(&recent(&world, &site, "").await);
    assert_eq!(open[1..], [site.chat_key.clone(), site.chat_key.clone()]);
    otto.configure(&site, json!({ "opaque_agent_ids": true })).await;
    let opaque = shown(&recent(&world, &site, "").await);
    assert!(opaque[1].starts_with("agent_") && opaque[2].starts_with("agent_") && opaque[1] != opaque[2]);
    assert_eq!(opaque[0], open[0], "visitors keep theirs");
    assert_eq!(opaque, shown(&recent(&world, &site, "").await));
}

/// A number in place of a text is that number as it was written, of any length.
#[tokio::test]
async fn a_number_as_text_keeps_its_digits() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    world.visitor(&shop, "vera").await.send("v1", "Hello").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let path = format!("/api/chat_api.php?action=reply_as_agent&key={}", shop.chat_key);
    let numbers = [
        "12345678901234567890123",
        "1.50",
        "0.10000000000000000000001",
        "1e3",
        "1E400",
        "-0",
        "18446744073709551616",
        "7",
    ];
    for number in numbers {
        let body = format!("{{\"conversation_id\":{conversation},\"content\": {number} }}");
        world.http().send(Method::POST, &path, &[("content-type", "application/json")], body).await.ok();
    }
    assert_eq!(otto.thread(&shop, conversation).await[1..], numbers);
}

/// A script that asks for what came after its cursor, as it would run for weeks.
pub struct Poller {
    path: String,
    cursor: String,
    /// What it has received, in the order of receiving.
    pub received: Vec<String>,
}

impl Poller {
    /// With further parameters.
    pub fn new(site: &Site, more: &str) -> Poller {
        let path = format!("/api/chat_api.php?action=get_recent_messages&key={}{more}", site.chat_key);
        Poller { path, cursor: String::new(), received: Vec::new() }
    }

    /// What it is told, whatever that is.
    pub async fn answer(&self, world: &World) -> crate::world::Answer {
        world.http().get(&format!("{}&after={}", self.path, self.cursor)).await
    }

    /// Asks once. Returns how many messages came, and whether the cursor was not its own any more.
    pub async fn ask(&mut self, world: &World) -> (usize, bool) {
        let answer = self.answer(world).await;
        let next = answer.headers.get("x-next-cursor").expect("a cursor").to_str().expect("ASCII").to_owned();
        let reset = answer.headers.get("x-cursor-reset").map(|value| value.to_str().expect("ASCII").to_owned());
        assert!(reset.as_deref().is_none_or(|value| value == "1"), "{reset:?}");
        let data = answer.ok()["data"].as_array().expect("a list").clone();
        self.received.extend(data.iter().map(|line| line["content"].as_str().expect("text").to_owned()));
        self.cursor = next;
        (data.len(), reset.is_some())
    }
}

async fn without_limits(otto: &Owner, site: &Site) {
    let limits = json!({ "messages_per_minute": 600, "api_per_minute": 10_000, "image_bytes": 65_536 });
    otto.configure(site, json!({ "limits": limits })).await;
}

/// An operator's numbered replies.
async fn say(otto: &Owner, site: &Site, conversation: i64, numbers: std::ops::Range<usize>) {
    for i in numbers {
        otto.reply(site, conversation, &format!("o{i}"), &format!("answer {i}")).await.ok();
    }
}

fn answers(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|i| format!("answer {i}")).collect()
}

#[tokio::test]
async fn a_script_that_asks_for_what_came_after_misses_nothing_and_gets_nothing_twice() {
    let mut world = World::new().await;
    let (otto, site, conversation) = opened(&world).await;
    without_limits(&otto, &site).await;
    let mut poller = Poller::new(&site, "&limit=100");
    assert_eq!(poller.ask(&world).await, (1, false), "an empty cursor is none");
    assert_eq!(poller.ask(&world).await, (0, false));
    say(&otto, &site, conversation, 0..250).await;
    assert_eq!(poller.ask(&world).await, (100, false), "the oldest first");
    world.stop().await;
    world.start().await;
    let otto = world.owner_again("otto").await;
    assert_eq!(poller.ask(&world).await, (100, false));
    let held = poller.cursor.clone();
    assert_eq!(poller.ask(&world).await, (50, false));
    assert_eq!(poller.ask(&world).await, (0, false));
    assert_eq!(poller.received[1..], answers(0..250));
    // The same cursor says the same again, and then what has come since: no stale page.
    say(&otto, &site, conversation, 250..251).await;
    let mut again = Poller { cursor: held, received: Vec::new(), ..Poller::new(&site, "&limit=100") };
    again.ask(&world).await;
    assert_eq!(again.received, answers(200..251));
    // What is no message moves the cursor and shows nothing.
    let close = format!("sites/{}/conversations/{conversation}/close", site.id);
    otto.call(Method::POST, &close, json!({})).await.ok();
    world.visitor(&site, "nina").await.send("n1", "Hello").await.ok();
    assert_eq!(poller.ask(&world).await, (2, false));
    assert_eq!(poller.received[251..], ["answer 250", "Hello"]);
}

#[tokio::test]
async fn a_script_that_asks_while_messages_arrive_gets_each_once() {
    let world = World::new().await;
    let (otto, site, conversation) = opened(&world).await;
    without_limits(&otto, &site).await;
    let mut everything = Poller::new(&site, "&limit=7");
    let mut one = Poller::new(&site, &format!("&limit=7&conversation_id={conversation}"));
    everything.ask(&world).await;
    one.ask(&world).await;
    let writes = say(&otto, &site, conversation, 0..60);
    let reads = async {
        while everything.received.len() < 61 || one.received.len() < 61 {
            everything.ask(&world).await;
            one.ask(&world).await;
        }
    };
    tokio::join!(writes, reads);
    assert_eq!(everything.received[1..], answers(0..60));
    assert_eq!(one.received[1..], answers(0..60));
}

#[tokio::test]
async fn a_cursor_is_of_one_list() {
    let world = World::new().await;
    let (otto, site, conversation) = opened(&world).await;
    without_limits(&otto, &site).await;
    world.visitor(&site, "nina").await.send("n1", "Hello").await.ok();
    let other = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let of = format!("&conversation_id={conversation}");
    let mut one = Poller::new(&site, &of);
    one.ask(&world).await;
    say(&otto, &site, other, 0..3).await;
    assert_eq!(one.ask(&world).await, (0, false), "another conversation is another's");
    say(&otto, &site, conversation, 3..5).await;
    assert_eq!(one.ask(&world).await, (2, false));
    assert_eq!(one.received, ["Do you ship to Norway?", "answer 3", "answer 4"]);

    // Its cursor has not seen the others, so the whole list does not go on from there.
    let mut all = Poller { cursor: one.cursor, ..Poller::new(&site, "") };
    assert_eq!(all.ask(&world).await, (7, true));
    let foreign = otto.site("Another shop").await;
    let mut elsewhere = Poller { cursor: all.cursor.clone(), ..Poller::new(&foreign, "") };
    assert_eq!(elsewhere.ask(&world).await, (0, true));
    let console = otto.listen().await.start_cursor().await;
    let page = world.visitor(&site, "vera").await.state["cursor"].as_str().expect("a cursor").to_owned();
    let strange = ["0", "-1", "x.y.z", "%00", "%F0%9F%92%AC", &"A".repeat(2_000), &console, &page, &elsewhere.cursor];
    for cursor in strange {
        let mut poller = Poller { cursor: cursor.to_owned(), ..Poller::new(&site, "&limit=2") };
        assert_eq!(poller.ask(&world).await, (2, true), "{cursor:.60}");
        assert_eq!(poller.received, ["answer 3", "answer 4"], "the newest page");
        assert_eq!(poller.ask(&world).await, (0, false), "and it goes on from there");
    }
    let gone = format!("{}&conversation_id=987654&after={}", Poller::new(&site, "").path, all.cursor);
    assert_eq!(world.http().get(&gone).await.bytes, r#"{"success":false,"message":"conversation not found"}"#);
}

#[tokio::test]
async fn after_a_restore_a_script_begins_with_the_newest_page() {
    let mut world = World::new().await;
    let (otto, site, conversation) = opened(&world).await;
    let mut poller = Poller::new(&site, "&limit=2");
    say(&otto, &site, conversation, 0..2).await;
    poller.ask(&world).await;
    world.stop().await;
    ocs::storage::begin_new_life(&world.data().join("ocs.db")).await.expect("a new epoch");
    world.start().await;
    assert_eq!(poller.ask(&world).await, (2, true));
    assert_eq!(poller.ask(&world).await, (0, false));
    let otto = world.owner_again("otto").await;
    say(&otto, &site, conversation, 2..3).await;
    assert_eq!(poller.ask(&world).await, (1, false));
    assert_eq!(poller.received[2..], answers(0..3));
}

#[tokio::test]
async fn a_conversation_that_gets_another_visitor_is_not_told_again() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let site = otto.site("Shop").await;
    let somebody = json!({ "external_id": "r4nd0m", "anonymous": true });
    let before = world.arrive(&site, somebody, None).await.expect("to be let in");
    before.send("m1", "one").await.ok();
    before.send("m2", "two").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let mut all = Poller::new(&site, "&limit=10");
    let mut one = Poller::new(&site, &format!("&limit=10&conversation_id={conversation}"));
    assert_eq!((all.ask(&world).await, one.ask(&world).await), ((2, false), (2, false)));
    let known = json!({ "external_id": "vera", "anonymous": false });
    let vera = world.arrive(&site, known, Some(&before.token)).await.expect("to be let in");
    assert_eq!(vera.texts(), ["one", "two"]);
    assert_eq!((all.ask(&world).await, one.ask(&world).await), ((0, false), (0, false)));
    vera.send("m3", "three").await.ok();
    assert_eq!((all.ask(&world).await, one.ask(&world).await), ((1, false), (1, false)));
    assert_eq!((all.received[2].as_str(), one.received[2].as_str()), ("three", "three"));
}
