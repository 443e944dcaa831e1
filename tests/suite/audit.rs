//! The log of who did what: each line beside what it tells, and never a secret in it.

use hyper::Method;
use serde_json::{Value, json};

use crate::world::{Owner, World};

const PASSWORD: &str = "correct horse battery";

async fn lines(owner: &Owner) -> Vec<Value> {
    owner.get("account/audit").await["lines"].as_array().expect("a list").clone()
}

/// Oldest first.
async fn actions(owner: &Owner) -> Vec<String> {
    let lines = lines(owner).await;
    lines.iter().rev().map(|line| line["action"].as_str().expect("an action").to_owned()).collect()
}

#[tokio::test]
async fn otto_sees_what_was_done_with_his_account_and_sites() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(&shop, json!({ "name": "Lamp Shop", "paused": true })).await;
    let path = |end: &str| format!("sites/{}/{end}", shop.id);
    let key = otto.call(Method::POST, &path("chat-keys"), json!({})).await.ok();
    otto.call(Method::DELETE, &path(&format!("chat-keys/{}", key["key"]["id"])), json!({})).await.ok();
    otto.call(Method::POST, &path("widget-key"), json!({})).await.ok();
    let secret = otto.call(Method::POST, &path("identity-secrets"), json!({})).await.ok();
    otto.call(Method::DELETE, &path(&format!("identity-secrets/{}", secret["key"]["id"])), json!({})).await.ok();
    let change = json!({ "current": PASSWORD, "new": "an even better one" });
    otto.call(Method::POST, "account/password", change).await.ok();
    otto.call(Method::DELETE, path("").trim_end_matches('/'), json!({})).await.ok();

    let body = json!({ "email": "otto@example.org", "password": "an even better one" });
    let phone = world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await;
    let phone = Owner::from(world.http().clone(), phone);
    let sessions = otto.get("account/sessions").await["sessions"].as_array().expect("a list").clone();
    let other = sessions.iter().find(|session| session["current"] == false).expect("the phone");
    otto.call(Method::DELETE, &format!("account/sessions/{}", other["id"]), json!({})).await.ok();
    assert_eq!(phone.call(Method::POST, "sign-out", json!({})).await.status, 401);
    assert_eq!(
        actions(&otto).await,
        [
            "account_made",
            "site_made",
            "chat_key_made",
            "site_changed",
            "chat_key_made",
            "chat_key_revoked",
            "widget_key_made",
            "identity_secret_made",
            "identity_secret_deleted",
            "password_changed",
            "site_deleted",
            "signed_in",
            "session_ended",
        ]
    );

    let all = lines(&otto).await;
    let changed = all.iter().find(|line| line["action"] == "site_changed").expect("a change");
    assert_eq!((&changed["subject"], &changed["site_id"]), (&json!("name, paused"), &json!(shop.id)));
    assert!(all.iter().all(|line| line["network"] == "127.0.0.0/24"), "{all:?}");
    let text = serde_json::to_string(&all).expect("JSON");
    for hidden in [key["secret"].as_str(), secret["secret"].as_str(), Some(PASSWORD), Some("127.0.0.1")] {
        assert!(!text.contains(hidden.expect("a secret")), "{text}");
    }
}

#[tokio::test]
async fn what_was_refused_left_no_line_and_others_see_nothing() {
    let world = World::new().await;
    let (otto, mallory) = (world.owner("otto").await, world.owner("mallory").await);
    let shop = otto.site("Shop").await;
    let path = format!("sites/{}", shop.id);
    assert_eq!(otto.call(Method::PATCH, &path, json!({ "name": "" })).await.status, 400);
    assert_eq!(mallory.call(Method::DELETE, &path, json!({})).await.status, 404);
    assert_eq!(actions(&otto).await, ["account_made", "site_made", "chat_key_made"]);
    assert_eq!(actions(&mallory).await, ["account_made"]);
}

#[tokio::test]
async fn lines_come_in_pages_and_go_after_a_year() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    for turn in 0..60 {
        otto.configure(&shop, json!({ "name": format!("Shop {turn}") })).await;
    }
    let first = otto.get("account/audit").await;
    let last = first["lines"][49]["id"].as_i64().expect("a number");
    let second = otto.get(&format!("account/audit?before={last}")).await;
    assert_eq!((&first["more"], &second["more"]), (&json!(true), &json!(false)));
    assert_eq!(second["lines"].as_array().map(Vec::len), Some(13));

    world.pass(366 * 24 * 60 * 60);
    world.stop().await;
    world.start().await;
    let body = json!({ "email": "otto@example.org", "password": PASSWORD });
    let again =
        Owner::from(world.http().clone(), world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await);
    let mut tries = 0;
    while actions(&again).await != ["signed_in"] {
        tries += 1;
        assert!(tries < 1_000, "old lines stay: {:?}", actions(&again).await.len());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn no_statement_changes_a_line() {
    let mut world = World::new().await;
    world.owner("otto").await;
    world.stop().await;
    let changed = change_a_line(&world.data().join("ocs.db"));
    assert!(changed.expect_err("refused").to_string().contains("never changed"));
}

fn change_a_line(database: &std::path::Path) -> rusqlite::Result<()> {
    rusqlite::Connection::open(database)?.execute_batch("UPDATE audit SET subject = 'nothing happened'")
}
