//! Many connections: those that stop reading, and those that all come back at once.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::client::{Client, Down, Line};
use crate::people::Visitor;
use crate::random::Random;
use crate::reader::{Ear, Reader};
use crate::world::{Cast, Run, World, until};

const MEGABYTE: f64 = 1024.0 * 1024.0;

/// FT17: a hundred sockets stop reading while much is told. Memory stays bounded, they are sent away, resuming is
/// complete, and nobody else notices.
pub async fn slow_consumers(run: &Run) -> Result<String> {
    let mut world = World::new(run, Cast { sites: 1, visitors: 10, readers: false, pictures: false }).await?;
    // Readers that read, of some of the same visitors; a script that polls would only add load.
    for visitor in &world.visitors[..3] {
        world.readers.push(Reader::start(&world.sites[0], Ear::Page(visitor.clone()), run.random.branch()));
    }
    let target = world.server.address;
    let before = world.server.memory().await?;
    let mut slow = Vec::new();
    for visitor in &world.visitors {
        let (_, cursor) = visitor.log(&mut Client::new(target), target).await?;
        for _ in 0..10 {
            slow.push((visitor.clone(), unread_line(&world, visitor, &cursor).await?, cursor.clone()));
        }
    }
    let start = Instant::now();
    let each = if run.long { 1_000 } else { 320 };
    // Each conversation has the first message and the long ones.
    let (last, before_all) = (i64::try_from(each)? + 1, world.history.acked());
    let mut reading = JoinSet::new();
    for (n, (visitor, mut line, cursor)) in slow.into_iter().enumerate() {
        // Half of them read nothing until all is told, half a little: how much the buffers on the way hold is the
        // system's affair, and who reads a little can still be told why it is sent away.
        let (all, history) = (before_all + each * world.visitors.len() as u64, world.history.clone());
        reading.spawn(async move {
            let mut cursor = cursor;
            while history.acked() < all {
                if n % 2 == 0 {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
                // Often enough that writing to it never stands still for long, and not so often that it keeps up: which pause
                // that is depends on the machine, so they differ.
                let pause = 300 + 100 * u64::try_from(n % 10).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                match tokio::time::timeout(Duration::from_secs(20), line.next()).await {
                    Ok(Down::Frame(frame)) => keep(&frame, &mut cursor),
                    Ok(Down::End(code)) => return Ok((visitor, cursor, End::Closed(code))),
                    Err(_) => {}
                }
            }
            let mut held = cursor;
            let end = read_to_the_end(&mut line, &mut held, last).await?;
            anyhow::Ok((visitor, held, end))
        });
    }
    let (count, slowest) = tell_much(&world, each).await?;
    let peak = world.server.memory().await?;
    let bound = 100.0 * 2.0 * MEGABYTE + 200.0 * MEGABYTE;
    ensure!(peak - before < bound, "memory grew by {:.0} MB", (peak - before) / MEGABYTE);
    ensure!(slowest < Duration::from_secs(5), "a sender waited {slowest:?}");
    let told = start.elapsed();
    // One that does not read for long can be told nothing, not even why: its connection is dropped.
    let (mut sent_away, mut dropped, mut kept) = (0, 0, 0);
    while let Some(ended) = reading.join_next().await {
        let (visitor, held, end) = ended??;
        match end {
            End::Closed(Some(4408)) => sent_away += 1,
            End::Closed(_) => dropped += 1,
            End::UpToDate => kept += 1,
        }
        // One in five comes back: from where it stood it hears everything that it missed, or is told to load anew.
        if (sent_away + dropped) % 5 > 0 {
            continue;
        }
        let resumed = resume(&world, &visitor, &held).await?;
        ensure!(resumed.is_none_or(|seq| seq == last), "{} resumed up to {resumed:?} of {last}", visitor.name);
    }
    ensure!(sent_away > 0, "none was told that it is too slow; {dropped} were dropped, {kept} kept up");
    ensure!(sent_away + dropped >= 20, "CONTROL only {} were too slow", sent_away + dropped);
    // Control: readers that read are told the same and are not sent away.
    let connects = world.readers.iter().map(|reader| reader.heard().connects).max();
    ensure!(connects == Some(1), "CONTROL a reader that reads was sent away: {connects:?} connections");
    world.is_sound().await?;
    let grown = (peak - before) / MEGABYTE;
    Ok(format!(
        "{count} long messages in {:.0} s; {sent_away} sockets were closed with 4408, {dropped} dropped, {kept} had it all in their buffers; memory +{grown:.0} MB",
        told.as_secs_f64()
    ))
}

/// A socket that is opened, let in, and never read again. Its buffers are small, so that the server notices soon.
async fn unread_line(world: &World, visitor: &Visitor, cursor: &str) -> Result<Line> {
    use futures_util::SinkExt;
    let target = world.server.address;
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4_096)?;
    let stream = socket.connect(target).await?;
    let mut request = format!("ws://{target}/api/widget/socket").into_client_request()?;
    request.headers_mut().insert("origin", format!("http://{target}").parse()?);
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await?;
    let hello = json!({ "type": "hello", "token": visitor.token, "cursor": cursor });
    socket.send(tokio_tungstenite::tungstenite::Message::text(hello.to_string())).await?;
    Ok(Line(socket))
}

