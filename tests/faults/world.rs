//! A server with people, and the parts of a fault test: hurt it, heal it, check it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::checker::{self, Case, Revoked, Violation};
use crate::client::Client;
use crate::driver::{Actor, Burst, Door, acked_since};
use crate::history::{History, Outcome, Sent};
use crate::people::{Site, Visitor};
use crate::random::Random;
use crate::reader::{Ear, Reader};
use crate::server::Server;
use crate::shim::Shim;

/// How a test is run.
pub struct Run {
    /// Random choices.
    pub random: Random,
    /// Rounds, where a test has rounds and the caller says how many.
    pub rounds: Option<u64>,
    /// The long set: more of everything.
    pub long: bool,
}

/// How many take part.
#[derive(Debug, Clone, Copy)]
pub struct Cast {
    /// Sites, each with an owner of its own.
    pub sites: usize,
    /// Visitors of each.
    pub visitors: usize,
    /// With readers.
    pub readers: bool,
    /// With pictures.
    pub pictures: bool,
}

impl Default for Cast {
    fn default() -> Cast {
        Cast { sites: 2, visitors: 3, readers: true, pictures: true }
    }
}

/// A server, its people, and what they did.
pub struct World {
    /// The server.
    pub server: Server,
    /// Its sites.
    pub sites: Vec<Arc<Site>>,
    /// Their visitors.
    pub visitors: Vec<Visitor>,
    /// Numbers of their conversations, in the same order.
    pub conversations: Vec<i64>,
    /// What was sent.
    pub history: Arc<History>,
    /// Who listens.
    pub readers: Vec<Reader>,
    /// Who writes, while nobody does.
    pub actors: Vec<Actor>,
    /// What was ended.
    pub revoked: Vec<Revoked>,
    /// Those who were here before, with all that they did.
    pub past: Vec<Past>,
    /// Readers show the final log within this.
    pub patience: Duration,
    /// Goes with the test.
    pub folder: TempDir,
}

/// People who do nothing any more.
pub struct Past {
    /// Their sites.
    pub sites: Vec<Arc<Site>>,
    visitors: Vec<Visitor>,
    sent: Vec<Sent>,
    revoked: Vec<Revoked>,
}

impl World {
    /// A running server with its people, each of whom has written once.
    pub async fn new(run: &Run, cast: Cast) -> Result<World> {
        let folder = tempfile::tempdir()?;
        let server = Server::new(folder.path())?;
        World::with(run, cast, folder, server).await
    }

    /// The same with switches for faults.
    pub async fn shimmed(run: &Run, cast: Cast) -> Result<World> {
        let folder = tempfile::tempdir()?;
        let server = Server::new(folder.path())?.with_shim()?;
        World::with(run, cast, folder, server).await
    }

    /// With a server that is not started yet.
    pub async fn with(run: &Run, cast: Cast, folder: TempDir, mut server: Server) -> Result<World> {
        server.start().await?;
        let mut world = World {
            server,
            sites: Vec::new(),
            visitors: Vec::new(),
            conversations: Vec::new(),
            history: Arc::new(History::new(&folder.path().join("history-0.jsonl"))?),
            readers: Vec::new(),
            actors: Vec::new(),
            revoked: Vec::new(),
            past: Vec::new(),
            patience: Duration::from_secs(60),
            folder,
        };
        world.people_come(run, cast).await?;
        Ok(world)
    }

    /// Others, with sites of their own, take the place of those who are here. What a check reads stays bounded by that,
    /// however long the test; [`World::is_sound_as_a_whole`] reads everything.
    pub async fn others_come(&mut self, run: &Run, cast: Cast) -> Result<()> {
        let crowd = self.past.len() + 1;
        let history = History::new(&self.folder.path().join(format!("history-{crowd}.jsonl")))?;
        self.readers.clear();
        self.actors.clear();
        self.conversations.clear();
        self.past.push(Past {
            sites: std::mem::take(&mut self.sites),
            visitors: std::mem::take(&mut self.visitors),
            sent: std::mem::replace(&mut self.history, Arc::new(history)).all(),
            revoked: std::mem::take(&mut self.revoked),
        });
        self.people_come(run, cast).await
    }

    async fn people_come(&mut self, run: &Run, cast: Cast) -> Result<()> {
        let (target, crowd) = (self.server.address, self.past.len());
        for number in 0..cast.sites {
            let owner = crate::people::Owner::sign_up(target, &format!("owner{crowd}-{number}")).await?;
            self.sites.push(Arc::new(owner.open_site(number).await?));
            let mut client = Client::new(target);
            for n in 0..cast.visitors {
                let name = format!("c{crowd}s{number}v{n}");
                self.visitors.push(self.sites[number].visitor(&mut client, &name).await?);
            }
        }
        self.begin_conversations().await?;
        self.hire(run, cast);
        Ok(())
    }

