//! The checker: reads the final log through the API and holds the history and every reader against it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::driver::fetch;
use crate::history::{Outcome, Sent, hash};
use crate::people::{Owner, Site, Visitor, body_of};
use crate::reader::{Ear, Reader, Seen};

/// Marks that were on their way are written within this.
const MARKS_SETTLE: Duration = Duration::from_secs(5);

/// A promise that was not kept.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which one.
    pub promise: &'static str,
    /// How it shows.
    pub what: String,
}

/// A conversation as its operator reads it.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Its number.
    pub id: i64,
    /// Its visitor's name.
    pub visitor: String,
    /// The view.
    pub view: Value,
    /// Oldest first.
    pub messages: Vec<Value>,
}

/// A credential that was ended, and answered as ended.
pub enum Revoked {
    /// A console's session.
    Session(Owner),
    /// A visitor's token.
    Token(Visitor),
}

/// What is checked.
pub struct Case<'a> {
    /// The sites.
    pub sites: &'a [std::sync::Arc<Site>],
    /// Their visitors.
    pub visitors: &'a [Visitor],
    /// What was sent.
    pub sent: &'a [Sent],
    /// Who listened.
    pub readers: &'a [Reader],
    /// What was ended.
    pub revoked: &'a [Revoked],
    /// Readers show the final log within this.
    pub patience: Duration,
}