/// Operators write so many long texts to everybody; answers how many, and the longest that one waited.
async fn tell_much(world: &World, each: u64) -> Result<(u64, Duration)> {
    let mut tasks = JoinSet::new();
    for (visitor, conversation) in world.visitors.iter().zip(&world.conversations) {
        let (site, conversation, name) = (world.sites[0].clone(), *conversation, visitor.name.clone());
        let history = world.history.clone();
        tasks.spawn(async move {
            let mut client = Client::new(site.owner.target);
            let (mut count, mut slowest) = (0_u64, Duration::ZERO);
            while count < each {
                count += 1;
                let id = format!("long-{name}-{count}");
                let body = format!("S0:{id}:{}", "\u{1f600}".repeat(3_900));
                let path = format!("sites/{}/conversations/{conversation}/messages", site.id);
                history.about_to(crate::history::Sent {
                    client_id: id.clone(),
                    site: 0,
                    conversation: name.clone(),
                    author: "long".into(),
                    body: body.clone(),
                    outcome: crate::history::Outcome::Unknown,
                    picture: None,
                })?;
                let before = Instant::now();
                let sending = site.owner.sending(hyper::Method::POST, &path, &json!({ "client_id": id, "text": body }));
                let answer = client.send(sending).await.ok()?;
                slowest = slowest.max(before.elapsed());
                history.came_of(&id, crate::history::Outcome::Acked(answer["message"]["seq"].as_i64()))?;
            }
            anyhow::Ok((count, slowest))
        });
    }
    let (mut count, mut slowest) = (0, Duration::ZERO);
    while let Some(done) = tasks.join_next().await {
        let (more, longest) = done??;
        count += more;
        slowest = slowest.max(longest);
    }
    Ok((count, slowest))
}

/// How reading at last came to an end.
enum End {
    /// The server closed, with a code or without.
    Closed(Option<u16>),
    /// The newest message was read: the buffers on the way held it all.
    UpToDate,
}

async fn read_to_the_end(line: &mut Line, cursor: &mut String, last: i64) -> Result<End> {
    loop {
        match tokio::time::timeout(Duration::from_secs(40), line.next()).await.context("a slow socket is just left")? {
            Down::Frame(frame) => {
                keep(&frame, cursor);
                if frame["event"]["message"]["seq"].as_i64() == Some(last) {
                    return Ok(End::UpToDate);
                }
            }
            Down::End(code) => return Ok(End::Closed(code)),
        }
    }
}

fn keep(frame: &Value, cursor: &mut String) {
    if let Some(newer) = frame["cursor"].as_str().filter(|text| !text.is_empty()) {
        *cursor = newer.to_owned();
    }
}

/// The last `seq` that a resumed line tells while it catches up; none when it must load anew.
async fn resume(world: &World, visitor: &Visitor, cursor: &str) -> Result<Option<i64>> {
    let hello = json!({ "type": "hello", "token": visitor.token, "cursor": cursor });
    let mut line = Line::open(world.server.address, None, "/api/widget/socket", &hello).await?;
    let mut last = None;
    loop {
        let next =
            tokio::time::timeout(Duration::from_secs(20), line.next()).await.context("resuming takes too long")?;
        let Down::Frame(frame) = next else { return Ok(None) };
        match frame["type"].as_str() {
            Some("resync") => return Ok(None),
            Some("event") if frame["event"]["kind"] == "message_sent" => {
                last = frame["event"]["message"]["seq"].as_i64()
            }
            // Catching up ends with a beat.
            Some("beat") => return Ok(last),
            _ => {}
        }
    }
}

/// What many clients count together.
#[derive(Default)]
struct Crowd {
    connected: AtomicUsize,
    events: AtomicUsize,
    reloads: AtomicUsize,
    sent_away: AtomicUsize,
}

/// How a client comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// A random wait that grows, and what the server asks for.
    Good,
    /// At once, again and again.
    None,
}