    async fn begin_conversations(&mut self) -> Result<()> {
        let target = self.server.address;
        let mut client = Client::new(target);
        for visitor in &self.visitors {
            let client_id = format!("{}-0", visitor.name);
            let body = format!("S{}:{client_id}:first", visitor.site);
            self.history.about_to(Sent {
                client_id: client_id.clone(),
                site: visitor.site,
                conversation: visitor.name.clone(),
                author: visitor.name.clone(),
                body: body.clone(),
                outcome: Outcome::Unknown,
                picture: None,
            })?;
            client.send(visitor.text(target, &client_id, &body)).await.ok()?;
            self.history.came_of(&client_id, Outcome::Acked(Some(1)))?;
        }
        for site in &self.sites {
            let found = checker::conversations(&mut client, site).await?;
            for visitor in self.visitors.iter().filter(|visitor| visitor.site == site.number) {
                let own = found.iter().find(|conversation| conversation.visitor == visitor.name);
                self.conversations.push(own.context("a conversation for each visitor")?.id);
            }
        }
        Ok(())
    }

    /// Everybody writes through another address from now on.
    pub fn write_through(&mut self, run: &Run, address: SocketAddr, naive: bool) {
        self.actors.clear();
        for (visitor, id) in self.visitors.iter().zip(&self.conversations) {
            let mut site = Site::clone(&self.sites[visitor.site]);
            site.owner.target = address;
            let site = Arc::new(site);
            for door in [Door::Visitor(visitor.clone()), Door::Operator, Door::Script] {
                let mut actor = Actor::new(&site, door, &visitor.name, *id, run.random.branch());
                actor.naive = naive;
                actor.begin_at(1_000 * (1 + u64::from(naive)));
                self.actors.push(actor);
            }
        }
    }

    /// After a restore: everybody signs in again; consoles and scripts that listened before do not come back.
    pub async fn sign_in_again(&mut self) -> Result<()> {
        for site in &mut self.sites {
            let owner = site.owner.sign_in_again().await?;
            *site = Arc::new(Site { owner, ..Site::clone(site) });
        }
        for actor in &mut self.actors {
            actor.moves_to(&self.sites);
        }
        self.readers.retain(|reader| matches!(reader.ear, Ear::Page(_)));
        Ok(())
    }

    fn hire(&mut self, run: &Run, cast: Cast) {
        for (visitor, id) in self.visitors.iter().zip(&self.conversations) {
            let site = &self.sites[visitor.site];
            let mut actor = Actor::new(site, Door::Visitor(visitor.clone()), &visitor.name, *id, run.random.branch());
            if cast.pictures {
                actor = actor.with_pictures();
            }
            self.actors.push(actor);
            if cast.readers {
                self.readers.push(Reader::start(site, Ear::Page(visitor.clone()), run.random.branch()));
            }
        }
        for site in &self.sites {
            let own = self.visitors.iter().zip(&self.conversations).filter(|(visitor, _)| visitor.site == site.number);
            let own: Vec<_> = own.collect();
            for (place, door) in [(0, Door::Operator), (1, Door::Script)] {
                if let Some((visitor, id)) = own.get(place % own.len().max(1)) {
                    self.actors.push(Actor::new(site, door, &visitor.name, **id, run.random.branch()));
                }
            }
            if cast.readers {
                for ear in [Ear::Console, Ear::Poller] {
                    self.readers.push(Reader::start(site, ear, run.random.branch()));
                }
            }
        }
    }

    /// All begin to write.
    pub fn burst(&mut self) -> Burst {
        self.burst_with_pauses(Duration::from_millis(10))
    }

    /// All begin to write, each waiting at most `pause` between two messages.
    pub fn burst_with_pauses(&mut self, pause: Duration) -> Burst {
        Burst::start(std::mem::take(&mut self.actors), &self.history, pause)
    }

    /// They rest.
    pub async fn rest(&mut self, burst: Burst) -> Result<()> {
        self.actors = burst.stop().await?;
        Ok(())
    }

    /// The switches of its faults.
    pub fn shim(&self) -> Result<&Shim> {
        self.server.shim.as_ref().context("this world has no switches")
    }

    /// Waits until `more` sends were acknowledged from now on.
    pub async fn acked(&self, more: u64) -> Result<()> {
        acked_since(&self.history, self.history.acked(), more, Duration::from_secs(30)).await
    }

    /// Some writing, start to end, without a fault.
    pub async fn chat(&mut self, messages: u64) -> Result<()> {
        let burst = self.burst();
        self.acked(messages).await?;
        self.rest(burst).await
    }

