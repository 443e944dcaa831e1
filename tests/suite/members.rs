//! Teams: who is let into a workspace, what each may do there, and that it ends at once.

use hyper::Method;
use ocs::config::Signup;
use ocs::http::route::Caller;
use ocs::members::Role;
use ocs::routes::all_routes;
use serde_json::{Value, json};

use crate::connections::Raw;
use crate::console_path::console_path;
use crate::world::{Answer, Line, Owner, World};

const PASSWORD: &str = "correct horse battery";

/// Invites somebody; answers with the token of the link.
async fn invited(by: &Owner, role: &str, sites: Value) -> String {
    let body = json!({ "note": "for a colleague", "role": role, "sites": sites });
    let made = by.call(Method::POST, "invitations", body).await.ok();
    let link = made["link"].as_str().expect("a link").to_owned();
    link.split_once("/invite#").expect("a token").1.to_owned()
}

/// Somebody new signs up through a link.
async fn joined(world: &World, name: &str, token: &str) -> Owner {
    let answer = join(world, name, token).await;
    Owner::from(world.http().clone(), answer)
}

async fn join(world: &World, name: &str, token: &str) -> Answer {
    let body = json!({ "token": token, "email": format!("{name}@example.org"), "password": PASSWORD, "name": name });
    world.http().json(Method::POST, "/api/console/invitation/sign-up", &[], &body).await
}

/// A colleague of `by` with this role.
async fn colleague(world: &World, by: &Owner, name: &str, role: &str, sites: Value) -> Owner {
    joined(world, name, &invited(by, role, sites).await).await
}

async fn member(viewer: &Owner, name: &str) -> Value {
    let all = viewer.get("members").await["members"].clone();
    let found = all.as_array().expect("a list").iter().find(|member| member["name"] == name).cloned();
    found.unwrap_or_default()
}

async fn change(by: &Owner, name: &str, change: Value) -> Answer {
    let id = member(by, name).await["account_id"].clone();
    by.call(Method::PATCH, &format!("workspaces/{}/members/{id}", by.workspace), change).await
}

#[tokio::test]
async fn a_colleague_is_invited_by_a_link_that_works_once_also_where_sign_up_is_closed() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let token = invited(&otto, "operator", json!(null)).await;
    let shown = world.http().json(Method::POST, "/api/console/invitation", &[], &json!({ "token": token })).await.ok();
    assert_eq!(
        (&shown["workspace"], &shown["role"], &shown["invited_by"]),
        (&json!("otto"), &json!("operator"), &json!("otto"))
    );
    assert_eq!(otto.get("invitations").await["invitations"][0]["note"], "for a colleague");

    let vera = joined(&world, "vera", &token).await;
    assert_eq!(vera.workspace, otto.workspace, "and no workspace of her own");
    assert_eq!(vera.get("me").await["workspaces"].as_array().map(Vec::len), Some(1));
    assert_eq!(join(&world, "mallory", &token).await.code(), "not_found", "it is used up");
    assert_eq!(
        world.http().json(Method::POST, "/api/console/invitation", &[], &json!({ "token": token })).await.status,
        404
    );
    assert!(otto.get("invitations").await["invitations"].as_array().expect("a list").is_empty());
    let names: Vec<Value> =
        otto.get("members").await["members"].as_array().expect("a list").iter().map(|m| m["name"].clone()).collect();
    assert_eq!(names, ["otto", "vera"]);

    let closed = World::with(|config| config.signup = Signup::Closed).await;
    assert_eq!(join(&closed, "vera", "a guess").await.code(), "not_found");
}

#[tokio::test]
async fn an_invitation_ends_by_itself_when_it_is_withdrawn_and_with_who_made_it() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let old = invited(&otto, "operator", json!(null)).await;
    world.pass(7 * 24 * 3600);
    otto.confirm().await;
    assert_eq!(join(&world, "late", &old).await.code(), "not_found");

    let withdrawn = invited(&otto, "operator", json!(null)).await;
    let id = otto.get("invitations").await["invitations"][0]["id"].clone();
    otto.call(Method::DELETE, &format!("workspaces/{}/invitations/{id}", otto.workspace), json!({})).await.ok();
    assert_eq!(join(&world, "gone", &withdrawn).await.code(), "not_found");

    let ada = colleague(&world, &otto, "ada", "admin", json!(null)).await;
    let hers = invited(&ada, "operator", json!(null)).await;
    change(&otto, "ada", json!({ "role": "operator" })).await.ok();
    assert_eq!(join(&world, "late", &hers).await.code(), "not_found", "she may not invite any more");
}

