//! People who write all the time: each sends one message after another, and tries again with the same id.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::{Client, Reply, Sending};
use crate::history::{History, Outcome, Sent, hash};
use crate::people::{Site, Visitor};
use crate::random::Random;

/// Refusals that say "later": nothing was stored, and the same message may be sent again.
const LATER: &[&str] = &["unavailable", "storage_full", "sending_too_frequently", "too_many_requests"];

/// Who writes, through which door.
#[derive(Debug, Clone)]
pub enum Door {
    /// The widget's.
    Visitor(Visitor),
    /// The console's.
    Operator,
    /// The compatible API.
    Script,
}

/// Somebody who writes into one conversation.
pub struct Actor {
    site: Arc<Site>,
    door: Door,
    /// The visitor whose conversation it is.
    conversation: String,
    conversation_id: i64,
    author: String,
    written: u64,
    random: Random,
    pictures: bool,
    /// For controls: a client that makes a new id for each try.
    pub naive: bool,
}

impl Actor {
    /// A visitor, an operator or a script.
    pub fn new(site: &Arc<Site>, door: Door, conversation: &str, conversation_id: i64, random: Random) -> Actor {
        let author = match &door {
            Door::Visitor(visitor) => visitor.name.clone(),
            Door::Operator => format!("operator-{conversation}"),
            Door::Script => format!("script-{conversation}"),
        };
        let (site, conversation) = (site.clone(), conversation.to_owned());
        Actor { site, door, conversation, conversation_id, author, written: 0, random, pictures: false, naive: false }
    }

    /// Sends a picture now and then.
    pub fn with_pictures(mut self) -> Actor {
        self.pictures = true;
        self
    }

    /// Numbers its messages from here on, so that they have ids of their own.
    pub fn begin_at(&mut self, number: u64) {
        self.written = number;
    }

    /// Its site's owner has signed in anew.
    pub fn moves_to(&mut self, sites: &[Arc<Site>]) {
        self.site = sites[self.site.number].clone();
    }

    fn next_text(&mut self) -> (String, String) {
        self.written += 1;
        let client_id = format!("{}-{}", self.author, self.written);
        let filler = "lorem ".repeat(1 + self.random.below(20) as usize);
        let text = format!("S{}:{client_id}:{filler}{:x}", self.site.number, self.random.next());
        (client_id, text)
    }

    fn sending(&self, client_id: &str, body: &str) -> Sending {
        let target = self.site.owner.target;
        let image = body.strip_prefix("image:");
        match &self.door {
            Door::Visitor(visitor) => match image {
                Some(image) => {
                    let send = serde_json::json!({ "do": "send", "client_id": client_id, "image": image });
                    visitor.command(target, &send)
                }
                None => visitor.text(target, client_id, body),
            },
            Door::Operator => {
                let path = format!("sites/{}/conversations/{}/messages", self.site.id, self.conversation_id);
                let body = serde_json::json!({ "client_id": client_id, "text": body });
                self.site.owner.sending(hyper::Method::POST, &path, &body)
            }
            Door::Script => self.site.script_reply(self.conversation_id, client_id, body),
        }
    }

    /// Sends one message and tries again until it is answered, given up, or `stop` is told.
    pub async fn send_one(
        &mut self,
        client: &mut Client,
        history: &History,
        stop: &watch::Receiver<bool>,
    ) -> Result<Outcome> {
        let (client_id, text) = self.next_text();
        let body = match self.picture(client).await {
            Some(image) => image,
            None => text,
        };
        history.about_to(Sent {
            client_id: client_id.clone(),
            site: self.site.number,
            conversation: self.conversation.clone(),
            author: self.author.clone(),
            body: body.clone(),
            outcome: Outcome::Unknown,
            picture: None,
        })?;
        let (mut doubtful, mut tries) = (false, 0);
        let outcome = loop {
            tries += 1;
            let id = if self.naive { format!("{client_id}-try{tries}") } else { client_id.clone() };
            let reply = client.send(self.sending(&id, &body)).await;
            match &reply {
                Reply::Answer(status, bytes) if status.is_success() => {
                    let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
                    self.look_at_picture(client, history, &client_id, &answer).await;
                    break Outcome::Acked(answer["message"]["seq"].as_i64());
                }
                Reply::Answer(status, bytes) => {
                    let code = reply.code();
                    let later = LATER.contains(&code.as_str()) || status.as_u16() == 503 || status.as_u16() == 507;
                    if !later || *stop.borrow() {
                        let code = if code.is_empty() { String::from_utf8_lossy(bytes).into_owned() } else { code };
                        break if doubtful { Outcome::Unknown } else { Outcome::Refused(code) };
                    }
                }
                Reply::Nothing(_) => {
                    doubtful = true;
                    if *stop.borrow() || self.random.once_in(8) {
                        break Outcome::Unknown;
                    }
                }
            }
            // A full jitter, as the clients of the product have it, only shorter.
            tokio::time::sleep(Duration::from_millis(self.random.below(60))).await;
        };
        history.came_of(&client_id, outcome.clone())?;
        Ok(outcome)
    }

