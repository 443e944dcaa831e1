//! What is deleted is gone at once, and its rows go in pieces: nobody else waits for them.

use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::json;

use crate::world::{Owner, Site, Visitor, World};

/// Messages of the site that is deleted.
const MESSAGES: i64 = 4_000;
/// More messages of a conversation, as no interface lets anybody write them as fast.
const MORE_MESSAGES: &str = "INSERT INTO messages
        (id, workspace_id, site_id, n, conversation_id, seq, author_kind, author_id, client_id, text, at)
    SELECT 10000000 + r.value, m.workspace_id, m.site_id, 1000 + r.value, m.conversation_id, 1000 + r.value, m.author_kind, m.author_id,
        'more-' || r.value, 'Do you ship to Norway? ' || r.value, m.at
    FROM json_each($2) AS r CROSS JOIN (SELECT * FROM messages WHERE site_id = $1 LIMIT 1) AS m";
/// Tables that hold rows of a site.
const LEFT: &str = "SELECT (SELECT COUNT(*) FROM messages WHERE site_id = $1)
    + (SELECT COUNT(*) FROM events WHERE site_id = $1) + (SELECT COUNT(*) FROM conversations WHERE site_id = $1)
    + (SELECT COUNT(*) FROM visitors WHERE site_id = $1) + (SELECT COUNT(*) FROM visitor_tokens WHERE site_id = $1)
    + (SELECT COUNT(*) FROM sites WHERE id = $1)";

async fn large(world: &World, otto: &Owner) -> (Site, Visitor) {
    let shop = otto.site("Large").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "Hello").await.ok();
    let numbers: Vec<i64> = (0..MESSAGES).collect();
    let values = ocs::values![shop.id, ocs::storage::Value::json(&numbers)];
    world.store().write(move |tx| tx.run(MORE_MESSAGES, &values)).await.expect("more messages");
    (shop, vera)
}

/// How long each of some sends took, until `enough` says so.
async fn sends(nina: &Visitor, name: &str, mut enough: impl AsyncFnMut(usize) -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    while !enough(took.len()).await {
        let begun = Instant::now();
        nina.send(&format!("{name}{}", took.len()), "Hello").await.ok();
        took.push(begun.elapsed());
    }
    took.sort();
    took
}

/// The slowest but one in a hundred, and the slowest but one in ten.
fn slow(sorted: &[Duration]) -> (Duration, Duration) {
    let at = |percent: usize| sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)];
    (at(99), at(90))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_while_a_large_site_is_deleted() {
    let world = World::new().await;
    let (otto, olga) = (world.owner("otto").await, world.owner("olga").await);
    let (shop, vera) = large(&world, &otto).await;
    let kept = otto.site("Kept").await;
    world.visitor(&kept, "vera").await.send("k1", "Still here").await.ok();
    let elsewhere = olga.site("Elsewhere").await;
    let limits = json!({ "messages_per_minute": 600, "api_per_minute": 60, "image_bytes": 65_536 });
    olga.configure(&elsewhere, json!({ "limits": limits })).await;
    let (nina, nora) = (world.visitor(&elsewhere, "nina").await, world.visitor(&elsewhere, "nora").await);
    let alone = sends(&nina, "alone", async |count| count == 200).await;

    let mut page = vera.listen().await;
    page.frame("beat").await;
    let begun = Instant::now();
    otto.call(Method::DELETE, &format!("sites/{}", shop.id), json!({})).await.ok();
    let answered = begun.elapsed();
    assert_eq!(page.frame("refused").await["code"], "unknown_site", "not paused: gone");
    assert!(world.rows_of(LEFT, shop.id).await > MESSAGES / 2, "the answer does not wait for the rows");
    // It is gone for everybody all the same.
    assert_eq!(otto.inbox("state=all").await.len(), 1);
    assert_eq!(otto.get("sites").await["sites"].as_array().map(Vec::len), Some(1));
    assert_eq!(otto.call(Method::GET, &format!("sites/{}", shop.id), json!({})).await.status, 404);
    assert_eq!(vera.send("v2", "Hello?").await.code(), "invalid_token");
    let again = json!({ "external_id": "vera", "anonymous": false });
    assert_eq!(world.arrive(&shop, again, None).await.err().expect("a refusal").code(), "unknown_site");
    let key = format!("/api/chat_api.php?action=get_recent_messages&key={}", shop.chat_key);
    assert_eq!(world.http().get(&key).await.status, 401);

    let beside = sends(&nora, "beside", async |count| count == 500 || world.rows_of(LEFT, shop.id).await == 0).await;
    let (alone, beside) = (slow(&alone), slow(&beside));
    eprintln!("deleted in {answered:?}; p99 and p90 of a send are {alone:?} alone and {beside:?} beside the purge");
    // One in ten is steady on a busy machine, one in a hundred is not.
    assert!(beside.1 <= 2 * alone.1.max(Duration::from_millis(100)), "{beside:?} beside {alone:?}");
    world.purge().await;
    assert_eq!(world.rows_of(LEFT, shop.id).await, 0);
    assert_eq!(world.rows_of("SELECT COUNT(*) FROM accounts WHERE id <= 0 OR id = -$1", 1).await, 0);
    assert_eq!(otto.inbox("state=all").await.len(), 1);
}

#[tokio::test]
async fn what_is_left_of_a_site_is_purged_after_a_restart() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, _) = large(&world, &otto).await;
    // As a deletion leaves it, had the server been killed before the first piece.
    let delete = move |tx: &mut ocs::storage::Tx| {
        tx.run("UPDATE sites SET deleted_from = workspace_id, workspace_id = 0 WHERE id = $1", ocs::values![shop.id])
    };
    world.store().write(delete).await.expect("a deleted site");
    world.stop().await;
    world.start().await;
    let purged = async {
        while world.rows_of(LEFT, shop.id).await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), purged).await.expect("the purge goes on by itself");
}

#[tokio::test]
async fn a_deleted_account_frees_its_address_while_its_sites_are_purged() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, _) = large(&world, &otto).await;
    let asked = json!({ "password": "correct horse battery" });
    otto.call(Method::POST, "account/delete", asked).await.ok();
    assert!(world.rows_of(LEFT, shop.id).await > MESSAGES / 2, "the answer does not wait for the rows");
    let again = world.owner("otto").await;
    assert!(again.inbox("state=all").await.is_empty());
    world.purge().await;
    assert_eq!(world.rows_of(LEFT, shop.id).await, 0);
}