/// Who has less than before leaves no link behind that gives more than they have.
#[tokio::test]
async fn a_former_owner_leaves_no_link_to_become_one() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    colleague(&world, &otto, "ada", "admin", json!(null)).await;
    let link = invited(&otto, "owner", json!(null)).await;
    let to = member(&otto, "ada").await["account_id"].clone();
    let body = json!({ "account_id": to, "password": PASSWORD });
    otto.call(Method::POST, &format!("workspaces/{}/transfer", otto.workspace), body).await.ok();
    assert_eq!(join(&world, "friend", &link).await.code(), "not_found");
}

#[tokio::test]
async fn a_member_whose_site_was_deleted_is_changed_all_the_same() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, gone) = (otto.site("Own").await, otto.site("Gone").await);
    colleague(&world, &otto, "lisa", "operator", json!([own.id, gone.id])).await;
    otto.call(Method::DELETE, &format!("sites/{}", gone.id), json!({})).await.ok();
    assert_eq!(change(&otto, "lisa", json!({ "role": "viewer" })).await.ok()["role"], "viewer");
    assert_eq!(change(&otto, "lisa", json!({ "sites": [gone.id] })).await.code(), "invalid_request");
}

#[tokio::test]
async fn somebody_with_an_account_joins_and_works_in_both_workspaces() {
    let world = World::new().await;
    let (otto, nils) = (world.owner("otto").await, world.owner("nils").await);
    let shop = otto.site("Shop").await;
    let own = nils.site("Bakery").await;
    let token = invited(&otto, "operator", json!(null)).await;
    let me = nils.call(Method::POST, "invitation/accept", json!({ "token": token })).await.ok();
    let workspaces: Vec<i64> =
        me["workspaces"].as_array().expect("a list").iter().filter_map(|one| one["id"].as_i64()).collect();
    assert_eq!(workspaces, [otto.workspace, nils.workspace]);
    let there = Owner { workspace: otto.workspace, ..nils.clone() };
    assert_eq!(there.get("my-sites").await["sites"][0]["id"], shop.id);
    assert_eq!(nils.get("my-sites").await["sites"][0]["id"], own.id);
    let again = invited(&otto, "viewer", json!(null)).await;
    assert_eq!(nils.call(Method::POST, "invitation/accept", json!({ "token": again })).await.code(), "conflict");
    assert_eq!(otto.get("invitations").await["invitations"].as_array().map(Vec::len), Some(1), "it is not used up");
}

#[tokio::test]
async fn both_sides_see_who_wrote() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let ada = colleague(&world, &otto, "Ada", "operator", json!(null)).await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "Hello").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let mut page = vera.listen().await;
    page.frame("welcome").await;
    ada.reply(&shop, conversation, "a1", "I am Ada").await.ok();
    page.event("message_sent").await;
    let told = page.event("message_sent").await;
    assert_eq!(told["message"]["name"], "Ada", "{told}");
    otto.reply(&shop, conversation, "o1", "and I am Otto").await.ok();
    let thread = ada.get(&format!("sites/{}/conversations/{conversation}", shop.id)).await;
    let names: Vec<&Value> =
        thread["messages"].as_array().expect("a list").iter().map(|message| &message["name"]).collect();
    assert_eq!(names[1..], [&json!("Ada"), &json!("otto")]);
}