/// A page that comes back for as long as it is not dropped.
async fn come_back(
    target: std::net::SocketAddr,
    visitor: Visitor,
    n: usize,
    random: Random,
    crowd: Arc<Crowd>,
    manners: Manners,
) {
    let (mut cursor, mut tries) = (visitor.cursor.clone(), 0_u32);
    let from = IpAddr::V4(Ipv4Addr::new(127, 9, (n / 250) as u8, (n % 250 + 1) as u8));
    loop {
        let hello = json!({ "type": "hello", "token": visitor.token, "cursor": cursor });
        let mut asked = 0;
        if let Ok(mut line) = Line::open(target, Some(from), "/api/widget/socket", &hello).await {
            let mut seated = false;
            while let Down::Frame(frame) = line.next().await {
                keep(&frame, &mut cursor);
                match frame["type"].as_str() {
                    Some("welcome") => {
                        (seated, tries) = (true, 0);
                        crowd.connected.fetch_add(1, Ordering::Relaxed);
                    }
                    Some("beat") if line.say(&json!({ "type": "alive" })).await.is_err() => break,
                    Some("event") if frame["event"]["kind"] == "message_sent" => {
                        crowd.events.fetch_add(1, Ordering::Relaxed);
                    }
                    Some("bye") => {
                        crowd.sent_away.fetch_add(1, Ordering::Relaxed);
                        asked = frame["retry_after_ms"].as_u64().unwrap_or(0);
                    }
                    Some("resync") => {
                        crowd.reloads.fetch_add(1, Ordering::Relaxed);
                    }
                    _ => {}
                }
            }
            if seated {
                crowd.connected.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let wait = match manners {
            Manners::Good => asked + random.below(1_000 << tries.min(5)),
            // Even hostile clients share these cores with the server.
            Manners::None => 20,
        };
        tries += 1;
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

async fn crowd_of(
    world: &World,
    count: usize,
    run: &Run,
    manners: Manners,
    first: usize,
) -> Result<(Arc<Crowd>, JoinSet<()>)> {
    let (crowd, mut tasks, mut client) = (Arc::<Crowd>::default(), JoinSet::new(), Client::new(world.server.address));
    for n in 0..count {
        let visitor = world.sites[0].visitor(&mut client, &format!("crowd{}", first + n)).await?;
        tasks.spawn(come_back(world.server.address, visitor, first + n, run.random.branch(), crowd.clone(), manners));
    }
    let all_in = async || crowd.connected.load(Ordering::Relaxed) == count;
    until("everybody is connected", Duration::from_secs(120), all_in).await?;
    Ok((crowd, tasks))
}

/// FT19: thousands are connected, the server is killed and restarted: all are back within a minute, and miss nothing.
pub async fn everybody_back(run: &Run) -> Result<String> {
    let count = if run.long { 10_000 } else { 2_000 };
    let mut world = World::new(run, Cast::default()).await?;
    let (crowd, tasks) = crowd_of(&world, count, run, Manners::Good, 0).await?;
    let burst = world.burst_with_pauses(Duration::from_millis(200));
    world.acked(10).await?;
    let sent_away = crowd.sent_away.load(Ordering::Relaxed);
    world.server.kill()?;
    // Control: the kill is felt by everybody.
    until("everybody is cut off", Duration::from_secs(20), async || crowd.connected.load(Ordering::Relaxed) == 0)
        .await?;
    // Beside thousands of clients that all try at once; how soon a server is back alone is FT01's.
    world.start_within(Duration::from_secs(20)).await?;
    let all_in = async || crowd.connected.load(Ordering::Relaxed) == count;
    let took = until("everybody is back", Duration::from_secs(60), all_in).await?;
    world.acked(10).await?;
    world.rest(burst).await?;
    let busy = crowd.sent_away.load(Ordering::Relaxed) - sent_away;
    ensure!(crowd.reloads.load(Ordering::Relaxed) == 0, "some had to load anew");
    world.is_sound().await?;
    drop(tasks);
    Ok(format!("{count} sockets, all back after {:.1} s; {busy} were asked to come later", took.as_secs_f64()))
}

/// FT20: thousands come back at once and without manners; those with manners still get in.
pub async fn no_manners(run: &Run) -> Result<String> {
    let (rude, good) = if run.long { (8_000, 200) } else { (2_000, 50) };
    let mut world = World::new(run, Cast { pictures: false, ..Cast::default() }).await?;
    let (rude_crowd, rude_tasks) = crowd_of(&world, rude, run, Manners::None, 0).await?;
    let (crowd, tasks) = crowd_of(&world, good, run, Manners::Good, 20_000).await?;
    world.server.kill()?;
    until("everybody is cut off", Duration::from_secs(20), async || crowd.connected.load(Ordering::Relaxed) == 0)
        .await?;
    world.start_within(Duration::from_secs(10)).await?;
    let all_in = async || crowd.connected.load(Ordering::Relaxed) == good;
    let took = until("those with manners are back", Duration::from_secs(60), all_in).await?;
    world.chat(30).await?;
    let rude_in = rude_crowd.connected.load(Ordering::Relaxed);
    world.is_sound().await?;
    drop((rude_tasks, tasks));
    Ok(format!(
        "{good} with manners back after {:.1} s beside {rude} without, of whom {rude_in} were in",
        took.as_secs_f64()
    ))
}
