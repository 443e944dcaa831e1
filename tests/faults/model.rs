//! Any interleaving of sending, losing the line, resuming, loading anew and restarting shows the same log: a small model
//! of a page, driven by a seed against the real server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::client::{Client, Down, Line};
use crate::history::{Outcome, Sent};
use crate::people::{Visitor, body_of};
use crate::random::Random;
use crate::world::{Cast, Run, World, broken};

/// A page: what it shows, what it has not got an answer for, and its line.
struct Page {
    visitor: Visitor,
    shown: BTreeMap<i64, String>,
    /// Sent and not known to be stored: id and text.
    outbox: BTreeMap<String, String>,
    cursor: String,
    /// Cursors that it held, to go back to.
    old_cursors: Vec<String>,
    line: Option<Line>,
    /// For the control: events pass it by when it resumes from an old cursor.
    forgetful: bool,
}

impl Page {
    fn show(&mut self, seq: i64, body: String, client_id: Option<&str>) -> Result<()> {
        if let Some(id) = client_id {
            self.outbox.remove(id);
        }
        let last = self.shown.last_key_value().map_or(0, |(seq, _)| *seq);
        match self.shown.get(&seq) {
            Some(known) => ensure!(*known == body, "IV3: seq {seq} was {known:?} and is {body:?}"),
            None if seq != last + 1 => bail!("IV3: seq {seq} came after {last}"),
            None => drop(self.shown.insert(seq, body)),
        }
        Ok(())
    }

    async fn connect(&mut self, world: &World) -> Result<()> {
        let hello = json!({ "type": "hello", "token": self.visitor.token, "cursor": self.cursor });
        self.line = Some(Line::open(world.server.address, None, "/api/widget/socket", &hello).await?);
        // Let in, or told to load anew: both come at once.
        let first = self.hear_one(world).await?;
        ensure!(first, "a line ended before anything came");
        Ok(())
    }

    /// Takes one frame; false at the end of the line.
    async fn hear_one(&mut self, world: &World) -> Result<bool> {
        let Some(line) = &mut self.line else { return Ok(false) };
        let next = tokio::time::timeout(Duration::from_secs(30), line.next()).await.context("nothing is heard")?;
        let Down::Frame(frame) = next else {
            self.line = None;
            return Ok(false);
        };
        if let Some(newer) = frame["cursor"].as_str().filter(|text| !text.is_empty()) {
            self.old_cursors.push(std::mem::replace(&mut self.cursor, newer.to_owned()));
        }
        match frame["type"].as_str() {
            Some("resync") => self.reload(world).await?,
            Some("event") if frame["event"]["kind"] == "message_sent" && !self.forgetful => {
                let message = &frame["event"]["message"];
                self.show(message["seq"].as_i64().unwrap_or(0), body_of(message), message["client_id"].as_str())?;
            }
            _ => {}
        }
        Ok(true)
    }

    async fn reload(&mut self, world: &World) -> Result<()> {
        let target = world.server.address;
        self.line = None;
        let (messages, cursor) = self.visitor.log(&mut Client::new(target), target).await?;
        self.shown.clear();
        self.cursor = cursor;
        for message in &messages {
            self.show(message["seq"].as_i64().unwrap_or(0), body_of(message), message["client_id"].as_str())?;
        }
        Ok(())
    }

    /// Hears until it shows everything up to `seq`.
    async fn catch_up(&mut self, world: &World, seq: i64) -> Result<()> {
        while self.shown.last_key_value().map_or(0, |(seq, _)| *seq) < seq {
            if self.line.is_none() {
                self.connect(world).await?;
            } else {
                self.hear_one(world).await?;
            }
        }
        Ok(())
    }
}

/// FT60: the same log is shown after any interleaving.
pub async fn any_interleaving(run: &Run) -> Result<String> {
    let rounds = run.rounds.unwrap_or(if run.long { 1_000 } else { 60 });
    let mut world = World::new(run, Cast { sites: 1, visitors: 2, readers: false, pictures: false }).await?;
    let mut steps = 0;
    for round in 0..rounds {
        let seed = run.random.next();
        steps +=
            play(&mut world, seed, round, false).await.with_context(|| format!("round {round}, its seed {seed}"))?;
    }
    world.is_sound().await?;
    // Control: a page that passes over what it is told does not show the log. It may, where nobody answered it or it
    // loaded anew last, and so gets some tries.
    let mut noticed = false;
    for more in 0..20 {
        noticed = play(&mut world, run.random.next(), rounds + more, true).await.is_err();
        if noticed {
            break;
        }
    }
    ensure!(noticed, "CONTROL a page that hears nothing was not noticed");
    let mut sent = world.history.all();
    sent.retain(|one| !one.client_id.ends_with("-1"));
    broken(&world.check_against(&sent).await?, &["IV5"], "the history lacks messages")?;
    Ok(format!("{rounds} rounds, {steps} steps"))
}

