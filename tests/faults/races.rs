//! Many at once: writers, processes, the same message through two connections, a request that breaks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::client::{Client, Reply, Sending};
use crate::history::{Outcome, Sent};
use crate::people::Visitor;
use crate::server::Server;
use crate::shim::Knob;
use crate::world::{Cast, Run, World, broken};

const QUIET: Cast = Cast { sites: 1, visitors: 2, readers: false, pictures: false };

/// FT50: a thousand writers at once; nobody hears that the database is busy.
pub async fn thousand_writers(run: &Run) -> Result<String> {
    let mut world = World::new(run, QUIET).await?;
    let (mut site_visitors, target) = (Vec::new(), world.server.address);
    let mut client = Client::new(target);
    for n in 0..1_000 {
        site_visitors.push(world.sites[0].visitor(&mut client, &format!("many{n}")).await?);
    }
    let (refused, slowest) = all_write(&world, &site_visitors, 3).await?;
    ensure!(refused.is_empty(), "{} of 3000 sends were refused: {}", refused.len(), refused[0]);
    world.visitors.extend(site_visitors.iter().take(20).cloned());
    world.is_sound().await?;
    // Control: with the database really locked by another program, users do hear of it, and it is noticed here.
    let control = control_locked(&world, &site_visitors[..20]).await?;
    world.is_sound().await?;
    Ok(format!("3000 sends of 1000 writers, the slowest took {:.1} s; {control}", slowest.as_secs_f64()))
}

/// Each sends so many; answers the refusals and the longest time.
async fn all_write(world: &World, visitors: &[Visitor], each: usize) -> Result<(Vec<String>, Duration)> {
    let barrier = Arc::new(Barrier::new(visitors.len()));
    let mut tasks = JoinSet::new();
    for visitor in visitors {
        let (visitor, barrier, history) = (visitor.clone(), barrier.clone(), world.history.clone());
        let target = world.server.address;
        tasks.spawn(async move {
            let mut client = Client::new(target);
            // A connection may be refused while a thousand come at once; sending connects anew.
            let _ = client.connect().await;
            barrier.wait().await;
            let (mut refused, mut slowest) = (Vec::new(), Duration::ZERO);
            for n in 0..each {
                let id = format!("{}-{:x}-{n}", visitor.name, history.acked());
                let body = format!("S{}:{id}:one of many", visitor.site);
                let (site, name) = (visitor.site, visitor.name.clone());
                let (client_id, outcome) = (id.clone(), Outcome::Unknown);
                let sent = Sent {
                    client_id,
                    site,
                    conversation: name.clone(),
                    author: name,
                    body: body.clone(),
                    outcome,
                    picture: None,
                };
                history.about_to(sent)?;
                let start = Instant::now();
                let reply = client.send(visitor.text(target, &id, &body)).await;
                slowest = slowest.max(start.elapsed());
                match &reply {
                    Reply::Answer(status, _) if status.is_success() => history.came_of(&id, Outcome::Acked(None))?,
                    Reply::Answer(status, _) => {
                        refused.push(format!("{status} {}", reply.code()));
                        history.came_of(&id, Outcome::Refused(reply.code()))?;
                    }
                    Reply::Nothing(why) => refused.push(format!("no answer: {why}")),
                }
            }
            anyhow::Ok((refused, slowest))
        });
    }
    let (mut refused, mut slowest) = (Vec::new(), Duration::ZERO);
    while let Some(done) = tasks.join_next().await {
        let (more, longest) = done??;
        refused.extend(more);
        slowest = slowest.max(longest);
    }
    Ok((refused, slowest))
}

async fn control_locked(world: &World, visitors: &[Visitor]) -> Result<String> {
    let conn = rusqlite::Connection::open(world.server.data.join("ocs.db"))?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let (refused, _) = all_write(world, visitors, 1).await?;
    conn.execute_batch("ROLLBACK")?;
    ensure!(!refused.is_empty(), "CONTROL a locked database was not noticed");
    Ok(format!("with the database locked by another program {} of 20 were refused", refused.len()))
}

