//! What a server has too little of: descriptors, room for pictures, files that belong to its rows; and clients that
//! give it one byte at a time.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hyper::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Client, Reply};
use crate::disk::{fill, may_mount};
use crate::driver::picture;
use crate::history::Sent;
use crate::people::Visitor;
use crate::server::Server;
use crate::world::{Cast, Run, World, broken, until};

const PLAIN: Cast = Cast { sites: 2, visitors: 2, readers: true, pictures: false };

/// FT11: fewer file descriptors than connections are wanted. The server says so and serves as many as it can, nobody spins,
/// who is connected chats on, pictures and the database have their descriptors, and those who wait are served later.
pub async fn no_descriptors(run: &Run) -> Result<String> {
    let folder = TempDir::new()?;
    let limited = "ulimit -n 160 && exec \"$0\" \"$@\"";
    let server = Server::new(folder.path())?.wrapped(&["sh", "-c", limited]);
    let mut world = World::with(run, PLAIN, folder, server).await?;
    ensure!(world.server.log_text().contains("max_connections is 80 instead of"), "CONTROL it does not say so");
    let burst = world.burst_with_pauses(Duration::from_millis(100));
    world.acked(20).await?;
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(TcpStream::connect(world.server.address).await?);
    }
    let waits = async || !world.server.is_ready_within(Duration::from_millis(500)).await;
    until("others wait", Duration::from_secs(20), waits).await.context("CONTROL")?;
    let (busy, begun) = (world.server.cpu_seconds()?, Instant::now());
    world.acked(20).await.context("those who were connected chat on")?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let share = (world.server.cpu_seconds()? - busy) / begun.elapsed().as_secs_f64();
    ensure!(share < 0.7, "it spins: {share:.2} of a core");
    let log = world.server.log_text();
    ensure!(!log.contains("cannot be accepted") && !log.contains("Too many open files"), "descriptors ran out: {log}");
    drop(held);
    let ready = until("it takes connections again", Duration::from_secs(20), async || world.server.is_ready().await);
    let took = ready.await?;
    world.acked(20).await?;
    world.rest(burst).await?;
    world.is_sound().await?;
    Ok(format!("300 connections on 160 descriptors, {share:.2} of a core meanwhile; it recovered in {took:.1?}"))
}

/// FT09: there is no room for pictures, and for nothing else. Text is unaffected, and it heals without a restart.
pub async fn no_room_for_pictures(run: &Run) -> Result<String> {
    if !may_mount() {
        return Ok("skipped: mounting needs root".to_owned());
    }
    let folder = TempDir::new()?;
    let images = folder.path().join("data/images");
    fs::create_dir_all(&images)?;
    let script = format!("mount -t tmpfs -o size=1m,mode=0700 none {} && exec \"$0\" \"$@\"", images.display());
    let server = Server::new(folder.path())?.wrapped(&["unshare", "-m", "sh", "-c", &script]);
    let mut world = World::with(run, PLAIN, folder, server).await?;
    let visitor = world.visitors[0].clone();
    upload(&world, &visitor, 1).await.ok().context("while there is room")?;
    let pid = world.server.pid().context("the server runs")?;
    let ballast = PathBuf::from(format!("/proc/{pid}/root{}", images.join("ballast").display()));
    fill(&ballast)?;
    let refused = upload(&world, &visitor, 2).await.code();
    ensure!(refused == "storage_full", "CONTROL an upload was answered {refused:?}");
    world.chat(60).await.context("text while pictures have no room")?;
    ensure!(world.server.is_ready().await, "it says that it is not ready");
    fs::remove_file(&ballast)?;
    upload(&world, &visitor, 3).await.ok().context("after there was room again")?;
    world.is_sound().await?;
    Ok("an upload was answered storage_full, 60 messages went through, it healed without a restart".to_owned())
}

async fn upload(world: &World, visitor: &Visitor, seed: u64) -> Reply {
    let target = world.server.address;
    Client::new(target).send(visitor.upload(target, picture(seed).into())).await
}