/// All conversations of a site with all their messages.
pub async fn conversations(client: &mut Client, site: &Site) -> Result<Vec<Conversation>> {
    let (mut views, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("conversations?state=all&site={}&limit=200{before}", site.id);
        let page = site.owner.get(client, &path).await?;
        views.extend(page["conversations"].as_array().cloned().unwrap_or_default());
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    let mut found = Vec::with_capacity(views.len());
    for view in views {
        let id = view["id"].as_i64().context("a conversation without a number")?;
        let visitor = view["visitor"]["external_id"].as_str().unwrap_or_default().to_owned();
        let mut messages: Vec<Value> = Vec::new();
        let view = loop {
            let first = messages.first().and_then(|message| message["seq"].as_i64());
            let below = first.map(|seq| format!("&before_seq={seq}")).unwrap_or_default();
            let path = format!("sites/{}/conversations/{id}?limit=200{below}", site.id);
            let page = site.owner.get(client, &path).await?;
            let mut older = page["messages"].as_array().cloned().unwrap_or_default();
            older.append(&mut messages);
            messages = older;
            if page["more"].as_bool() != Some(true) {
                break page["conversation"].clone();
            }
        };
        found.push(Conversation { id, visitor, view, messages });
    }
    Ok(found)
}

/// Reads the final log and tells which promises were not kept.
pub async fn check(case: &Case<'_>) -> Result<Vec<Violation>> {
    let mut wrong = Wrong(Vec::new());
    let mut logs: Vec<Vec<Conversation>> = Vec::new();
    for site in case.sites {
        let mut client = Client::new(site.owner.target);
        logs.push(conversations(&mut client, site).await?);
    }
    wrong.messages(case, &logs);
    for (site, log) in case.sites.iter().zip(&logs) {
        wrong.order(log);
        wrong.unread(site, log).await?;
    }
    wrong.pages(case, &logs).await?;
    wrong.readers(case, &logs).await;
    wrong.pictures(case, &logs).await?;
    wrong.revocations(case).await?;
    Ok(wrong.0)
}

struct Wrong(Vec<Violation>);

impl Wrong {
    fn add(&mut self, promise: &'static str, what: String) {
        self.0.push(Violation { promise, what });
    }

    /// IV1, IV2, IV4, IV5: what was sent against what is stored.
    fn messages(&mut self, case: &Case<'_>, logs: &[Vec<Conversation>]) {
        let by_body: HashMap<&str, &Sent> = case.sent.iter().map(|sent| (sent.body.as_str(), sent)).collect();
        let by_id: HashMap<&str, &Sent> = case.sent.iter().map(|sent| (sent.client_id.as_str(), sent)).collect();
        // Where each id is stored, with the place in the conversation's order.
        let mut stored: HashMap<&str, Vec<(usize, &str, i64, usize)>> = HashMap::new();
        for (number, log) in logs.iter().enumerate() {
            for conversation in log {
                for (place, message) in conversation.messages.iter().enumerate() {
                    let body = body_of(message);
                    let id = body.split(':').nth(1).unwrap_or_default();
                    let Some(sent) = by_body.get(body.as_str()).or_else(|| by_id.get(id)) else {
                        self.add("IV5", format!("nobody sent {body:?} (site {number}, {})", conversation.visitor));
                        continue;
                    };
                    if hash(&sent.body) != hash(&body) {
                        self.add("IV1", format!("{} was sent as {:?} and is {body:?}", sent.client_id, sent.body));
                    }
                    if sent.site != number || sent.conversation != conversation.visitor {
                        let there = format!("site {number}, {}", conversation.visitor);
                        self.add("IV5", format!("{} of site {} is in {there}", sent.client_id, sent.site));
                    }
                    if let Outcome::Refused(code) = &sent.outcome {
                        self.add("IV5", format!("{} was refused ({code}) and is stored", sent.client_id));
                    }
                    let seq = message["seq"].as_i64().unwrap_or(0);
                    let places = stored.entry(&sent.client_id).or_default();
                    places.push((number, &conversation.visitor, seq, place));
                }
            }
        }
        let mut last: HashMap<(usize, &str, &str), usize> = HashMap::new();
        for sent in case.sent {
            let places = stored.get(sent.client_id.as_str()).map_or(&[][..], Vec::as_slice);
            if places.len() > 1 {
                self.add("IV2", format!("{} is stored {} times", sent.client_id, places.len()));
            }
            let Outcome::Acked(seq) = &sent.outcome else { continue };
            let Some((_, _, stored_seq, place)) = places.first() else {
                self.add("IV1", format!("{} was acknowledged and is gone", sent.client_id));
                continue;
            };
            if seq.is_some_and(|seq| seq != *stored_seq) {
                self.add("IV1", format!("{} was acknowledged as {seq:?} and is {stored_seq}", sent.client_id));
            }
            let line = (sent.site, sent.conversation.as_str(), sent.author.as_str());
            if last.insert(line, *place).is_some_and(|before| before > *place) {
                self.add("IV4", format!("{} stands before what its author sent earlier", sent.client_id));
            }
        }
    }

    /// IV3: numbers without gap or repeat.
    fn order(&mut self, log: &[Conversation]) {
        for conversation in log {
            let numbers: Vec<i64> =
                conversation.messages.iter().map(|message| message["seq"].as_i64().unwrap_or(0)).collect();
            if let Some(at) = numbers.iter().zip(1..).position(|(seq, expected)| *seq != expected) {
                self.add("IV3", format!("{}: {} stands at place {}", conversation.visitor, numbers[at], at + 1));
            }
            if conversation.view["last_seq"].as_i64() != Some(numbers.len() as i64) {
                self.add("IV3", format!("{}: last_seq is {}", conversation.visitor, conversation.view["last_seq"]));
            }
        }
        let names: HashSet<&str> = log.iter().map(|conversation| conversation.visitor.as_str()).collect();
        if names.len() != log.len() {
            self.add("IV3", "a visitor has two conversations".to_owned());
        }
    }

    /// IV9: what is counted as unread is what the log says.
    async fn unread(&mut self, site: &Site, log: &[Conversation]) -> Result<()> {
        let mut waiting = 0;
        for conversation in log {
            let seen = conversation.view["agent_seen_seq"].as_i64().unwrap_or(0);
            let above = |message: &&Value| message["from"] == "visitor" && message["seq"].as_i64() > Some(seen);
            let count = conversation.messages.iter().filter(above).count() as i64;
            waiting += i64::from(count > 0);
            if conversation.view["unread"].as_i64() != Some(count) {
                let said = &conversation.view["unread"];
                self.add("IV9", format!("{}: {said} unread are told and {count} are there", conversation.visitor));
            }
        }
        self.inbox(site, waiting).await
    }

    /// Readers' marks of what they have seen are written a moment later: what the inbox counts is compared with views that
    /// are read again until both agree, for a while.
    async fn inbox(&mut self, site: &Site, mut waiting: i64) -> Result<()> {
        let (mut client, start) = (Client::new(site.owner.target), Instant::now());
        let path = format!("conversations?state=all&site={}&limit=1", site.id);
        loop {
            let inbox = site.owner.get(&mut client, &path).await?;
            // The inbox counts up to a thousand and says "1000" for more.
            if inbox["counts"]["unread"].as_i64() == Some(waiting.min(1_000)) {
                return Ok(());
            }
            if start.elapsed() > MARKS_SETTLE {
                let said = &inbox["counts"]["unread"];
                self.add("IV9", format!("the inbox tells {said} waiting conversations, {waiting} are there"));
                return Ok(());
            }
            let log = conversations(&mut client, site).await?;
            waiting = log.iter().filter(|one| one.view["unread"].as_i64() != Some(0)).count() as i64;
        }
    }

    /// IV3 and IV5 for visitors: each reads its own thread, the same as the operator, and no other.
    async fn pages(&mut self, case: &Case<'_>, logs: &[Vec<Conversation>]) -> Result<()> {
        for visitor in case.visitors {
            let target = case.sites[visitor.site].owner.target;
            let (messages, _) = visitor.log(&mut Client::new(target), target).await?;
            let own = messages.iter().map(|message| (message["seq"].as_i64().unwrap_or(0), body_of(message)));
            let own: Vec<(i64, String)> = own.collect();
            let log = logs[visitor.site].iter().find(|conversation| conversation.visitor == visitor.name);
            let theirs = log.map(thread).unwrap_or_default();
            if own != theirs {
                let (there, here) = (theirs.len(), own.len());
                self.add(
                    "IV3",
                    format!("{} reads another thread than its operator ({here} and {there})", visitor.name),
                );
            }
        }
        Ok(())
    }

    /// IV3 and IV6: no reader saw another order, and all end with the final log.
    async fn readers(&mut self, case: &Case<'_>, logs: &[Vec<Conversation>]) {
        let start = Instant::now();
        for reader in case.readers {
            let log = &logs[reader.site];
            let expected: Seen = match &reader.ear {
                Ear::Poller => Seen::new(),
                Ear::Console => log.iter().map(|c| (c.id.to_string(), thread(c).into_iter().collect())).collect(),
                Ear::Page(visitor) => {
                    let own = log.iter().filter(|c| c.visitor == visitor.name);
                    own.map(|c| (c.visitor.clone(), thread(c).into_iter().collect())).collect()
                }
            };
            while reader.heard().seen != expected && start.elapsed() < case.patience {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let heard = reader.heard();
            if heard.seen != expected {
                let count = |seen: &Seen| seen.values().map(BTreeMap::len).sum::<usize>();
                let (has, should) = (count(&heard.seen), count(&expected));
                self.add("IV6", format!("{:?} shows {has} of {should} messages", short(&reader.ear)));
            }
            for what in heard.wrong.iter().take(3) {
                self.add("IV3", format!("{:?} heard: {what}", short(&reader.ear)));
            }
            for (conversation, bodies) in &heard.polls {
                let thread = log.iter().find(|c| c.id.to_string() == *conversation).map(thread).unwrap_or_default();
                let at = thread.iter().position(|(_, body)| Some(body) == bodies.first());
                let run = at.map(|at| thread[at..].iter().take(bodies.len()).map(|(_, body)| body));
                if !run.is_some_and(|run| run.eq(bodies.iter())) {
                    self.add("IV3", format!("a poll of conversation {conversation} read another order"));
                    break;
                }
            }
        }
    }

    /// IV8: acknowledged pictures are there, unchanged; no message points nowhere.
    async fn pictures(&mut self, case: &Case<'_>, logs: &[Vec<Conversation>]) -> Result<()> {
        let known: HashMap<&str, &str> = case
            .sent
            .iter()
            .filter_map(|sent| Some((sent.picture.as_ref()?.0.as_str(), sent.picture.as_ref()?.1.as_str())))
            .collect();
        let mut client = Client::new(case.sites.first().context("a site")?.owner.target);
        for message in logs.iter().flatten().flat_map(|conversation| &conversation.messages) {
            for url in [&message["image"]["url"], &message["image"]["thumb_url"]].into_iter().filter_map(Value::as_str)
            {
                let bytes = fetch(&mut client, case.sites[0].owner.target, url).await;
                match bytes.map(hash) {
                    None => self.add("IV8", format!("{url} is in a message and is not there")),
                    Some(now) if known.get(url).is_some_and(|then| *then != now) => {
                        self.add("IV8", format!("{url} has changed"));
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    /// IV10: what was ended stays ended.
    async fn revocations(&mut self, case: &Case<'_>) -> Result<()> {
        for revoked in case.revoked {
            let (reply, who) = match revoked {
                Revoked::Session(owner) => (owner.call(Method::GET, "me", &Value::Null).await, "a session".to_owned()),
                Revoked::Token(visitor) => {
                    let target = case.sites[visitor.site].owner.target;
                    let hint = visitor.command(target, &json!({ "do": "hint", "hint": { "type": "alive" } }));
                    (Client::new(target).send(hint).await, format!("the token of {}", visitor.name))
                }
            };
            if !matches!(reply, Reply::Answer(status, _) if status.as_u16() == 401) {
                self.add("IV10", format!("{who} was ended and is good again: {reply:?}"));
            }
        }
        Ok(())
    }
}

fn thread(conversation: &Conversation) -> Vec<(i64, String)> {
    conversation.messages.iter().map(|message| (message["seq"].as_i64().unwrap_or(0), body_of(message))).collect()
}

fn short(ear: &Ear) -> String {
    match ear {
        Ear::Page(visitor) => format!("the page of {}", visitor.name),
        Ear::Console => "the console".to_owned(),
        Ear::Poller => "the script".to_owned(),
    }
}
