//! A session that was stolen or left open is not enough for what lasts or cannot be undone: that asks again who it is.

use hyper::Method;
use ocs::http::route::{Caller, Reconfirm, Route};
use ocs::routes::all_routes;
use serde_json::{Value, json};

use crate::second_factor::{code, protect};
use crate::world::{Answer, Owner, Site, World};

const PASSWORD: &str = "correct horse battery";
/// Longer than a sign-in or a confirmation counts.
const LATER_S: i64 = 601;

/// The routes by which an operator changes something.
fn changes() -> Vec<Route> {
    let by_operators =
        |route: &Route| matches!(route.caller, Caller::Operator | Caller::Member(_) | Caller::SiteMember(_));
    all_routes().into_iter().filter(|route| by_operators(route) && route.method != Method::GET).collect()
}

/// A route's path below the console's, with a site of the owner's and numbers of nothing in it.
fn path_of(route: &Route, owner: &Owner, site: &Site) -> String {
    let path = route.path.replace("{site}", &site.id.to_string()).replace("{workspace}", &owner.workspace.to_string());
    let names = ["{conversation}", "{key}", "{secret}", "{session}", "{account}", "{invitation}"];
    let path = names.iter().fold(path, |path, name| path.replace(name, "77"));
    path.trim_start_matches("/api/console/").to_owned()
}

async fn confirm(owner: &Owner, shown: Value) -> Answer {
    owner.call(Method::POST, "account/confirm", shown).await
}

#[test]
fn every_change_says_whether_it_asks_again() {
    let silent = changes().into_iter().filter(|route| route.reconfirm.is_none());
    let silent: Vec<String> = silent.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert!(silent.is_empty(), "say `.reconfirm(…)` in the table: {silent:?}");
}

/// What lasts or cannot be undone. Whoever takes one of these off the list weakens a promise of SECURITY.md.
#[test]
fn credentials_and_irreversible_acts_ask_again() {
    let asks = |wanted: Reconfirm| {
        let routes = changes().into_iter().filter(|route| route.reconfirm == Some(wanted));
        let mut paths: Vec<String> = routes
            .map(|route| format!("{} {}", route.method, route.path.trim_start_matches("/api/console/")))
            .collect();
        paths.sort_unstable();
        paths
    };
    assert_eq!(
        asks(Reconfirm::Recently),
        [
            "DELETE sites/{site}",
            "DELETE sites/{site}/chat-keys/{key}",
            "DELETE sites/{site}/identity-secrets/{secret}",
            "DELETE workspaces/{workspace}/members/{account}",
            "PATCH workspaces/{workspace}/members/{account}",
            "POST sites/{site}/attack/clean-up",
            "POST sites/{site}/chat-keys",
            "POST sites/{site}/identity-secrets",
            "POST sites/{site}/widget-key",
            "POST workspaces/{workspace}/invitations",
        ]
    );
    assert_eq!(asks(Reconfirm::ToWeaken), ["PATCH sites/{site}"]);
    assert_eq!(
        asks(Reconfirm::EveryTime),
        [
            "DELETE workspaces/{workspace}",
            "POST account/confirm",
            "POST account/delete",
            "POST account/email",
            "POST account/password",
            "POST account/second-factor",
            "POST account/second-factor/codes",
            "POST account/second-factor/confirm",
            "POST account/second-factor/off",
            "POST workspaces/{workspace}/transfer",
        ]
    );
}

#[tokio::test]
async fn an_old_session_alone_is_asked_again_where_the_table_says_so() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    world.pass(LATER_S);
    for route in changes().into_iter().filter(|route| !route.path.ends_with("/sign-out")) {
        // Numbers of nothing and fields that no route takes: only who is let through is told so.
        let answer =
            otto.call(route.method.clone(), &path_of(&route, &otto, &shop), json!({ "no": "such field" })).await;
        let asked = answer.status == 403 && answer.code() == "confirmation_required";
        assert_eq!(asked, route.reconfirm == Some(Reconfirm::Recently), "{} {}", route.method, route.path);
        assert!(!asked || answer.json()["error"]["field"] == "password", "and says what to show");
    }
}