/// A member of an agency's client sees its own site, and nothing of the others.
#[tokio::test]
async fn a_member_of_one_site_finds_nothing_of_the_others() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, other) = (otto.site("Lamp Shop").await, otto.site("Secret Project").await);
    let lisa = colleague(&world, &otto, "lisa", "operator", json!([own.id])).await;
    colleague(&world, &otto, "sam", "operator", json!([other.id])).await;
    for (site, who) in [(&own, "vera"), (&other, "hidden")] {
        let visitor = world.visitor(site, who).await;
        visitor.send("m1", &format!("a word from {who}")).await.ok();
    }
    let conversation = otto.inbox(&format!("site={}", other.id)).await[0]["id"].as_i64().expect("a number");

    let sites = lisa.get("my-sites").await["sites"].clone();
    assert_eq!(sites.as_array().map(Vec::len), Some(1));
    assert_eq!(sites[0]["id"], own.id);
    let inbox = lisa.get("conversations?state=all").await;
    assert_eq!(inbox["conversations"].as_array().map(Vec::len), Some(1));
    assert_eq!((&inbox["counts"]["open"], &inbox["counts"]["unread"]), (&json!(1), &json!(1)));
    assert_eq!(lisa.inbox("unread=true").await.len(), 1);
    let found = lisa.get("search?q=word").await["messages"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert!(lisa.get("people?q=hidden").await["conversations"].as_array().expect("a list").is_empty());
    assert_eq!(lisa.get("people?q=vera").await["conversations"].as_array().map(Vec::len), Some(1));
    let names: Vec<Value> =
        lisa.get("members").await["members"].as_array().expect("a list").iter().map(|m| m["name"].clone()).collect();
    assert_eq!(names, ["otto", "lisa"], "she does not know of sam");
    assert_eq!(member(&lisa, "otto").await["sites"], json!([own.id]), "nor what else otto does");
    for path in [
        format!("sites/{}", other.id),
        format!("sites/{}/conversations/{conversation}", other.id),
        format!("conversations?site={}", other.id),
        format!("search?q=word&site={}", other.id),
    ] {
        assert_eq!(lisa.call(Method::GET, &path, json!({})).await.code(), "not_found", "{path}");
    }
    assert_eq!(lisa.reply(&other, conversation, "l1", "hello?").await.code(), "not_found");

    // Live, and after an absence.
    let (mut hers, mut ottos) = (lisa.listen().await, otto.listen().await);
    hers.frame("welcome").await;
    let cursor = hers.frame("beat").await["cursor"].as_str().expect("a cursor").to_owned();
    ottos.frame("welcome").await;
    let hidden = world.visitor(&other, "hidden2").await;
    hidden.send("m2", "only for otto").await.ok();
    ottos.event("message_sent").await;
    world.visitor(&own, "vera2").await.send("m3", "for both").await.ok();
    assert_eq!(hers.event("message_sent").await["message"]["text"], "for both");
    drop(hers);
    let mut again = lisa.listen_from(&cursor).await;
    assert_eq!(again.event("message_sent").await["message"]["text"], "for both");
}

#[tokio::test]
async fn a_site_that_a_member_gets_while_away_arrives_with_its_past() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, other) = (otto.site("Lamp Shop").await, otto.site("Clay Studio").await);
    let lisa = colleague(&world, &otto, "lisa", "operator", json!([own.id])).await;
    let mut line = lisa.listen().await;
    line.frame("welcome").await;
    world.visitor(&other, "vera").await.send("m1", "before").await.ok();
    otto.confirm().await;
    change(&otto, "lisa", json!({ "sites": [own.id, other.id] })).await.ok();
    line.frame("resync").await;
    assert_eq!(lisa.inbox("").await.len(), 1, "and there is its past");
    change(&otto, "lisa", json!({ "sites": null })).await.ok();
    assert_eq!(member(&otto, "lisa").await["sites"], json!(null));
}

/// Whether a line ends with a refusal.
async fn is_refused(line: &mut Line) -> String {
    line.frame("refused").await["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn who_is_removed_or_deactivated_is_out_at_once() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let ada = colleague(&world, &otto, "ada", "operator", json!(null)).await;
    let mut line = ada.listen().await;
    line.frame("welcome").await;
    change(&otto, "ada", json!({ "active": false })).await.ok();
    line.frame("resync").await;
    assert_eq!(ada.call(Method::GET, "conversations", json!({})).await.code(), "not_found");
    assert_eq!(ada.call(Method::POST, "ticket", json!({})).await.code(), "not_found");
    assert_eq!(ada.call(Method::GET, &format!("sites/{}", shop.id), json!({})).await.code(), "not_found");
    assert!(ada.get("me").await["workspaces"].as_array().expect("a list").is_empty());
    change(&otto, "ada", json!({ "active": true })).await.ok();
    let mut line = ada.listen().await;
    line.frame("welcome").await;
    let id = member(&otto, "ada").await["account_id"].clone();
    otto.call(Method::DELETE, &format!("workspaces/{}/members/{id}", otto.workspace), json!({})).await.ok();
    assert_eq!(is_refused(&mut line).await, "not_found");
    assert_eq!(ada.call(Method::GET, "my-sites", json!({})).await.code(), "not_found");
}

/// A ticket that was made before a change lets nobody in as they were.
#[tokio::test]
async fn a_ticket_of_before_a_change_opens_no_old_view() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, other) = (otto.site("Lamp Shop").await, otto.site("Clay Studio").await);
    let lisa = colleague(&world, &otto, "lisa", "operator", json!(null)).await;
    let cursor = lisa.get("conversations").await["cursor"].clone();
    let ticket = lisa.call(Method::POST, "ticket", json!({})).await.ok()["ticket"].clone();
    change(&otto, "lisa", json!({ "sites": [own.id] })).await.ok();
    let mut line = Line::open(world.address(), "/api/console/socket").await;
    line.say(json!({ "type": "hello", "ticket": ticket, "cursor": cursor })).await;
    world.visitor(&other, "vera").await.send("m1", "not for lisa").await.ok();
    line.frame("resync").await;
}

