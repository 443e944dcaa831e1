//! People who listen all the time: a page and a console that resume from their cursor, and a script that polls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::checker;
use crate::client::{Client, Down, Line};
use crate::people::{Site, Visitor, body_of};
use crate::random::Random;

/// Bodies by `seq`, for each conversation (by its visitor's name, or by its number for consoles).
pub type Seen = BTreeMap<String, BTreeMap<i64, String>>;

/// Who listens.
#[derive(Debug, Clone)]
pub enum Ear {
    /// A visitor's page.
    Page(Visitor),
    /// A console.
    Console,
    /// A script that polls.
    Poller,
}

/// What a reader has heard, and what was wrong with it.
#[derive(Default)]
pub struct Heard {
    /// What it shows now.
    pub seen: Seen,
    /// Gaps and contradictions.
    pub wrong: Vec<String>,
    /// What a poller read: the bodies of one conversation each, in the order of the answer.
    pub polls: Vec<(String, Vec<String>)>,
    /// Times that it had to load its state anew.
    pub reloads: u64,
    /// Times that it connected.
    pub connects: u64,
}

/// A reader at work.
pub struct Reader {
    /// Number of its site.
    pub site: usize,
    /// Who it is.
    pub ear: Ear,
    heard: Arc<Mutex<Heard>>,
    away: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Reader {
    /// Listens from now on, and comes back whenever it is cut off.
    pub fn start(site: &Arc<Site>, ear: Ear, random: Random) -> Reader {
        let heard = Arc::<Mutex<Heard>>::default();
        let (site_of, ear_of, heard_of) = (site.clone(), ear.clone(), heard.clone());
        let (away, mut is_away) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut cursor = None;
            loop {
                // An error means that nobody can say it any more: then the task is about to end, too.
                drop(is_away.wait_for(|away| !away).await);
                let listening = match ear_of {
                    Ear::Poller => poll(&site_of, &heard_of).await,
                    _ => listen(&site_of, &ear_of, &heard_of, &mut cursor).await,
                };
                // An error is a lost connection; the next try finds out more.
                drop(listening);
                tokio::time::sleep(Duration::from_millis(20 + random.below(150))).await;
            }
        });
        Reader { site: site.number, ear, heard, away, task }
    }

    /// Once cut off it stays away, or comes back.
    pub fn stay_away(&self, away: bool) {
        self.away.send_replace(away);
    }

    /// What it has heard up to now.
    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        locked(&self.heard)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn poll(site: &Site, heard: &Mutex<Heard>) -> Result<()> {
    let fetched = Client::new(site.owner.target).send(site.script_fetch(200)).await.ok()?;
    let mut threads: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in fetched["data"].as_array().context("a list")? {
        let image =
            line["image_url"].as_str().map(|url| format!("image:{}", url.rsplit('/').next().unwrap_or_default()));
        let body = image.unwrap_or_else(|| line["content"].as_str().unwrap_or_default().to_owned());
        let conversation = line["conversation_id"].as_str().unwrap_or_default().to_owned();
        threads.entry(conversation).or_default().push(body);
    }
    let mut heard = locked(heard);
    heard.polls.extend(threads);
    // The newest tell enough, and the list must stay bounded.
    let surplus = heard.polls.len().saturating_sub(2_000);
    heard.polls.drain(..surplus);
    Ok(())
}

/// One connection: from the state or the cursor to its end.
async fn listen(site: &Site, ear: &Ear, heard: &Mutex<Heard>, cursor: &mut Option<String>) -> Result<()> {
    if cursor.is_none() {
        let (seen, from) = load(site, ear).await?;
        let mut heard = locked(heard);
        heard.seen = seen;
        heard.reloads += 1;
        *cursor = Some(from);
    }
    let mut line = open(site, ear, cursor.as_deref().unwrap_or_default()).await?;
    locked(heard).connects += 1;
    let mut last_hint = Instant::now();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(60), line.next()).await?;
        let Down::Frame(frame) = next else { return Ok(()) };
        if let Some(newer) = frame["cursor"].as_str().filter(|text| !text.is_empty()) {
            *cursor = Some(newer.to_owned());
        }
        match frame["type"].as_str() {
            Some("resync") => {
                *cursor = None;
                return Ok(());
            }
            Some("beat") => line.say(&json!({ "type": "alive" })).await?,
            Some("event") if frame["event"]["kind"] == "message_sent" => {
                let message = &frame["event"]["message"];
                take(ear, &mut locked(heard), message);
                if last_hint.elapsed() > Duration::from_millis(400) {
                    last_hint = Instant::now();
                    line.say(&seen_hint(ear, message)).await?;
                }
            }
            _ => {}
        }
    }
}

fn seen_hint(ear: &Ear, message: &Value) -> Value {
    let seq = &message["seq"];
    match ear {
        Ear::Page(_) => json!({ "type": "seen", "conversation": message["conversation"], "seq": seq }),
        _ => {
            let (site, conversation) = (&message["site_id"], &message["conversation_id"]);
            json!({ "type": "seen", "site_id": site, "conversation_id": conversation, "seq": seq })
        }
    }
}

/// What a client does with a message that it hears.
fn take(ear: &Ear, heard: &mut Heard, message: &Value) {
    let (seq, body) = (message["seq"].as_i64().unwrap_or(0), body_of(message));
    let thread = heard.seen.entry(key(ear, message)).or_default();
    let last = thread.last_key_value().map_or(0, |(seq, _)| *seq);
    let wrong = match thread.get(&seq) {
        Some(known) if *known != body => Some(format!("seq {seq} was {known:?} and is now {body:?}")),
        Some(_) => None,
        None if seq != last + 1 => Some(format!("seq {seq} came after {last}: {body:?}")),
        None => None,
    };
    thread.entry(seq).or_insert(body);
    heard.wrong.extend(wrong);
}

fn key(ear: &Ear, message: &Value) -> String {
    match ear {
        Ear::Page(visitor) => visitor.name.clone(),
        _ => message["conversation_id"].as_i64().unwrap_or(0).to_string(),
    }
}

/// Loads the state: everything there is, and where news goes on from. The cursor is older than the rest.
async fn load(site: &Site, ear: &Ear) -> Result<(Seen, String)> {
    let mut client = Client::new(site.owner.target);
    let mut seen = Seen::new();
    let (messages, cursor) = match ear {
        Ear::Page(visitor) => visitor.log(&mut client, site.owner.target).await?,
        _ => {
            let inbox = site.owner.get(&mut client, "conversations?state=all&limit=1").await?;
            let cursor = inbox["cursor"].as_str().context("an inbox without a cursor")?.to_owned();
            let conversations = checker::conversations(&mut client, site).await?;
            let messages = conversations.into_iter().flat_map(|conversation| conversation.messages).collect();
            (messages, cursor)
        }
    };
    for message in &messages {
        seen.entry(key(ear, message)).or_default().insert(message["seq"].as_i64().unwrap_or(0), body_of(message));
    }
    Ok((seen, cursor))
}

async fn open(site: &Site, ear: &Ear, cursor: &str) -> Result<Line> {
    let target = site.owner.target;
    if let Ear::Page(visitor) = ear {
        let hello = json!({ "type": "hello", "token": visitor.token, "cursor": cursor });
        return Line::open(target, None, "/api/widget/socket", &hello).await;
    }
    let ticket = site.owner.call(Method::POST, "ticket", &json!({})).await.ok()?;
    let hello = json!({ "type": "hello", "ticket": ticket["ticket"], "cursor": cursor });
    Line::open(target, None, "/api/console/socket", &hello).await
}