    /// A session is ended, and a visitor signs out: both are answered.
    pub async fn revoke(&mut self, name: &str) -> Result<()> {
        let site = self.sites[0].clone();
        let other = site.owner.sign_in_again().await?;
        other.call(Method::POST, "sign-out", &json!({})).await.ok()?;
        let mut client = Client::new(self.server.address);
        let visitor = site.visitor(&mut client, name).await?;
        client.send(visitor.command(self.server.address, &json!({ "do": "logout" }))).await.ok()?;
        self.revoked.extend([Revoked::Session(other), Revoked::Token(visitor)]);
        Ok(())
    }

    /// Reads the final log and tells which promises were not kept.
    pub async fn check(&self) -> Result<Vec<Violation>> {
        self.check_against(&self.history.all()).await
    }

    /// The same against another history: for controls.
    pub async fn check_against(&self, sent: &[Sent]) -> Result<Vec<Violation>> {
        let (sites, visitors, readers) = (&self.sites, &self.visitors, &self.readers);
        let patience = self.patience;
        checker::check(&Case { sites, visitors, sent, readers, revoked: &self.revoked, patience }).await
    }

    /// Fails when a promise was not kept.
    pub async fn is_sound(&self) -> Result<()> {
        sound(&self.check().await?)
    }

    /// Reads also what all those did who were here before, and tells which promises were not kept.
    pub async fn check_as_a_whole(&self) -> Result<Vec<Violation>> {
        let mut found = self.check().await?;
        for Past { sites, visitors, sent, revoked } in &self.past {
            let case = Case { sites, visitors, sent, readers: &[], revoked, patience: self.patience };
            found.extend(checker::check(&case).await?);
        }
        Ok(found)
    }

    /// Fails when a promise was not kept to anybody, ever.
    pub async fn is_sound_as_a_whole(&self) -> Result<()> {
        sound(&self.check_as_a_whole().await?)
    }

    /// Everything that was sent, since the beginning.
    pub fn sent(&self) -> Vec<Sent> {
        let past = self.past.iter().flat_map(|past| past.sent.iter().cloned());
        past.chain(self.history.all()).collect()
    }

    /// Starts the server again; it must take messages within `limit`.
    pub async fn start_within(&mut self, limit: Duration) -> Result<()> {
        let took = self.server.start().await?;
        ensure!(took <= limit, "the start took {took:?}, {limit:?} are allowed");
        Ok(())
    }

    /// Runs statements on the database behind the server's back, which must not run.
    pub async fn tamper(&self, statements: &[&str]) -> Result<()> {
        ensure!(self.server.pid().is_none(), "the server must not run");
        tamper(&self.server.data.join("ocs.db"), statements)
    }

    /// An inbox's counts and the like, as JSON.
    pub async fn ask(&self, site: usize, path: &str) -> Result<Value> {
        self.sites[site].owner.get(&mut Client::new(self.server.address), path).await
    }
}

/// Runs statements on a database file.
pub fn tamper(database: &Path, statements: &[&str]) -> Result<()> {
    let conn = rusqlite::Connection::open(database)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    statements.iter().try_for_each(|statement| conn.execute_batch(statement))?;
    conn.close().map_err(|(_, error)| error.into())
}

/// Fails when something is violated.
pub fn sound(violations: &[Violation]) -> Result<()> {
    if violations.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = violations.iter().take(8).map(|one| format!("{} {}", one.promise, one.what)).collect();
    bail!("{} violations: {}", violations.len(), lines.join("; "))
}

/// For controls: these promises must be reported as broken, those with a question mark may be, and no other.
pub fn broken(violations: &[Violation], expected: &[&str], control: &str) -> Result<()> {
    let mut found: Vec<&str> = violations.iter().map(|one| one.promise).collect();
    found.sort_unstable();
    found.dedup();
    let missing = expected.iter().any(|promise| !promise.ends_with('?') && !found.contains(promise));
    let surplus = found.iter().any(|promise| !expected.iter().any(|one| one.trim_end_matches('?') == *promise));
    let lines: Vec<String> = violations.iter().take(4).map(|one| format!("{} {}", one.promise, one.what)).collect();
    ensure!(
        !missing && !surplus,
        "CONTROL {control}: {expected:?} must be reported, {found:?} were: {}",
        lines.join("; ")
    );
    Ok(())
}

/// Waits until something is so.
pub async fn until(what: &str, limit: Duration, mut is_so: impl AsyncFnMut() -> bool) -> Result<Duration> {
    let start = Instant::now();
    while !is_so().await {
        ensure!(start.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(start.elapsed())
}