#[tokio::test]
async fn a_workspace_keeps_an_owner() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let ada = colleague(&world, &otto, "ada", "admin", json!(null)).await;
    let leave = format!("workspaces/{}/leave", otto.workspace);
    assert_eq!(otto.call(Method::POST, &leave, json!({})).await.code(), "last_owner");
    assert_eq!(change(&otto, "otto", json!({ "role": "admin" })).await.code(), "last_owner");
    assert_eq!(change(&otto, "otto", json!({ "active": false })).await.code(), "last_owner");
    let delete = json!({ "password": PASSWORD });
    assert_eq!(otto.call(Method::POST, "account/delete", delete.clone()).await.code(), "last_owner");
    assert_eq!(change(&ada, "otto", json!({ "role": "viewer" })).await.code(), "role_required");

    let transfer = format!("workspaces/{}/transfer", otto.workspace);
    let to = member(&otto, "ada").await["account_id"].clone();
    let wrong = otto.call(Method::POST, &transfer, json!({ "account_id": to, "password": "a guess" })).await;
    assert_eq!(wrong.code(), "wrong_credentials");
    let own = otto.call(Method::POST, &transfer, json!({ "account_id": to, "password": PASSWORD })).await.ok();
    assert_eq!(own["role"], "admin");
    assert_eq!(member(&otto, "ada").await["role"], "owner");
    otto.call(Method::POST, "account/delete", delete).await.ok();
    assert_eq!(member(&ada, "ada").await["role"], "owner");
    assert_eq!(ada.get("members").await["members"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_workspace_is_deleted_by_who_types_its_name() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let ada = colleague(&world, &otto, "ada", "operator", json!(null)).await;
    let shop = otto.site("Shop").await;
    let second = otto.call(Method::POST, "workspaces", json!({ "name": "Agency" })).await.ok();
    let agency = Owner { workspace: second["id"].as_i64().expect("an id"), ..otto.clone() };
    agency.site("Client").await;
    let path = format!("workspaces/{}", otto.workspace);
    let mut line = ada.listen().await;
    line.frame("welcome").await;
    let delete = |name: &str| otto.call(Method::DELETE, &path, json!({ "password": PASSWORD, "name": name }));
    assert_eq!(delete("Otto").await.json()["error"]["field"], "name");
    assert_eq!(otto.get("my-sites").await["sites"][0]["id"], shop.id);
    delete("otto").await.ok();
    assert_eq!(is_refused(&mut line).await, "not_found");
    assert_eq!(otto.call(Method::GET, "my-sites", json!({})).await.code(), "not_found");
    assert_eq!(world.http().get(&format!("/api/widget/welcome?key={}", shop.widget_key)).await.code(), "unknown_site");
    assert_eq!(agency.get("my-sites").await["sites"].as_array().map(Vec::len), Some(1), "the other one stays");
    assert!(ada.get("me").await["workspaces"].as_array().expect("a list").is_empty());
}

#[tokio::test]
async fn colleagues_see_each_other_and_where_they_are() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, other) = (otto.site("Shop").await, otto.site("Other").await);
    let ada = colleague(&world, &otto, "ada", "operator", json!(null)).await;
    let lisa = colleague(&world, &otto, "lisa", "operator", json!([other.id])).await;
    world.visitor(&shop, "vera").await.send("v1", "Hello").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let (mut ottos, mut lisas) = (otto.listen().await, lisa.listen().await);
    ottos.frame("welcome").await;
    lisas.frame("welcome").await;
    assert_eq!(member(&otto, "ada").await["online"], false);
    let mut adas = ada.listen().await;
    adas.frame("welcome").await;
    let online = loop {
        let signal = ottos.signal("member_online").await;
        if signal["account_id"] == member(&otto, "ada").await["account_id"] {
            break signal;
        }
    };
    assert_eq!(online["online"], true);
    assert_eq!(member(&otto, "ada").await["online"], true);
    let there = json!({ "type": "viewing", "site_id": shop.id, "conversation_id": conversation, "typing": true });
    adas.say(there).await;
    let seen = ottos.signal("viewing").await;
    assert_eq!(
        (&seen["name"], &seen["typing"], &seen["conversation_id"]),
        (&json!("ada"), &json!(true), &json!(conversation))
    );
    adas.say(json!({ "type": "left", "site_id": shop.id, "conversation_id": conversation })).await;
    ottos.signal("left").await;
    // What happens on a site that is not hers is not told to Lisa: the next thing that she hears of is hers.
    let hers = world.visitor(&other, "mia").await;
    hers.send("m1", "for lisa").await.ok();
    loop {
        let frame = lisas.next().await.expect("a frame");
        assert!(frame["signal"]["kind"] != "viewing" && frame["signal"]["kind"] != "left", "{frame}");
        if frame["event"]["kind"] == "message_sent" {
            break;
        }
    }
}

