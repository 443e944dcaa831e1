//! What a chat API key may do, from where, and until when: chosen when it is made, and held to at each call.

use hyper::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Owner, Site, World};

const ADDRESS: &str = "/api/chat_api.php";

struct Shop {
    world: World,
    otto: Owner,
    site: Site,
    conversation: i64,
}

impl Shop {
    async fn new() -> Shop {
        let proxies = [("trusted_proxies", "127.0.0.1".to_owned())];
        let trusted =
            ocs::config::Config::load(None, std::iter::empty(), &proxies).expect("an address").trusted_proxies;
        let world = World::with(|config| config.trusted_proxies = trusted).await;
        let otto = world.owner("otto").await;
        let site = otto.site("Shop").await;
        world.visitor(&site, "vera").await.send("v1", "Hello").await.ok();
        let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
        Shop { world, otto, site, conversation }
    }

    async fn asked(&self, wanted: Value) -> Answer {
        self.otto.call(Method::POST, &format!("sites/{}/chat-keys", self.site.id), wanted).await
    }

    async fn key(&self, wanted: Value) -> String {
        self.asked(wanted).await.ok()["secret"].as_str().expect("a secret").to_owned()
    }

    async fn read(&self, key: &str, from: &str) -> Answer {
        let path = format!("{ADDRESS}?action=get_recent_messages&key={key}");
        self.world.http().send(Method::GET, &path, &[("x-forwarded-for", from)], "").await
    }

    async fn reply(&self, key: &str, from: &str) -> Answer {
        let path = format!("{ADDRESS}?action=reply_as_agent&key={key}");
        let body = json!({ "conversation_id": self.conversation, "content": "Hi" });
        self.world.http().json(Method::POST, &path, &[("x-forwarded-for", from)], &body).await
    }

    async fn keys(&self) -> Vec<Value> {
        let site = self.otto.get(&format!("sites/{}", self.site.id)).await;
        site["chat_keys"].as_array().expect("a list").clone()
    }

    async fn messages(&self) -> usize {
        self.otto.thread(&self.site, self.conversation).await.len()
    }
}

fn refused(answer: &Answer, status: u16, message: &str) {
    let expected = format!(r#"{{"success":false,"message":"{message}"}}"#);
    assert_eq!((answer.status.as_u16(), String::from_utf8_lossy(&answer.bytes).into_owned()), (status, expected));
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_key_does_what_it_was_made_for_and_nothing_else() {
    let shop = Shop::new().await;
    let reads = shop.key(json!({ "scope": "read", "beside": true })).await;
    let replies = shop.key(json!({ "scope": "reply", "beside": true })).await;
    assert_eq!(shop.read(&reads, "").await.ok()["success"], true);
    refused(&shop.reply(&reads, "").await, 403, "action not allowed");
    assert_eq!(shop.messages().await, 1, "what was refused changes nothing");
    shop.reply(&replies, "").await.ok();
    refused(&shop.read(&replies, "").await, 403, "action not allowed");
    assert_eq!(shop.messages().await, 2);
    // The first key, of which nothing was chosen, goes on and can do both.
    shop.read(&shop.site.chat_key, "").await.ok();
    shop.reply(&shop.site.chat_key, "").await.ok();
    let shown: Vec<_> = shop.keys().await.iter().map(|key| key["scope"].clone()).collect();
    assert_eq!(shown, ["all", "read", "reply"]);
}

#[tokio::test]
async fn a_key_works_from_the_addresses_that_it_names() {
    let shop = Shop::new().await;
    let key = shop.key(json!({ "networks": ["192.0.2.0/24", "2001:db8::1"], "beside": true })).await;
    for from in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"] {
        assert_eq!(shop.read(&key, from).await.ok()["success"], true, "{from}");
    }
    for from in ["192.0.3.7", "2001:db8::2", "", "192.0.2.7, 198.51.100.1", "192.0.2.7, unknown"] {
        refused(&shop.read(&key, from).await, 403, "address not allowed");
        refused(&shop.reply(&key, from).await, 403, "address not allowed");
    }
    assert_eq!(shop.messages().await, 1, "what was refused changes nothing");
    assert_eq!(shop.keys().await[1]["networks"], json!(["192.0.2.0/24", "2001:db8::1"]));
    let elsewhere = shop.key(json!({ "networks": ["10.0.0.0/8"], "beside": true })).await;
    refused(&shop.read(&elsewhere, "192.0.2.7").await, 403, "address not allowed");
    assert_eq!(shop.keys().await[2]["last_used_at"], Value::Null, "a refused call is no use");
}

#[tokio::test]
async fn a_key_ends_when_it_was_to_end() {
    let mut shop = Shop::new().await;
    let end = shop.world.now() + 3_600_000;
    let key = shop.key(json!({ "expires_at": end, "beside": true })).await;
    assert_eq!(shop.keys().await[1]["expires_at"], end);
    shop.world.pass(3_599);
    shop.read(&key, "").await.ok();
    // A key that stands longer does not make this one stand longer.
    shop.otto.confirm().await;
    shop.key(json!({ "grace_s": 86_400 })).await;
    shop.world.pass(1);
    refused(&shop.read(&key, "").await, 401, "invalid key");
    shop.world.stop().await;
    shop.world.start().await;
    let path = format!("{ADDRESS}?action=get_recent_messages&key={key}");
    refused(&shop.world.http().get(&path).await, 401, "invalid key");
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused() {
    let shop = Shop::new().await;
    let (now, many) = (shop.world.now(), vec!["192.0.2.1"; 21]);
    for wanted in [
        json!({ "scope": "everything" }),
        json!({ "scope": ["read"] }),
        json!({ "networks": ["example.org"] }),
        json!({ "networks": ["192.0.2.0/33"] }),
        json!({ "networks": [""] }),
        json!({ "networks": "192.0.2.1" }),
        json!({ "networks": many }),
        json!({ "networks": ["1".repeat(50_000)] }),
        json!({ "expires_at": now }),
        json!({ "expires_at": -1 }),
        json!({ "expires_at": "tomorrow" }),
        json!({ "expires_at": 1e30 }),
        json!({ "grace_s": 2_592_001 }),
        json!({ "hash": "x" }),
    ] {
        assert_eq!(shop.asked(wanted.clone()).await.code(), "invalid_request", "{wanted}");
    }
    assert_eq!(shop.keys().await.len(), 1);
    for _ in 1..20 {
        shop.key(json!({ "beside": true })).await;
    }
    assert_eq!(shop.asked(json!({ "beside": true })).await.code(), "conflict");
    assert_eq!(shop.asked(json!({ "grace_s": 60 })).await.code(), "conflict", "also while older ones still work");
    shop.key(json!({ "grace_s": 0 })).await;
    assert_eq!(shop.keys().await.len(), 1, "a key in place of all others is always to be had");
}
