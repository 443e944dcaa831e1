//! Strangers who cost as much as they can, one kind after the other, beside people who chat.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use hyper::{Method, Request};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::client::{Client, json as json_request, request};
use crate::driver::picture;
use crate::noise::{Noise, times};
use crate::people::{Site, Visitor};
use crate::world::{Cast, Run, World, until};

/// A send beside strangers takes at most so many times its lone 99th hundredth, or [`ENOUGH`] where that is less.
const FACTOR: u32 = 3;
/// What nobody notices; a debug build on a busy machine has such moments by itself.
const ENOUGH: Duration = Duration::from_millis(60);
/// Opening a chat beside strangers, in the median.
const OPENING: Duration = Duration::from_millis(200);
/// Resident bytes that strangers may add, while they are there and after them.
const MEMORY: f64 = 160e6;
/// Descriptors that may be open more than before when strangers have left.
const DESCRIPTORS: usize = 8;
/// Connections of each kind of stranger.
const STRANGERS: usize = 12;
/// Pause of each stranger after an answer: 1,200 requests a second of all of them. They bring machines of their own, and this
/// one has to run them beside the server; the measurement is of the server's work.
const PAUSE: Duration = Duration::from_millis(10);
/// Pause of each stranger after a connection with a thousand resets.
const PAUSE_AFTER_RESETS: Duration = Duration::from_millis(100);

/// Sends of one measurement; three of them are above the 99th percentile.
const SENDS: usize = 300;
/// Visitors that send at the same time in one measurement.
const SIDE_BY_SIDE: usize = 3;

/// FT61: floods of resumes, hints, sign-ins, refused bodies, announced uploads, HTTP/2 streams that nobody reads and HTTP/2
/// resets. Control: each of them is refused, cut off, or seen to be connected.
pub async fn costly(run: &Run) -> Result<String> {
    // A thread of their own: the sends that are measured do not wait for it.
    let apart = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let found = one_after_the_other(run, apart.handle()).await;
    apart.shutdown_background();
    found
}

async fn one_after_the_other(run: &Run, apart: &Handle) -> Result<String> {
    // Two groups of visitors alternate, to stay below the site's limit of messages a minute.
    let cast = Cast { sites: 2, visitors: 2 * SIDE_BY_SIDE, readers: false, pictures: false };
    let world = World::new(run, cast).await?;
    let (loud, quiet) = (world.visitors[0].clone(), &world.visitors[cast.visitors..]);
    ensure!(
        loud.site == 0 && quiet.iter().all(|visitor| visitor.site == 1),
        "visitors stand in the order of their sites"
    );
    let (first, second) = quiet.split_at(SIDE_BY_SIDE);
    let target = world.server.address;
    let image = Client::new(target).send(loud.upload(target, picture(1).into())).await.ok()?;
    let image = image["image"]["url"].as_str().context("a picture")?.to_owned();
    let (alone, _) = measure(&world, first, "alone").await?;
    let (memory, descriptors) = (world.server.memory().await?, descriptors(&world)?);
    let (mut figures, mut broken) = (Vec::new(), Vec::new());
    let kinds = [Kind::Resumes, Kind::Hints, Kind::SignIns, Kind::Bodies, Kind::Announced, Kind::Unread, Kind::Resets];
    for (kind, group) in kinds.into_iter().zip([second, first].into_iter().cycle()) {
        let strangers = {
            let _apart = apart.enter();
            kind.come(&world.sites[0], &loud, &image)
        };
        let (begun, busy) = (Instant::now(), world.server.cpu_seconds()?);
        let (beside, opening) = measure(&world, group, &format!("{kind:?}")).await?;
        let share = (world.server.cpu_seconds()? - busy) / begun.elapsed().as_secs_f64();
        let more = world.server.memory().await? - memory;
        let open = world.server.figure("ocs_connections ").await?;
        let refused = strangers.leave().await?;
        let figure = format!(
            "{kind:?} ({refused} refused, {share:.2} of a core): a send {beside:.0?}, a chat {opening:.0?}, {:.0} MB more",
            more / 1e6
        );
        ensure!(refused > 0 || open >= STRANGERS as f64, "CONTROL nobody was refused, nobody is there: {figure}");
        if beside > (alone * FACTOR).max(ENOUGH) || opening > OPENING || more > MEMORY {
            broken.push(kind);
        }
        figures.push(figure);
    }
    let all_closed = async || self::descriptors(&world).is_ok_and(|now| now <= descriptors + DESCRIPTORS);
    until("their descriptors are free again", Duration::from_secs(20), all_closed).await?;
    let after = world.server.memory().await? - memory;
    let figures =
        format!("99 of 100 sends alone within {alone:.1?}; beside {}; {:.0} MB stay", figures.join("; "), after / 1e6);
    ensure!(broken.is_empty(), "{broken:?} cost too much: {figures}");
    ensure!(after <= MEMORY, "too much stays behind: {figures}");
    Ok(figures)
}