/// Visitors are told that operators are online by those who may answer them.
#[tokio::test]
async fn online_means_that_somebody_may_answer_on_this_site() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, other) = (otto.site("Shop").await, otto.site("Other").await);
    let viewer = colleague(&world, &otto, "vic", "viewer", json!(null)).await;
    let lisa = colleague(&world, &otto, "lisa", "operator", json!([other.id])).await;
    let is_online = async |site: &crate::world::Site| {
        let welcome = world.http().get(&format!("/api/widget/welcome?key={}", site.widget_key)).await.ok();
        welcome["operators_online"].clone()
    };
    let mut line = viewer.listen().await;
    line.frame("welcome").await;
    assert_eq!(is_online(&shop).await, false, "a viewer cannot answer");
    let mut hers = lisa.listen().await;
    hers.frame("welcome").await;
    assert_eq!((is_online(&shop).await, is_online(&other).await), (json!(false), json!(true)));

    // Nor does reading along tell the visitor that it was seen.
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "Hello").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    line.say(json!({ "type": "seen", "site_id": shop.id, "conversation_id": conversation, "seq": 1 })).await;
    line.say(json!({ "type": "viewing", "site_id": shop.id, "conversation_id": conversation, "typing": false })).await;
    line.signal("viewing").await;
    assert_eq!(otto.inbox("unread=true").await.len(), 1);
    assert_eq!(viewer.reply(&shop, conversation, "x1", "no").await.code(), "role_required");
}

/// The token of a link that the operator of the machine makes.
async fn reset_link(world: &mut World, email: &str) -> String {
    world.stop().await;
    let data = world.data();
    let made = std::process::Command::new(env!("CARGO_BIN_EXE_ocs"))
        .env_clear()
        .args(["user", "reset", "--email", email, "--json", "--data"])
        .arg(&data)
        .output()
        .expect("the program runs");
    world.start().await;
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    made["link"].as_str().expect("a link").split_once("/reset#").expect("a token").1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_sets_a_new_password_once() {
    let mut world = World::new().await;
    world.owner("otto").await;
    let token = reset_link(&mut world, "otto@example.org").await;
    let otto = world.owner_again("otto").await;
    let ask = async |path: &str, body: Value| world.http().json(Method::POST, path, &[], &body).await;
    let shown = ask("/api/console/reset", json!({ "token": token })).await.ok();
    assert_eq!(shown["email"], "otto@example.org");
    let set = async |password: &str| {
        ask("/api/console/reset/password", json!({ "token": token, "password": password })).await
    };
    assert_eq!(set("short").await.code(), "weak_password");
    set("another horse battery").await.ok();
    assert_eq!(otto.call(Method::GET, "me", json!({})).await.code(), "not_signed_in", "all sessions end");
    assert_eq!(set("a third horse battery").await.code(), "not_found", "once");
    let body = json!({ "email": "otto@example.org", "password": "another horse battery" });
    ask("/api/console/sign-in", body).await.ok();
    let late = reset_link(&mut world, "otto@example.org").await;
    world.pass(24 * 3600 + 60);
    let answer = world.http().json(Method::POST, "/api/console/reset", &[], &json!({ "token": late })).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn the_address_is_changed_by_who_knows_the_password() {
    let world = World::new().await;
    let (otto, _) = (world.owner("otto").await, world.owner("nils").await);
    let ask = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        let otto = otto.clone();
        async move { otto.call(Method::POST, "account/email", body).await }
    };
    assert_eq!(ask("new@example.org", "a guess").await.code(), "wrong_credentials");
    assert_eq!(ask("nils@example.org", PASSWORD).await.code(), "email_taken");
    assert_eq!(ask("New@Example.org", PASSWORD).await.ok()["account"]["email"], "new@example.org");
    let sign_in = async |email: &str| {
        let body = json!({ "email": email, "password": PASSWORD });
        world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await
    };
    assert_eq!(sign_in("otto@example.org").await.code(), "wrong_credentials");
    sign_in("new@example.org").await.ok();
}

#[tokio::test]
async fn what_people_do_to_people_is_written_down_for_the_workspace() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let ada = colleague(&world, &otto, "ada", "admin", json!(null)).await;
    change(&otto, "ada", json!({ "role": "operator", "sites": [shop.id] })).await.ok();
    assert_eq!(ada.call(Method::GET, "audit", json!({})).await.code(), "role_required");
    change(&otto, "ada", json!({ "role": "admin" })).await.ok();
    let entries = otto.get("audit").await["entries"].clone();
    let told: Vec<String> = entries
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one["account_name"].as_str().unwrap_or("-"),
                one["action"].as_str().unwrap_or_default(),
                one["subject"].as_str().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        told[..4],
        [
            "otto member_changed ada@example.org: operator to admin",
            "otto member_changed ada@example.org: admin to operator, 1 sites",
            "ada member_joined ada@example.org",
            "otto member_invited for a colleague: admin",
        ]
    );
    assert!(told.iter().any(|line| line.contains("site_made")), "{told:?}");
    let hers = ada.get("audit").await["entries"].clone();
    assert!(hers.as_array().expect("a list").iter().all(|entry| entry["site_id"] == shop.id), "{hers}");
}

