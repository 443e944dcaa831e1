//! Connections that are cut at the worst moment: a proxy between the clients and the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::people::{Owner, Site};
use crate::random::Random;
use crate::reader::{Ear, Reader};
use crate::world::{Cast, Run, World, broken};

/// Passes bytes on, and cuts connections.
struct Proxy {
    address: SocketAddr,
    cuts: Arc<AtomicU64>,
    all: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// `answer_lost_in`: one in so many answers is swallowed and its connection cut; 0 cuts none.
    async fn start(server: SocketAddr, answer_lost_in: u64, random: Random) -> Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, cuts, random) = (listener.local_addr()?, Arc::<AtomicU64>::default(), Arc::new(random));
        let (all, cut_all) = watch::channel(0);
        let counted = cuts.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (random, cuts, mut cut_all) = (random.clone(), counted.clone(), cut_all.clone());
                cut_all.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        // What went wrong is what this is for.
                        ended = pass(client, server, answer_lost_in, &random, &cuts) => drop(ended),
                        _ = cut_all.changed() => { cuts.fetch_add(1, Ordering::Relaxed); }
                    }
                });
            }
        });
        Ok(Proxy { address, cuts, all, task })
    }

    fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }

    fn cut_all(&self) {
        self.all.send_modify(|count| *count += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    mut client: TcpStream,
    server: SocketAddr,
    lost_in: u64,
    random: &Random,
    cuts: &AtomicU64,
) -> Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read? {
                0 => return Ok(()),
                n => server.write_all(&up[..n]).await?,
            },
            read = server.read(&mut down) => match read? {
                0 => return Ok(()),
                _ if lost_in > 0 && random.once_in(lost_in) => {
                    // It was done, and nobody will know.
                    cuts.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                n => client.write_all(&down[..n]).await?,
            },
        }
    }
}

/// FT30: the connection is cut between a commit and its answer. Trying again resolves it: nothing is stored twice.
pub async fn answers_lost(run: &Run) -> Result<String> {
    let mut world = World::new(run, Cast { pictures: false, ..Cast::default() }).await?;
    let proxy = Proxy::start(world.server.address, 4, run.random.branch()).await?;
    world.write_through(run, proxy.address, false);
    let burst = world.burst();
    world.acked(if run.long { 5_000 } else { 600 }).await?;
    world.rest(burst).await?;
    let cuts = proxy.cuts();
    ensure!(cuts > 20, "CONTROL only {cuts} answers were lost");
    world.is_sound().await?;
    // Control: clients that make a new id for each try store twice, and that is reported.
    world.write_through(run, proxy.address, true);
    let burst = world.burst();
    world.acked(100).await?;
    world.rest(burst).await?;
    broken(&world.check().await?, &["IV2", "IV1?", "IV4?"], "each try has an id of its own")?;
    Ok(format!("{cuts} answers lost; clients with a new id for each try are reported"))
}

/// FT42: every connection is cut every two seconds; pages and consoles keep up all the same.
pub async fn flapping(run: &Run) -> Result<String> {
    let mut world = World::new(run, Cast::default()).await?;
    let proxy = Proxy::start(world.server.address, 0, run.random.branch()).await?;
    world.readers.clear();
    world.write_through(run, proxy.address, false);
    for site in &world.sites {
        let owner = Owner { target: proxy.address, ..site.owner.clone() };
        let through = Arc::new(Site { owner, ..Site::clone(site) });
        let pages = world.visitors.iter().filter(|visitor| visitor.site == site.number).cloned().map(Ear::Page);
        for ear in pages.chain([Ear::Console]) {
            world.readers.push(Reader::start(&through, ear, run.random.branch()));
        }
    }
    let burst = world.burst_with_pauses(Duration::from_millis(200));
    for _ in 0..if run.long { 150 } else { 6 } {
        // The fault itself: a network that holds for two seconds.
        tokio::time::sleep(Duration::from_secs(2)).await;
        proxy.cut_all();
    }
    world.rest(burst).await?;
    world.is_sound().await?;
    let connects: u64 = world.readers.iter().map(|reader| reader.heard().connects).sum();
    ensure!(connects > 10, "CONTROL the readers were not cut off: {connects} connections");
    Ok(format!("{} connections cut, {connects} lines opened", proxy.cuts()))
}