/// The 99th percentile of sends, and the median time to open a chat meanwhile.
async fn measure(world: &World, visitors: &[Visitor], what: &str) -> Result<(Duration, Duration)> {
    let site = &world.sites[visitors[0].site];
    let openings = async {
        let mut client = Client::new(world.server.address);
        let mut openings = Vec::new();
        for n in 0..9 {
            let begun = Instant::now();
            site.visitor(&mut client, &format!("{what}-{n}")).await?;
            openings.push(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        openings.sort_unstable();
        anyhow::Ok(openings[4])
    };
    let sends = try_join_all(visitors.iter().map(|visitor| times(world, visitor, what, SENDS / visitors.len())));
    let (sends, opening) = tokio::try_join!(sends, openings)?;
    let mut sends = sends.concat();
    sends.sort_unstable();
    Ok((sends[SENDS * 99 / 100 - 1], opening))
}

fn descriptors(world: &World) -> Result<usize> {
    let pid = world.server.pid().context("the server runs")?;
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// One token comes again and again, under a new name each time.
    Resumes,
    /// One token says where it is.
    Hints,
    /// Wrong passwords for accounts that do not exist.
    SignIns,
    /// Bodies of some megabytes that are refused by their head.
    Bodies,
    /// Uploads of which four bytes come.
    Announced,
    /// Pictures over HTTP/2 that nobody takes.
    Unread,
    /// Requests over HTTP/2 that are taken back at once.
    Resets,
}

/// Those who are there.
enum Strangers {
    /// Ordinary requests.
    Noise(Noise),
    /// Each counts how often it was refused or cut off.
    ByHand(JoinSet<u64>, tokio::sync::watch::Sender<bool>),
}

impl Strangers {
    /// They leave. How often they were refused.
    async fn leave(self) -> Result<u64> {
        match self {
            Strangers::Noise(noise) => {
                let refused = noise.done() - noise.taken();
                noise.stop().await?;
                Ok(refused)
            }
            Strangers::ByHand(mut tasks, leave) => {
                let _ = leave.send(true);
                let mut refused = 0;
                while let Some(count) = tasks.join_next().await {
                    refused += count?;
                }
                Ok(refused)
            }
        }
    }
}

impl Kind {
    fn come(self, site: &Site, loud: &Visitor, image: &str) -> Strangers {
        let target = site.owner.target;
        match self {
            Kind::Resumes => asking(target, |_| {
                let (back, key) = (loud.clone(), site.widget_key.clone());
                move |n| {
                    let start = json!({ "do": "start", "key": key, "external_id": back.name, "anonymous": false,
                        "nickname": format!("Name {n}"), "attributes": { "long": "x".repeat(200) } });
                    back.command(target, &start)
                }
            }),
            Kind::Hints => asking(target, |_| {
                let loud = loud.clone();
                move |n| {
                    let page = json!({ "url": format!("https://shop.example/{n}"), "title": "x", "referrer": "" });
                    loud.command(target, &json!({ "do": "hint", "hint": { "type": "page", "page": page } }))
                }
            }),
            Kind::SignIns => asking(target, |stranger| {
                move |n| {
                    let body =
                        json!({ "email": format!("s{stranger}-{n}@example.org"), "password": "not the password" });
                    json_request(Method::POST, target, "/api/console/sign-in", &[], &body)
                }
            }),
            Kind::Bodies => asking(target, |_| {
                let body = Bytes::from(vec![b'x'; 4 * 1024 * 1024]);
                move |_| {
                    request(Method::POST, target, "/api/widget/images", &[("content-type", "image/png")], body.clone())
                }
            }),
            Kind::Announced => {
                let head = format!(
                    "POST /api/widget/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: image/png\r\n\
                     Content-Length: 1048576\r\n\r\n\u{1}PNG",
                    loud.token
                );
                by_hand(STRANGERS * 20, PAUSE, move || announce(target, head.clone()))
            }
            Kind::Unread => {
                let image = image.to_owned();
                by_hand(STRANGERS, PAUSE, move || take_nothing(target, image.clone()))
            }
            Kind::Resets => by_hand(STRANGERS, PAUSE_AFTER_RESETS, move || take_back(target)),
        }
    }
}

fn asking<F>(target: SocketAddr, ask: impl Fn(usize) -> F) -> Strangers
where
    F: Fn(u64) -> crate::client::Sending + Send + 'static,
{
    let mut noise = Noise::with_pause(PAUSE);
    for stranger in 0..STRANGERS {
        noise.make(target, Box::new(ask(stranger)));
    }
    Strangers::Noise(noise)
}

/// So many do this again and again until they are told to leave. What they do says whether it was refused.
fn by_hand<F: Future<Output = Result<bool>> + Send + 'static>(
    count: usize,
    pause: Duration,
    act: impl Fn() -> F + Clone + Send + 'static,
) -> Strangers {
    let (leave, told) = tokio::sync::watch::channel(false);
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let (mut told, act) = (told.clone(), act.clone());
        tasks.spawn(async move {
            let mut refused = 0;
            loop {
                tokio::select! {
                    done = paused(act(), pause) => refused += u64::from(done.unwrap_or(true)),
                    _ = told.wait_for(|told| *told) => return refused,
                }
            }
        });
    }
    Strangers::ByHand(tasks, leave)
}