/// FT51: a second process is refused, and says who holds the folder.
pub async fn second_process(run: &Run) -> Result<String> {
    let mut world = World::new(run, QUIET).await?;
    let mut second = world.server.over(&world.server.data)?;
    second.address = Server::new(&world.folder.path().join("elsewhere"))?.address;
    let start = Instant::now();
    second.spawn()?;
    let status = second.wait(Duration::from_secs(10)).await?;
    ensure!(!status.success(), "a second process served the same folder");
    let words = second.last_words();
    let pid = world.server.pid().context("the first runs")?.to_string();
    ensure!(
        words.contains("another ocs process") && words.contains(&pid),
        "it does not say who has the folder: {words}"
    );
    world.chat(20).await?;
    world.is_sound().await?;
    // Control: over a folder of its own the same command line serves.
    let mut other = Server::new(&world.folder.path().join("elsewhere"))?;
    other.start().await.context("CONTROL a folder of its own was refused, too")?;
    Ok(format!("refused after {:.1} s, naming process {pid}", start.elapsed().as_secs_f64()))
}

/// Two requests at the same moment, on two connections.
async fn both(clients: &mut [Client; 2], first: Sending, second: Sending) -> Result<(Value, Value)> {
    let [one, two] = clients;
    one.connect().await?;
    two.connect().await?;
    let (first, second) = tokio::join!(one.send(first), two.send(second));
    Ok((first.ok()?, second.ok()?))
}

/// FT54: the first message of a new visitor through two connections at once: one conversation.
pub async fn first_message_twice(run: &Run) -> Result<String> {
    let rounds = run.rounds.unwrap_or(1_000);
    let mut world = World::new(run, QUIET).await?;
    let (site, target) = (world.sites[0].clone(), world.server.address);
    let mut clients = [Client::new(target), Client::new(target)];
    for n in 0..rounds {
        let visitor = site.visitor(&mut clients[0], &format!("new{n}")).await?;
        let ids = [format!("a{n}"), format!("b{n}")];
        let texts = [format!("S0:a{n}:hello"), format!("S0:b{n}:hello")];
        let sends = [visitor.text(target, &ids[0], &texts[0]), visitor.text(target, &ids[1], &texts[1])];
        for (id, body) in ids.iter().zip(&texts) {
            let name = visitor.name.clone();
            let sent = Sent {
                client_id: id.clone(),
                site: 0,
                conversation: name.clone(),
                // Two connections: nothing is promised about their order.
                author: id.clone(),
                body: body.clone(),
                outcome: Outcome::Unknown,
                picture: None,
            };
            world.history.about_to(sent)?;
        }
        let [first, second] = sends;
        let (first, second) = both(&mut clients, first, second).await?;
        let (first, second) = (&first["message"], &second["message"]);
        ensure!(first["conversation"] == second["conversation"], "{n}: two conversations");
        ensure!(first["seq"].as_i64().unwrap_or(0) + second["seq"].as_i64().unwrap_or(0) == 3, "{n}: {first} {second}");
        for (id, message) in ids.iter().zip([first, second]) {
            world.history.came_of(id, Outcome::Acked(message["seq"].as_i64()))?;
        }
    }
    world.is_sound().await?;
    // Control: a second conversation, put there behind the server's back.
    world.server.stop().await?;
    let doubled = "DROP INDEX conversations_one_open;
        INSERT INTO conversations SELECT site_id, (SELECT MAX(id) + 1 FROM conversations), public_id || 'x', visitor_id, proof,
            state, 0, 0, 0, 0, 0, 0, 0, created_at, updated_at, workspace_id FROM conversations LIMIT 1;";
    world.tamper(&[doubled]).await?;
    world.server.start().await?;
    broken(&world.check().await?, &["IV3", "IV1?", "IV4?"], "a visitor has two conversations")?;
    Ok(format!("{rounds} new visitors"))
}

/// FT55: the same id through two connections at once, through each door: one message, equal answers.
pub async fn same_id_twice(run: &Run) -> Result<String> {
    let rounds = run.rounds.unwrap_or(1_000);
    let mut world = World::new(run, QUIET).await?;
    for n in 0..rounds {
        let answers = twice(&mut world, n, true).await?;
        ensure!(answers.0 == answers.1, "{n}: {} and {}", answers.0, answers.1);
    }
    world.is_sound().await?;
    // Control: with an id each, the answers differ, and the log holds the text twice.
    let (first, second) = twice(&mut world, rounds, false).await?;
    ensure!(first != second, "CONTROL two ids made one message");
    // Which of the two has the number that was answered first is chance.
    broken(&world.check().await?, &["IV2", "IV1?"], "each try has an id of its own")?;
    Ok(format!("{rounds} pairs through three doors; with two ids the pair is stored twice and reported"))
}