    /// Uploads a picture of its own; its body when that succeeds.
    async fn picture(&self, client: &mut Client) -> Option<String> {
        let Door::Visitor(visitor) = &self.door else { return None };
        if !self.pictures || !self.random.once_in(6) {
            return None;
        }
        let bytes = picture(self.random.next());
        let uploaded = client.send(visitor.upload(self.site.owner.target, bytes.into())).await.ok().ok()?;
        Some(format!("image:{}", uploaded["image"]["id"].as_str()?))
    }

    async fn look_at_picture(&self, client: &mut Client, history: &History, client_id: &str, answer: &Value) {
        let Some(url) = answer["message"]["image"]["url"].as_str() else { return };
        if let Some(bytes) = fetch(client, self.site.owner.target, url).await {
            history.shows(client_id, url, hash(bytes));
        }
    }
}

/// The bytes at an address of ours.
pub async fn fetch(client: &mut Client, target: std::net::SocketAddr, url: &str) -> Option<bytes::Bytes> {
    let path = url.find("/uploads/").map(|at| &url[at..])?;
    match client.send(crate::client::request(hyper::Method::GET, target, path, &[], "")).await {
        Reply::Answer(status, bytes) if status.is_success() => Some(bytes),
        _ => None,
    }
}

/// A small picture that no other is like.
pub fn picture(seed: u64) -> Vec<u8> {
    let random = Random::new(seed);
    let pixels = image::RgbImage::from_fn(24, 24, |_, _| {
        let n = random.next().to_le_bytes();
        image::Rgb([n[0], n[1], n[2]])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture in memory can be written");
    bytes.into_inner()
}

/// Actors at work.
pub struct Burst {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Result<Actor>>,
}

impl Burst {
    /// All begin to write. `pause` is the most that each waits between two messages.
    pub fn start(actors: Vec<Actor>, history: &Arc<History>, pause: Duration) -> Burst {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for mut actor in actors {
            let (history, stopped) = (history.clone(), stopped.clone());
            tasks.spawn(async move {
                let mut client = Client::new(actor.site.owner.target);
                while !*stopped.borrow() {
                    actor.send_one(&mut client, &history, &stopped).await?;
                    let wait = actor.random.below(1 + pause.as_micros() as u64);
                    tokio::time::sleep(Duration::from_micros(wait)).await;
                }
                Ok(actor)
            });
        }
        Burst { stop, tasks }
    }

    /// They finish what they are at, and rest.
    pub async fn stop(mut self) -> Result<Vec<Actor>> {
        let _ = self.stop.send(true);
        let mut actors = Vec::new();
        while let Some(done) = self.tasks.join_next().await {
            actors.push(done.context("an actor broke")??);
        }
        Ok(actors)
    }
}

/// Waits until `more` sends were acknowledged since `before`.
pub async fn acked_since(history: &History, before: u64, more: u64, limit: Duration) -> Result<()> {
    let waiting = async {
        while history.acked() < before + more {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let why = || format!("{} of {more} sends were acknowledged within {limit:?}", history.acked() - before);
    tokio::time::timeout(limit, waiting).await.with_context(why)
}