#[tokio::test]
async fn nobody_makes_themselves_more_than_they_are() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, other) = (otto.site("Lamp Shop").await, otto.site("Clay Studio").await);
    let ada = colleague(&world, &otto, "ada", "admin", json!([own.id])).await;
    for grant in [json!({ "role": "owner" }), json!({ "sites": null }), json!({ "sites": [own.id, other.id] })] {
        let code = change(&ada, "ada", grant.clone()).await.code();
        assert!(matches!(code.as_str(), "role_required" | "invalid_request"), "{grant}: {code}");
    }
    for body in [
        json!({ "note": "x", "role": "admin", "sites": null }),
        json!({ "note": "x", "role": "owner", "sites": [own.id] }),
        json!({ "note": "x", "role": "operator", "sites": [other.id] }),
    ] {
        let code = ada.call(Method::POST, "invitations", body.clone()).await.code();
        assert!(matches!(code.as_str(), "role_required" | "invalid_request"), "{body}: {code}");
    }
    let foreign = json!({ "note": "x", "role": "operator", "sites": [999_999] });
    assert_eq!(otto.call(Method::POST, "invitations", foreign).await.code(), "invalid_request");
    assert_eq!(ada.call(Method::POST, "sites", json!({ "name": "Mine" })).await.code(), "role_required");
    let rename = ada.call(Method::PATCH, &format!("workspaces/{}", otto.workspace), json!({ "name": "Mine" })).await;
    assert_eq!(rename.code(), "role_required");
    assert_eq!(member(&ada, "ada").await["role"], "admin");
}

/// Every route × every role × a site that is theirs, a site of the workspace that is not, and another workspace.
#[tokio::test]
async fn each_role_is_let_through_where_the_table_says_so_and_nowhere_else() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, other) = (otto.site("Own").await, otto.site("Other").await);
    let stranger = world.owner("stranger").await;
    let foreign = stranger.site("Foreign").await;
    let mut people = vec![(Role::Owner, otto.clone())];
    for (role, name) in [(Role::Admin, "admin"), (Role::Operator, "operator"), (Role::Viewer, "viewer")] {
        people.push((
            role,
            colleague(&world, &otto, name, name, json!(if role == Role::Owner { None } else { Some([own.id]) })).await,
        ));
    }
    for route in all_routes() {
        let (Caller::Member(least) | Caller::SiteMember(least)) = route.caller else { continue };
        for (role, person) in &people {
            for (workspace, site, is_theirs) in [
                (otto.workspace, own.id, true),
                (otto.workspace, other.id, *role == Role::Owner),
                (stranger.workspace, foreign.id, false),
            ] {
                let of_site = matches!(route.caller, Caller::SiteMember(_));
                if !of_site && site == other.id {
                    continue;
                }
                let path =
                    route.path.replace("{workspace}", &workspace.to_string()).replace("{site}", &site.to_string());
                let names = ["{conversation}", "{key}", "{secret}", "{account}", "{invitation}"];
                let path = names.iter().fold(path, |path, name| path.replace(name, "999999"));
                let path = path.trim_start_matches("/api/console/");
                // Fields that no route takes: nothing happens, and who is let through is told of them.
                let full = format!("/api/console/{path}");
                let headers = [("cookie", person.cookie.as_str()), ("x-csrf-token", person.csrf.as_str())];
                let answer = if path.ends_with("/leave") || path.ends_with("stream") || route.method == Method::DELETE {
                    continue;
                } else if route.method == Method::GET {
                    world.http().send(Method::GET, &full, &headers, "").await
                } else {
                    world.http().json(route.method.clone(), &full, &headers, &json!({ "no": "such field" })).await
                };
                let place = format!("{role:?} {} {full}: {}", route.method, answer.status);
                let code = if answer.status.is_success() { String::new() } else { answer.code() };
                match (is_theirs, *role >= least) {
                    (false, _) => assert_eq!(code, "not_found", "{place}"),
                    (true, false) => assert_eq!(code, "role_required", "{place}"),
                    (true, true) => assert_ne!(code, "role_required", "{place}"),
                }
            }
        }
    }
}