async fn twice(world: &mut World, n: u64, same: bool) -> Result<(Value, Value)> {
    // A visitor may write 600 messages a minute; this test is about something else.
    let writer = usize::try_from(n / 3 % world.visitors.len() as u64)?;
    let (site, visitor, target) = (world.sites[0].clone(), world.visitors[writer].clone(), world.server.address);
    let conversation = world.conversations[writer];
    let id = format!("twice-{n}");
    let other = if same { id.clone() } else { format!("{id}-again") };
    let body = format!("S0:{id}:twice");
    world.history.about_to(Sent {
        client_id: id.clone(),
        site: 0,
        conversation: visitor.name.clone(),
        author: "twice".into(),
        body: body.clone(),
        outcome: Outcome::Unknown,
        picture: None,
    })?;
    let door = if same { n % 3 } else { 1 };
    let make = |id: &str| match door {
        0 => visitor.text(target, id, &body),
        1 => {
            let path = format!("sites/{}/conversations/{conversation}/messages", site.id);
            let body = serde_json::json!({ "client_id": id, "text": body });
            site.owner.sending(hyper::Method::POST, &path, &body)
        }
        _ => site.script_reply(conversation, id, &body),
    };
    let mut clients = [Client::new(target), Client::new(target)];
    let answers = both(&mut clients, make(&id), make(&other)).await?;
    world.history.came_of(&id, Outcome::Acked(answers.0["message"]["seq"].as_i64()))?;
    Ok(answers)
}

/// FT58: a request that panics harms nobody else. The system's random source fails once, which the program takes for a
/// reason to panic.
pub async fn panic_in_a_request(run: &Run) -> Result<String> {
    let mut world = World::shimmed(run, Cast::default()).await?;
    let target = world.server.address;
    let mut panics = 0;
    for step in ["arriving", "a first message"] {
        let burst = world.burst();
        world.acked(10).await?;
        let before = panics_in(&world);
        // Others ask for random bytes, too, such as whoever seals a cursor: then it is tried again with another newcomer.
        let mut newcomer = None;
        for attempt in 0..50 {
            let name = format!("unlucky-{}-{attempt}", step.len());
            let next = world.sites[0].visitor(&mut Client::new(target), &name).await?;
            world.shim()?.turn(Knob::RandomFails, 1)?;
            match step {
                "arriving" => drop(world.sites[0].visitor(&mut Client::new(target), &format!("never-{attempt}")).await),
                _ => drop(Client::new(target).send(next.text(target, &name, &format!("S0:{name}:x"))).await),
            }
            let has_panicked = panics_in(&world) > before;
            if step != "arriving" {
                world.history.about_to(unlucky(&name))?;
            }
            newcomer = Some((next, name));
            if has_panicked {
                break;
            }
        }
        let (newcomer, name) = newcomer.context("an attempt")?;
        // Control: the fault really happened, and the request did not just succeed.
        ensure!(world.shim()?.read(Knob::RandomFails)? <= 0, "CONTROL nobody asked for random bytes");
        let now = panics_in(&world);
        ensure!(now > before, "CONTROL no request panicked ({step})");
        panics += now - before;
        world.shim()?.turn(Knob::RandomFails, 0)?;
        world.acked(30).await.with_context(|| format!("after a panic in {step} nobody can send any more"))?;
        world.rest(burst).await?;
        // The unlucky one may try again.
        if step != "arriving" {
            Client::new(target).send(newcomer.text(target, &name, &format!("S0:{name}:x"))).await.ok()?;
        }
        world.is_sound().await.with_context(|| step.to_owned())?;
    }
    Ok(format!("{panics} panics, nobody else noticed"))
}

/// What somebody sends for whom the system's random source fails, perhaps.
fn unlucky(name: &str) -> Sent {
    Sent {
        client_id: name.to_owned(),
        site: 0,
        conversation: name.to_owned(),
        author: name.to_owned(),
        body: format!("S0:{name}:x"),
        outcome: Outcome::Unknown,
        picture: None,
    }
}

fn panics_in(world: &World) -> usize {
    world.server.log_text().matches("panicked at").count()
}
