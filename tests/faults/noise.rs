//! People who ask again and again, all at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::client::{Client, Reply, Sending};
use crate::people::Visitor;
use crate::world::World;

/// Those who ask, and how often they were answered.
#[derive(Default)]
pub struct Noise {
    pause: Duration,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    taken: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

/// What somebody asks for the n-th time.
pub type Ask = Box<dyn Fn(u64) -> Sending + Send>;

impl Noise {
    /// Each pauses for so long after an answer.
    pub fn with_pause(pause: Duration) -> Noise {
        Noise { pause, ..Noise::default() }
    }

    /// Asks again and again, whatever the answer.
    pub fn make(&mut self, target: SocketAddr, ask: Ask) {
        let pause = self.pause;
        let (stop, done, taken) = (self.stop.clone(), self.done.clone(), self.taken.clone());
        self.tasks.spawn(async move {
            let mut client = Client::new(target);
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                if let Reply::Answer(status, _) = client.send(ask(n)).await {
                    done.fetch_add(1, Ordering::Relaxed);
                    taken.fetch_add(u64::from(status.is_success()), Ordering::Relaxed);
                }
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        });
    }

    /// Answers up to now.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Those of them that were no refusals.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// They rest.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(())
    }
}

/// How long messages take, one after the other, the quickest first; none may be refused.
pub async fn times(world: &World, visitor: &Visitor, what: &str, count: usize) -> Result<Vec<Duration>> {
    let target = world.server.address;
    let mut client = Client::new(target);
    let mut times = Vec::with_capacity(count);
    for n in 0..count {
        let begun = Instant::now();
        let sent = client.send(visitor.text(target, &format!("{what}-{n}"), "May I?")).await;
        sent.ok().with_context(|| format!("message {n} of the {what} ones"))?;
        times.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times.sort_unstable();
    Ok(times)
}