/// What a server promises to hold, it holds: as many sites as its settings say, and a clear refusal of one more.
#[tokio::test]
async fn a_workspace_has_as_many_sites_as_the_server_allows() {
    let world = World::with(|config| config.sites_per_workspace = 1_000).await;
    let otto = world.owner("otto").await;
    for number in 0..1_000 {
        otto.call(Method::POST, "sites", json!({ "name": format!("Site {number}") })).await.ok();
    }
    assert_eq!(otto.get("my-sites").await["sites"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(otto.call(Method::POST, "sites", json!({ "name": "One more" })).await.code(), "conflict");
}

#[tokio::test]
async fn a_photo_is_seen_by_colleagues_and_goes_with_its_person() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let ada = colleague(&world, &otto, "ada", "operator", json!(null)).await;
    let headers = [("cookie", ada.cookie.as_str()), ("x-csrf-token", ada.csrf.as_str()), ("content-type", "image/png")];
    let set = async || {
        let picture = crate::images::png(300, 200);
        world.http().send(Method::PUT, "/api/console/account/photo", &headers, picture).await.ok()
    };
    let first = set().await["account"]["photo"].as_str().expect("a path").to_owned();
    assert_eq!(member(&otto, "ada").await["photo"], first.as_str());
    assert!(world.http().get(&first).await.status.is_success());
    let second = set().await["account"]["photo"].as_str().expect("a path").to_owned();
    assert_ne!(first, second);
    let bad = world.http().send(Method::PUT, "/api/console/account/photo", &headers, "no picture").await;
    assert_eq!(bad.code(), "invalid_image");
    let me = ada.call(Method::DELETE, "account/photo", json!({})).await.ok();
    assert_eq!(me["account"]["photo"], Value::Null);
    set().await;
    ada.call(Method::POST, "account/delete", json!({ "password": PASSWORD })).await.ok();
    let orphans = world.store().one::<(i64,)>("SELECT COUNT(*) FROM leftover_files", []).await.expect("an answer");
    assert!(orphans.is_some_and(|(count,)| count <= 3), "the sweep removes them");
}

/// Somebody who was removed and comes back is not who they were: a ticket from before opens nothing.
#[tokio::test]
async fn a_ticket_from_before_a_removal_opens_nothing_after_coming_back() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, other) = (otto.site("Own").await, otto.site("Other").await);
    let bob = colleague(&world, &otto, "bob", "admin", json!(null)).await;
    let cursor = bob.get("conversations").await["cursor"].clone();
    let ticket = bob.call(Method::POST, "ticket", json!({})).await.ok()["ticket"].clone();
    let id = member(&otto, "bob").await["account_id"].clone();
    otto.call(Method::DELETE, &format!("workspaces/{}/members/{id}", otto.workspace), json!({})).await.ok();
    let again = invited(&otto, "viewer", json!([own.id])).await;
    bob.call(Method::POST, "invitation/accept", json!({ "token": again })).await.ok();
    let mut line = Line::open(world.address(), "/api/console/socket").await;
    line.say(json!({ "type": "hello", "ticket": ticket, "cursor": cursor })).await;
    world.visitor(&other, "vera").await.send("m1", "not for bob").await.ok();
    line.frame("resync").await;
}

#[tokio::test]
async fn a_limited_admin_cannot_tell_unseen_sites_from_missing_ones() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, other) = (otto.site("Own").await, otto.site("Other").await);
    let ada = colleague(&world, &otto, "ada", "admin", json!([own.id])).await;
    colleague(&world, &otto, "vic", "viewer", json!([own.id])).await;
    for site in [other.id, 999_999, -1] {
        assert_eq!(change(&ada, "vic", json!({ "sites": [own.id, site] })).await.code(), "role_required", "{site}");
    }
}

/// A request of a member whose body waits for its last byte.
async fn held_open(world: &World, person: &Owner, method: &str, path: &str, body: &str) -> Raw {
    let mut raw = Raw::open(world).await;
    let head = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nX-CSRF-Token: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        console_path(person.workspace, path),
        world.address(),
        person.cookie,
        person.csrf,
        body.len(),
    );
    raw.say(head.as_bytes()).await;
    raw.say(&body.as_bytes()[..body.len() - 1]).await;
    raw
}