#[tokio::test]
async fn a_thief_without_the_password_makes_no_key_and_deletes_nothing() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let keys = format!("sites/{}/chat-keys", shop.id);
    otto.call(Method::POST, &keys, json!({})).await.ok();
    world.pass(LATER_S);
    let before = otto.get(&format!("sites/{}", shop.id)).await;
    assert_eq!(otto.call(Method::POST, &keys, json!({})).await.code(), "confirmation_required");
    let secrets = format!("sites/{}/identity-secrets", shop.id);
    assert_eq!(otto.call(Method::POST, &secrets, json!({})).await.code(), "confirmation_required");
    let site = format!("sites/{}", shop.id);
    assert_eq!(otto.call(Method::DELETE, &site, json!({})).await.code(), "confirmation_required");
    assert_eq!(otto.get(&site).await, before);

    assert_eq!(confirm(&otto, json!({ "password": "a guess" })).await.code(), "wrong_credentials");
    assert_eq!(confirm(&otto, json!({})).await.code(), "confirmation_required");
    assert_eq!(confirm(&otto, json!({ "code": "123456" })).await.code(), "confirmation_required");
    assert_eq!(otto.call(Method::POST, &keys, json!({})).await.code(), "confirmation_required");

    // Otto knows it. Once is enough for some minutes, in this session alone.
    let body = json!({ "email": "otto@example.org", "password": PASSWORD });
    let answer = world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await;
    let stolen = Owner::from(world.http().clone(), answer);
    world.pass(LATER_S);
    assert_eq!(confirm(&otto, json!({ "password": PASSWORD })).await.ok(), json!({}));
    otto.call(Method::POST, &keys, json!({})).await.ok();
    assert_eq!(stolen.call(Method::POST, &keys, json!({})).await.code(), "confirmation_required");
    world.pass(LATER_S - 2);
    otto.call(Method::POST, &secrets, json!({})).await.ok();
    world.pass(2);
    assert_eq!(otto.call(Method::DELETE, &site, json!({})).await.code(), "confirmation_required");
    confirm(&otto, json!({ "password": PASSWORD })).await.ok();
    otto.call(Method::DELETE, &site, json!({})).await.ok();
    let lines = otto.get("account/audit").await["lines"].clone();
    let told = lines.as_array().expect("a list").iter().filter(|line| line["action"] == "session_confirmed").count();
    assert_eq!(told, 2, "and it is written down");
}

#[tokio::test]
async fn guessing_the_password_of_an_open_session_is_slow() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let mut codes = Vec::new();
    for _ in 0..20 {
        codes.push(confirm(&otto, json!({ "password": "a guess" })).await.code());
    }
    assert_eq!(codes[0], "wrong_credentials");
    assert!(codes.iter().any(|code| code == "too_many_requests"), "{codes:?}");
}

#[tokio::test]
async fn where_there_is_a_second_factor_its_code_is_asked_for() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let (secret, recovery) = protect(&world, &otto).await;
    world.pass(LATER_S);
    let keys = format!("sites/{}/chat-keys", shop.id);
    let refused = otto.call(Method::POST, &keys, json!({})).await;
    assert_eq!((refused.code().as_str(), &refused.json()["error"]["field"]), ("confirmation_required", &json!("code")));
    assert_eq!(confirm(&otto, json!({ "password": PASSWORD })).await.code(), "confirmation_required");
    assert_eq!(confirm(&otto, json!({ "code": "000000" })).await.code(), "wrong_code");
    let shown = code(&secret, world.now());
    confirm(&otto, json!({ "code": shown })).await.ok();
    otto.call(Method::POST, &keys, json!({})).await.ok();
    assert_eq!(confirm(&otto, json!({ "code": shown })).await.code(), "wrong_code", "a code works once");
    world.pass(LATER_S);
    confirm(&otto, json!({ "code": recovery[0] })).await.ok();
    otto.call(Method::POST, &keys, json!({})).await.ok();
}

/// A policy that is weakened outlasts the session that did it.
#[tokio::test]
async fn an_old_session_alone_weakens_no_policy() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let path = format!("sites/{}", shop.id);
    let patch = async |change: Value| otto.call(Method::PATCH, &path, change).await;
    let strict = json!({ "identity_mode": "signed_only", "allowed_domains": ["shop.example", "*.shop.example"] });
    world.pass(LATER_S);
    patch(strict.clone()).await.ok();
    for weaker in [
        json!({ "identity_mode": "same_browser" }),
        json!({ "identity_mode": "shared" }),
        json!({ "allowed_domains": [] }),
        json!({ "name": "Better", "allowed_domains": [] }),
    ] {
        let refused = patch(weaker.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "confirmation_required"), "{weaker}");
        assert_eq!(refused.json()["error"]["field"], "password", "and says what to show");
    }
    assert_eq!(otto.get(&path).await["name"], "Shop");
    for change in [strict, json!({ "name": "Better" }), json!({ "allowed_domains": ["shop.example"] })] {
        patch(change).await.ok();
    }
    confirm(&otto, json!({ "password": PASSWORD })).await.ok();
    patch(json!({ "identity_mode": "same_browser", "allowed_domains": [] })).await.ok();
    world.pass(LATER_S);
    assert_eq!(patch(json!({ "identity_mode": "shared" })).await.code(), "confirmation_required");
    for change in [json!({ "allowed_domains": [] }), json!({ "identity_mode": "same_browser" })] {
        patch(change).await.ok();
    }
    confirm(&otto, json!({ "password": PASSWORD })).await.ok();
    patch(json!({ "identity_mode": "shared" })).await.ok();
    world.pass(LATER_S);
    patch(json!({ "identity_mode": "shared" })).await.ok();
}