async fn play(world: &mut World, seed: u64, round: u64, forgetful: bool) -> Result<u64> {
    let (random, target) = (Random::new(seed), world.server.address);
    let mut client = Client::new(target);
    let visitor = world.sites[0].visitor(&mut client, &format!("model{round}")).await?;
    let cursor = visitor.cursor.clone();
    let mut page = Page {
        visitor,
        shown: BTreeMap::new(),
        outbox: BTreeMap::new(),
        cursor,
        old_cursors: Vec::new(),
        line: None,
        forgetful,
    };
    let (steps, mut sent, mut stored) = (10 + random.below(25), 0, BTreeSet::new());
    let mut conversation = None;
    for _ in 0..steps {
        match random.below(12) {
            0..=3 => {
                sent += 1;
                let id = format!("model{round}-{sent}");
                let body = format!("S0:{id}:{:x}", random.next());
                note(world, &page, &id, &body)?;
                page.outbox.insert(id.clone(), body.clone());
                deliver(world, &mut page, &id, &body, &random, &mut stored).await?;
            }
            4 => {
                for (id, body) in page.outbox.clone() {
                    deliver(world, &mut page, &id, &body, &random, &mut stored).await?;
                }
            }
            5 | 6 => {
                sent += 1;
                let id = format!("answer{round}-{sent}");
                answer(world, &page, &id, &mut conversation).await?;
            }
            7 => page.line = None,
            8 if page.line.is_none() => page.connect(world).await?,
            9 => {
                // Another tab of the same browser had an older cursor.
                if let Some(old) = page.old_cursors.get(random.below(page.old_cursors.len() as u64) as usize) {
                    page.cursor = old.clone();
                    page.line = None;
                }
            }
            10 => page.reload(world).await?,
            11 if random.once_in(12) => {
                world.server.kill()?;
                world.server.start().await?;
            }
            _ if page.line.is_some() => {
                // What has come by now; nothing is a fine answer.
                let heard = tokio::time::timeout(Duration::from_millis(2), page.hear_one(world)).await;
                if let Ok(heard) = heard {
                    heard?;
                }
            }
            _ => {}
        }
    }
    for (id, body) in page.outbox.clone() {
        deliver(world, &mut page, &id, &body, &random, &mut stored).await?;
    }
    let (messages, _) = page.visitor.log(&mut client, target).await?;
    let last = messages.last().and_then(|message| message["seq"].as_i64()).unwrap_or(0);
    tokio::time::timeout(Duration::from_secs(if forgetful { 2 } else { 40 }), page.catch_up(world, last))
        .await
        .context("IV6")??;
    let log: BTreeMap<i64, String> =
        messages.iter().map(|message| (message["seq"].as_i64().unwrap_or(0), body_of(message))).collect();
    ensure!(page.shown == log, "IV6: it shows {:?} and the log is {log:?}", page.shown);
    // What was answered is not shown as waiting, and what waits is not shown as stored (IV11).
    ensure!(page.outbox.is_empty(), "IV11: {:?} was acknowledged and is shown as waiting", page.outbox);
    Ok(steps)
}

/// Posts a message; now and then the answer is lost on the way back, so that it stays in the outbox.
async fn deliver(
    world: &World,
    page: &mut Page,
    id: &str,
    body: &str,
    random: &Random,
    stored: &mut BTreeSet<String>,
) -> Result<()> {
    let target = world.server.address;
    let answer = Client::new(target).send(page.visitor.text(target, id, body)).await.ok()?;
    let seq = answer["message"]["seq"].as_i64().context("a number")?;
    stored.insert(id.to_owned());
    world.history.came_of(id, Outcome::Acked(Some(seq)))?;
    if random.once_in(4) && !page.shown.contains_key(&seq) {
        return Ok(());
    }
    page.outbox.remove(id);
    // An answer shows the message at its place when nothing is missing before it; else the line will tell.
    let last = page.shown.last_key_value().map_or(0, |(seq, _)| *seq);
    if seq <= last + 1 { page.show(seq, body.to_owned(), Some(id)) } else { Ok(()) }
}

fn note(world: &World, page: &Page, id: &str, body: &str) -> Result<()> {
    world.history.about_to(Sent {
        client_id: id.to_owned(),
        site: 0,
        conversation: page.visitor.name.clone(),
        // The outbox may be posted in another order than it was written in.
        author: id.to_owned(),
        body: body.to_owned(),
        outcome: Outcome::Unknown,
        picture: None,
    })
}

/// The operator answers, when there is a conversation already.
async fn answer(world: &World, page: &Page, id: &str, conversation: &mut Option<i64>) -> Result<()> {
    let site = &world.sites[0];
    if conversation.is_none() {
        let inbox = world.ask(0, "conversations?limit=5").await?;
        let list = inbox["conversations"].as_array().context("a list")?;
        let own = list.iter().find(|one| one["visitor"]["external_id"] == page.visitor.name.as_str());
        *conversation = own.and_then(|one| one["id"].as_i64());
    }
    let Some(conversation) = *conversation else { return Ok(()) };
    let body = format!("S0:{id}:answer");
    note(world, page, id, &body)?;
    let path = format!("sites/{}/conversations/{conversation}/messages", site.id);
    let sent = site.owner.call(hyper::Method::POST, &path, &json!({ "client_id": id, "text": body })).await.ok()?;
    world.history.came_of(id, Outcome::Acked(sent["message"]["seq"].as_i64()))
}