/// Rights are judged when something happens, and not when the request began.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_held_open_acts_on_no_right_that_has_ended() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let ada = colleague(&world, &otto, "ada", "owner", json!(null)).await;
    let ben = colleague(&world, &otto, "ben", "admin", json!(null)).await;
    let workspace = otto.get(&format!("workspaces/{}", otto.workspace)).await["name"].clone();
    let delete = json!({ "password": PASSWORD, "name": workspace }).to_string();
    let mut held = Vec::new();
    for (person, method, path, body) in [
        (&ada, "DELETE", format!("workspaces/{}", otto.workspace), delete),
        (&ben, "POST", "invitations".into(), json!({ "note": "me", "role": "admin", "sites": null }).to_string()),
        (&ben, "POST", format!("sites/{}/chat-keys", shop.id), json!({ "beside": true }).to_string()),
        (&ben, "PATCH", format!("workspaces/{}", otto.workspace), json!({ "name": "Mine" }).to_string()),
    ] {
        held.push((held_open(&world, person, method, &path, &body).await, body));
    }
    change(&otto, "ada", json!({ "role": "viewer" })).await.ok();
    let id = member(&otto, "ben").await["account_id"].clone();
    otto.call(Method::DELETE, &format!("workspaces/{}/members/{id}", otto.workspace), json!({})).await.ok();
    for (mut raw, body) in held {
        raw.say(&body.as_bytes()[body.len() - 1..]).await;
        let answer = String::from_utf8(raw.end().await.expect("an answer")).expect("text");
        assert!(answer.contains("role_required") || answer.contains("not_found"), "{answer}");
    }
    assert_eq!(otto.get(&format!("workspaces/{}", otto.workspace)).await["name"], workspace);
    assert!(otto.get("invitations").await["invitations"].as_array().expect("a list").is_empty());
}

/// Whoever sends slowly holds up none of their colleagues.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_held_open_hold_up_no_colleague() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let vic = colleague(&world, &otto, "vic", "viewer", json!(null)).await;
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(held_open(&world, &vic, "POST", "hint", r#"{"type":"alive"}"#).await);
    }
    let answer = tokio::time::timeout(std::time::Duration::from_secs(5), otto.get("members")).await;
    assert_eq!(answer.expect("at once")["members"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn who_was_deactivated_comes_back_by_the_word_of_somebody_who_may_change_them() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (own, other) = (otto.site("Own").await, otto.site("Other").await);
    let lisa = colleague(&world, &otto, "lisa", "admin", json!([own.id])).await;
    let sam = colleague(&world, &otto, "sam", "operator", json!([own.id, other.id])).await;
    change(&otto, "sam", json!({ "active": false })).await.ok();
    let hers = invited(&lisa, "operator", json!([own.id])).await;
    assert_eq!(sam.call(Method::POST, "invitation/accept", json!({ "token": hers })).await.code(), "conflict");
    let ottos = invited(&otto, "viewer", json!([own.id])).await;
    sam.call(Method::POST, "invitation/accept", json!({ "token": ottos })).await.ok();
    assert_eq!(member(&otto, "sam").await["role"], "viewer");
}

#[tokio::test]
async fn a_link_says_what_it_offers_and_a_new_workspace_has_the_name_that_it_was_given() {
    let world = World::new().await;
    let body = json!({ "email": "o@example.org", "password": PASSWORD, "name": "Otto", "workspace": "Baker & Adler" });
    let answer = world.http().json(Method::POST, "/api/console/sign-up", &[], &body).await;
    let otto = Owner::from(world.http().clone(), answer);
    let shop = otto.site("Honey Store").await;
    for (sites, names) in [(json!(null), json!(null)), (json!([shop.id]), json!(["Honey Store"]))] {
        let token = invited(&otto, "viewer", sites).await;
        let body = json!({ "token": token });
        let shown = world.http().json(Method::POST, "/api/console/invitation", &[], &body).await.ok();
        assert_eq!((&shown["workspace"], &shown["sites"]), (&json!("Baker & Adler"), &names));
    }
}

#[tokio::test]
async fn colleagues_with_all_sites_are_told_when_the_team_changes() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let lisa = colleague(&world, &otto, "lisa", "operator", json!([shop.id])).await;
    let (mut ottos, mut lisas) = (otto.listen().await, lisa.listen().await);
    ottos.frame("welcome").await;
    lisas.frame("welcome").await;
    let token = invited(&otto, "operator", json!(null)).await;
    ottos.signal("team_changed").await;
    joined(&world, "ada", &token).await;
    ottos.signal("team_changed").await;
    // Lisa would learn that something happens on other sites: the next thing that she hears of is a message of hers.
    world.visitor(&shop, "vera").await.send("v1", "Hello").await.ok();
    loop {
        let frame = lisas.next().await.expect("a frame");
        assert_ne!(frame["signal"]["kind"], "team_changed");
        if frame["event"]["kind"] == "message_sent" {
            break;
        }
    }
}