/// FT27: the database is there and its files are not. Text is shown, pictures are missing and counted, and what lies
/// beside the rows is left alone.
pub async fn files_gone(run: &Run) -> Result<String> {
    let mut world = World::new(run, Cast::default()).await?;
    let burst = world.burst();
    let pictures = async || world.history.all().iter().any(|sent| sent.picture.is_some());
    until("a picture is sent", Duration::from_secs(60), pictures).await?;
    world.rest(burst).await?;
    world.server.stop().await?;
    let (images, away) = (world.server.data.join("images"), world.folder.path().join("away"));
    fs::rename(&images, &away)?;
    world.server.start().await?;
    let stray = images.join("chat_images/stray.png");
    fs::create_dir_all(stray.parent().context("a folder")?)?;
    fs::write(&stray, b"of another server")?;
    broken(&world.check().await?, &["IV8"], "the files are gone")?;
    let doctor = world.server.command(&["doctor"])?;
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    ensure!(said.contains("pictures are missing or damaged"), "the doctor does not see it: {said}");
    world.chat(30).await.context("chatting without the old files")?;
    ensure!(stray.exists(), "a file that no row knows was deleted");
    world.server.stop().await?;
    crate::server::copy_folder(&away, &images)?;
    world.server.start().await?;
    world.is_sound().await?;
    Ok("text was shown, the pictures were reported; with the files put back nothing is missing".to_owned())
}

