//! Every route, called by those who may not.

use ocs::http::route::{Caller, Route};
use ocs::routes::all_routes;
use serde_json::json;

use crate::world::World;

/// A path with real numbers of somebody's things in it.
fn filled(path: &str, workspace: i64, site: i64, conversation: i64) -> String {
    let path = path.replace("{workspace}", &workspace.to_string()).replace("{site}", &site.to_string());
    let path = path.replace("{conversation}", &conversation.to_string()).replace("{name}", "x.png");
    ["{key}", "{secret}", "{session}", "{account}", "{invitation}"]
        .iter()
        .fold(path, |path, name| path.replace(name, "1"))
}

#[tokio::test]
async fn strangers_are_refused_on_every_route_that_is_not_for_anyone() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    for route in all_routes() {
        let path = filled(route.path, otto.workspace, shop.id, 1);
        let answer = world.http().json(route.method.clone(), &path, &[], &json!({})).await;
        let status = answer.status.as_u16();
        match route.caller {
            Caller::Anyone => {}
            // Sockets ask who it is in their first frame.
            _ if route.path.ends_with("/socket") => assert!(matches!(status, 400 | 403), "{path}: {status}"),
            Caller::Visitor if route.path == "/api/widget" => {
                assert_eq!(status, 400, "{path}: a command says what to do")
            }
            Caller::Visitor | Caller::Operator | Caller::Member(_) | Caller::SiteMember(_) | Caller::ChatKey => {
                assert_eq!(status, 401, "{} {path}", route.method);
            }
        }
    }
}

#[tokio::test]
async fn other_owners_find_nothing_and_cannot_tell_foreign_from_missing() {
    let world = World::new().await;
    let (otto, mallory) = (world.owner("otto").await, world.owner("mallory").await);
    let shop = otto.site("Shop").await;
    mallory.site("Elsewhere").await;
    world.visitor(&shop, "vera").await.send("v1", "a secret").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let of_members = |route: &Route| matches!(route.caller, Caller::Member(_) | Caller::SiteMember(_));
    for route in all_routes().into_iter().filter(of_members) {
        let strip = |path: String| path.trim_start_matches("/api/console/").to_owned();
        let foreign = strip(filled(route.path, otto.workspace, shop.id, conversation));
        let missing = strip(filled(route.path, 999_999, 999_999, 999_999));
        let body = json!({ "name": "mine now", "client_id": "m", "text": "x" });
        let foreign = mallory.call(route.method.clone(), &foreign, body.clone()).await;
        let missing = mallory.call(route.method.clone(), &missing, body).await;
        assert_eq!(foreign.status, missing.status, "{} {}", route.method, route.path);
        assert_eq!(foreign.bytes, missing.bytes, "{} {}", route.method, route.path);
        assert!(foreign.status.as_u16() == 404, "{} {}: {}", route.method, route.path, foreign.status);
    }
    assert!(mallory.inbox("state=all").await.is_empty());
    assert_eq!(
        mallory.call(hyper::Method::GET, &format!("conversations?site={}", shop.id), json!({})).await.status,
        404
    );
    assert_eq!(otto.thread(&shop, conversation).await, ["a secret"]);

    // Hints about other owners' conversations are passed over.
    let mut console = mallory.listen().await;
    console.frame("welcome").await;
    let mut otto_console = otto.listen().await;
    console.say(json!({ "type": "seen", "site_id": shop.id, "conversation_id": conversation, "seq": 1 })).await;
    world.visitor(&shop, "vera2").await.send("v2", "next").await.ok();
    otto_console.event("message_sent").await;
    assert_eq!(otto.inbox("unread=true").await.len(), 2);
}

/// What every answer says about being kept, whoever asks and whatever it comes to.
#[tokio::test]
async fn nothing_that_is_for_somebody_is_kept_by_anybody_else() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    world.visitor(&shop, "vera").await.send("v1", "a secret").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    for route in all_routes() {
        let path = filled(route.path, otto.workspace, shop.id, conversation);
        let signed_in = [("cookie", otto.cookie.as_str()), ("x-csrf-token", otto.csrf.as_str())];
        // Deleting and signing out would end what the other rows need.
        let harmless = route.method != hyper::Method::DELETE && !path.contains("sign-out") && !path.contains("delete");
        let callers: &[&[(&str, &str)]] = if harmless { &[&[], &signed_in] } else { &[&[]] };
        for headers in callers {
            let body = if route.method == hyper::Method::GET { String::new() } else { "{}".to_owned() };
            let all = [&[("content-type", "application/json")], *headers].concat();
            let answer = world.http().send(route.method.clone(), &path, &all, body).await;
            let rule = answer.headers.get("cache-control").and_then(|rule| rule.to_str().ok()).unwrap_or_default();
            let may_be_kept = route.caller == Caller::Anyone && answer.status.is_success();
            assert!(
                rule == "no-store" || may_be_kept && (rule.contains("max-age") || rule == "no-cache"),
                "{} {path}: {} says {rule:?}",
                route.method,
                answer.status
            );
        }
    }
}