async fn paused<T>(act: impl Future<Output = T>, pause: Duration) -> T {
    let done = act.await;
    tokio::time::sleep(pause).await;
    done
}

/// An upload of which nothing comes but its head.
async fn announce(target: SocketAddr, head: String) -> Result<bool> {
    let mut stream = TcpStream::connect(target).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.read_u8().await?;
    Ok(true)
}

/// Asks for as many pictures as one connection may have, and takes nothing of them.
async fn take_nothing(target: SocketAddr, image: String) -> Result<bool> {
    let stream = TcpStream::connect(target).await?;
    let (sender, connection) = h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(stream).await?;
    let pings = tokio::spawn(connection);
    let mut held = Vec::new();
    for _ in 0..32 {
        let mut ready = sender.clone().ready().await?;
        let get = Request::builder().uri(format!("http://{target}{image}")).body(())?;
        held.push(ready.send_request(get, true)?.0);
    }
    let mut bodies = Vec::new();
    for answer in held {
        bodies.push(answer.await?.into_body());
    }
    // Held until the server ends the first of them.
    let ended = bodies[0].data().await;
    pings.abort();
    Ok(ended.is_none_or(|data| data.is_err()))
}

/// Asks and takes back, a thousand times.
async fn take_back(target: SocketAddr) -> Result<bool> {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let mut stream = TcpStream::connect(target).await?;
    stream.write_all(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, b"")].concat()).await?;
    let get = [&[0x82, 0x86, 0x04, 7][..], b"/readyz", &[0x41, 1, b'x']].concat();
    let both = |number| [frame(1, 5, number, &get), frame(3, 0, number, &8u32.to_be_bytes())].concat();
    let all: Vec<u8> = (0..1_000).flat_map(|n| both(2 * n + 1)).collect();
    stream.write_all(&all).await?;
    // Until the server ends it.
    while stream.read(&mut [0; 4_096]).await? > 0 {}
    Ok(true)
}
