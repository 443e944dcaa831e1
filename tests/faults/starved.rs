//! Too little memory: who floods is refused, who chats goes on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hyper::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::{Client, dial};
use crate::people::Visitor;
use crate::server::Server;
use crate::world::{Cast, Run, World, until};

/// Bytes of each upload that stops before its last one: as large as a picture may be.
const UPLOAD: usize = 20 * 1024 * 1024;
/// Of each site. A site has room for six.
const UPLOADS: usize = 9;
/// Enough for all uploads that there is room for, several times over, in KiB of addresses.
const CEILING: u64 = 3 * 1024 * 1024;
/// Less than they need.
const TOO_LITTLE: u64 = 192 * 1024;

/// FT12: uploads that never end fill the memory under a ceiling. They are refused before it is reached, and people chat
/// on. Control: under a ceiling that is too low the same flood ends the process, and nothing acknowledged is lost.
pub async fn memory(run: &Run) -> Result<String> {
    let mut world = under(run, CEILING).await?;
    let idle = addresses(&world)?;
    let burst = world.burst_with_pauses(Duration::from_millis(100));
    world.acked(20).await?;
    let (held, refused) = flood(&world).await?;
    ensure!(refused > 0, "nothing was refused: {} uploads are held", held.len());
    let (most, target) = (held.len() * UPLOAD, world.server.address);
    let full = async || world.server.memory().await.is_ok_and(|bytes| bytes > most as f64 / 2.0);
    until("the uploads are in memory", Duration::from_secs(20), full).await.context("CONTROL")?;
    let memory = world.server.memory().await?;
    world.acked(50).await.context("chatting beside the flood")?;
    ensure!(world.server.ended()?.is_none(), "the server ended: {}", world.server.last_words());
    let uploads = held.len();
    drop(held);
    let visitor = world.visitors[0].clone();
    let accepted = async || {
        let picture = crate::driver::picture(1).into();
        Client::new(target).send(visitor.upload(target, picture)).await.ok().is_ok()
    };
    until("there is room again", Duration::from_secs(20), accepted).await?;
    world.rest(burst).await?;
    world.is_sound().await?;
    drop(world);
    let lost = too_little(run, idle + TOO_LITTLE).await?;
    Ok(format!(
        "{uploads} uploads held in {:.0} MB, {refused} refused, chat went on; under a lower ceiling {lost}",
        memory / 1048576.0
    ))
}

async fn too_little(run: &Run, ceiling: u64) -> Result<String> {
    let mut world = under(run, ceiling).await?;
    let burst = world.burst_with_pauses(Duration::from_millis(100));
    world.acked(20).await?;
    // Connections break when the process ends.
    let held = flood(&world).await;
    let status = world.server.wait(Duration::from_secs(20)).await.context("CONTROL the flood needs more than that")?;
    drop(held);
    world.server.start().await?;
    world.acked(20).await?;
    world.rest(burst).await?;
    world.is_sound().await?;
    Ok(format!("the process ended ({status}) and nothing acknowledged was lost"))
}

/// A server that may have so many KiB of addresses, with sites that take the largest pictures.
async fn under(run: &Run, ceiling: u64) -> Result<World> {
    let folder = TempDir::new()?;
    let limited = format!("ulimit -v {ceiling} && exec \"$0\" \"$@\"");
    let server = Server::new(folder.path())?.wrapped(&["sh", "-c", &limited]);
    let cast = Cast { sites: 4, visitors: 1, readers: false, pictures: false };
    let world = World::with(run, cast, folder, server).await?;
    for site in &world.sites {
        let limits = json!({ "messages_per_minute": 600, "api_per_minute": 1_000_000, "image_bytes": UPLOAD });
        site.owner.call(Method::PATCH, &format!("sites/{}", site.id), &json!({ "limits": limits })).await.ok()?;
    }
    Ok(world)
}

/// KiB of addresses that the server has.
fn addresses(world: &World) -> Result<u64> {
    world.server.status("VmPeak:")
}

/// Uploads that lack their last byte, on every site: those that are held, and how many were refused.
async fn flood(world: &World) -> Result<(Vec<TcpStream>, usize)> {
    let body: Arc<[u8]> = vec![b'x'; UPLOAD - 1].into();
    let mut tasks = JoinSet::new();
    for visitor in &world.visitors {
        for _ in 0..UPLOADS {
            tasks.spawn(unfinished(world.server.address, visitor.clone(), body.clone()));
        }
    }
    let (mut held, mut refused) = (Vec::new(), 0);
    while let Some(done) = tasks.join_next().await {
        match done?? {
            Some(stream) => held.push(stream),
            None => refused += 1,
        }
    }
    Ok((held, refused))
}

/// The connection of an upload that waits for its last byte; none when it was answered before.
async fn unfinished(target: SocketAddr, visitor: Visitor, body: Arc<[u8]>) -> Result<Option<TcpStream>> {
    let mut stream = dial(target, None).await?;
    let head = format!(
        "POST /api/widget/images HTTP/1.1\r\nHost: {target}\r\nAuthorization: Bearer {}\r\nContent-Length: {UPLOAD}\r\n\r\n",
        visitor.token
    );
    stream.write_all(head.as_bytes()).await?;
    let (mut reading, mut writing) = stream.split();
    let mut first = [0; 12];
    let held = tokio::select! {
        _ = reading.read(&mut first) => false,
        written = writing.write_all(&body) => written.is_ok(),
    };
    Ok(held.then_some(stream))
}