/// FT18: clients that send one byte now and then, of a head and of frames. Others notice nothing.
pub async fn slow_producers(run: &Run) -> Result<String> {
    let mut world = World::new(run, PLAIN).await?;
    let target = world.server.address;
    let mut slow = Vec::new();
    for n in 0..if run.long { 1_000 } else { 300 } {
        let mut stream = TcpStream::connect(target).await?;
        let begun: &[u8] = match n % 3 {
            0 => b"GET /api/widget.js HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            1 => b"POST /api/widget HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{",
            _ => b"GET /api/widget/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        };
        stream.write_all(begun).await?;
        slow.push(stream);
    }
    let (count, server) = (slow.len(), &world.server);
    let all_in = async || server.figure("ocs_connections ").await.is_ok_and(|open| open >= count as f64);
    until("they are connected", Duration::from_secs(9), all_in).await.context("CONTROL")?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let drip = tokio::spawn(async move {
        let mut stopped = stopped;
        while stopped.try_recv().is_err() {
            for stream in &mut slow {
                // The server may have had enough of it.
                let _ = stream.write_all(b"x").await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let begun = Instant::now();
    world.chat(200).await?;
    let took = begun.elapsed();
    // Those whose head or hello does not come are let go, whatever they drip; bodies have a minute.
    let let_go = async || world.server.figure("ocs_connections ").await.is_ok_and(|open| open < count as f64 * 0.5);
    until("slow heads and hellos are let go", Duration::from_secs(40), let_go).await?;
    // It has ended when the test was quick.
    let _ = stop.send(());
    drip.await?;
    world.is_sound().await?;
    Ok(format!("{count} slow clients; 200 messages went through in {:.1} s beside them", took.as_secs_f64()))
}

/// FT49: the process ends while a site is deleted. It is there whole or gone whole, and the others are untouched.
pub async fn killed_while_deleting(run: &Run) -> Result<String> {
    let mut world = World::new(run, Cast { sites: 4, visitors: 2, readers: false, pictures: false }).await?;
    world.chat(100).await?;
    let (mut kept, mut gone) = (0, 0);
    while world.sites.len() > 1 {
        let victim = world.sites.last().context("a site")?.clone();
        let path = format!("sites/{}", victim.id);
        let (owner, asked) = (victim.owner.clone(), path.clone());
        let delete = tokio::spawn(async move { owner.call(Method::DELETE, &asked, &json!({})).await });
        tokio::time::sleep(Duration::from_micros(run.random.below(6_000))).await;
        world.server.kill()?;
        let answered = matches!(delete.await?, Reply::Answer(status, _) if status.is_success());
        world.server.start().await?;
        match victim.owner.call(Method::GET, &path, &json!({})).await {
            Reply::Answer(status, _) if status.is_success() => {
                ensure!(!answered, "a site whose deletion was answered is back");
                kept += 1;
                let there = of_sites(&world);
                crate::world::sound(&world.check_against(&there).await?).context("a site that was kept is whole")?;
                if kept < 12 {
                    continue;
                }
                victim.owner.call(Method::DELETE, &path, &json!({})).await.ok()?;
            }
            Reply::Answer(status, _) => ensure!(status.as_u16() == 404, "a deleted site answers {status}"),
            Reply::Nothing(why) => anyhow::bail!("no answer: {why}"),
        }
        gone += 1;
        world.sites.pop();
        world.visitors.retain(|visitor| visitor.site != victim.number);
        let rest = of_sites(&world);
        crate::world::sound(&world.check_against(&rest).await?).context("the other sites")?;
        let Some(message) = rest.iter().position(|sent| matches!(sent.outcome, crate::history::Outcome::Acked(_)))
        else {
            anyhow::bail!("CONTROL nothing was acknowledged")
        };
        let mut more = rest.clone();
        more[message].client_id = "never-sent".into();
        more[message].body = "S0:never-sent".into();
        ensure!(!world.check_against(&more).await?.is_empty(), "CONTROL a message that is missing is not noticed");
    }
    Ok(format!("{gone} sites deleted; {kept} times the deletion was cut off and all of the site was there"))
}

/// What was sent to the sites that are left.
fn of_sites(world: &World) -> Vec<Sent> {
    world.history.all().into_iter().filter(|sent| sent.site < world.sites.len()).collect()
}

/// FT52: everyday use with a crash now and then, for as many minutes as there are rounds. What a server holds stays flat.
pub async fn soak(run: &Run) -> Result<String> {
    let mut world = World::new(run, Cast { pictures: false, ..Cast::default() }).await?;
    let minutes = run.rounds.unwrap_or(30).max(6);
    let mut samples = Vec::new();
    for minute in 0..minutes {
        let burst = world.burst_with_pauses(Duration::from_millis(400));
        // The fault itself: a minute of use.
        tokio::time::sleep(Duration::from_secs(60)).await;
        world.rest(burst).await?;
        samples.push(held(&world).await?);
        if minute % 10 == 9 {
            world.is_sound().await?;
            world.server.kill()?;
            world.start_within(Duration::from_secs(3)).await?;
        }
    }
    world.is_sound().await?;
    let third = samples.len() / 3;
    let most = |part: &[[f64; 3]], what: usize| part.iter().map(|sample| sample[what]).fold(0.0, f64::max);
    let slack = [48.0 * 1024.0 * 1024.0, 20.0, 40.0 * 1024.0 * 1024.0];
    for (what, name) in ["memory", "descriptors", "the log's size"].into_iter().enumerate() {
        let (early, late) = (most(&samples[..third], what), most(&samples[samples.len() - third..], what));
        ensure!(!grows(early, late, slack[what]), "{name} grew from {early:.0} to {late:.0}");
        // Control: had it doubled twice, that would be noticed.
        ensure!(grows(early, 4.0 * (early + slack[what]), slack[what]), "CONTROL growth of {name} is not noticed");
    }
    Ok(format!(
        "{minutes} minutes; at most {:.0} MB and {:.0} descriptors",
        most(&samples, 0) / 1048576.0,
        most(&samples, 1)
    ))
}

fn grows(early: f64, late: f64, slack: f64) -> bool {
    late > early * 1.5 + slack
}

/// Memory in bytes, descriptors, bytes of the write-ahead log.
async fn held(world: &World) -> Result<[f64; 3]> {
    let pid = world.server.pid().context("the server runs")?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count() as f64;
    let log = fs::metadata(world.server.data.join("ocs.db-wal")).map_or(0, |file| file.len()) as f64;
    Ok([world.server.memory().await?, descriptors, log])
}
