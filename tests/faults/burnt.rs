//! A processor that is burnt by pictures and passwords: who chats notices little of it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hyper::Method;
use serde_json::json;

use crate::client::{Client, Sending, json as json_request};
use crate::noise::{Noise, times};
use crate::people::Owner;
use crate::shim::Knob;
use crate::world::{Cast, Run, World, until};

/// How much longer a message may take while the processors are burnt; docs/faults.md states it. The median: the slowest of
/// a hundred tell of the machine's disk, which the pictures are written to as well.
const FACTOR: f64 = 3.0;
/// No disk is quicker: a ratio to nothing would tell of the machine and not of the server.
const SYNC_MS: i64 = 2;
/// Threads that the server may begin for the flood: it must wait for its turns, not have a thread for each.
const MORE_THREADS: u64 = 40;
/// Uploads and sign-ins at once, of each account.
const OF_EACH: usize = 8;

/// FT56: messages take at most [`FACTOR`] times as long while accounts upload pictures and sign in without pause. Control:
/// whoever signs in meanwhile waits much longer than alone, so the processors were busy.
pub async fn processor(run: &Run) -> Result<String> {
    let world = World::shimmed(run, Cast { sites: 4, visitors: 1, readers: false, pictures: false }).await?;
    world.shim()?.turn(Knob::SyncMs, SYNC_MS)?;
    let (quiet, samples) = (world.visitors[3].clone(), if run.long { 250 } else { 100 });
    let (threads, alone) = (world.server.status("Threads:")?, times(&world, &quiet, "alone", samples).await?);
    let owner = &world.sites[2].owner;
    let entry = sign_in_time(owner).await?;
    let flood = begin(&world, run)?;
    until("pictures are decoded", Duration::from_secs(60), async || flood.taken() > 20).await?;
    let before = flood.taken();
    let (burnt, slow) = tokio::join!(times(&world, &quiet, "burnt", samples), sign_in_time(owner));
    let (burnt, slow, made) = (burnt?, slow?, flood.taken() - before);
    let more = world.server.status("Threads:")?.saturating_sub(threads);
    flood.stop().await?;
    let at = |times: &[Duration], hundredth: usize| times[times.len() * hundredth / 100].as_secs_f64() * 1e3;
    let factor = at(&burnt, 50) / at(&alone, 50);
    let waited = slow.as_secs_f64() / entry.as_secs_f64();
    let figures = format!(
        "{made} pictures and sign-ins meanwhile, {more} more threads; a message took {:.0} ms (99 of 100: {:.0}), alone {:.0} \
         ({:.0}): {factor:.1} times; a sign-in {waited:.1} times",
        at(&burnt, 50),
        at(&burnt, 99),
        at(&alone, 50),
        at(&alone, 99),
    );
    ensure!(waited > 2.0, "CONTROL nothing was burnt: {figures}");
    ensure!(more <= MORE_THREADS, "threads are begun without bound: {figures}");
    ensure!(factor <= FACTOR, "the flood is felt too much: {figures}");
    Ok(figures)
}

/// Two accounts upload, and a third one signs in: each time that ends its oldest session, which nobody needs.
fn begin(world: &World, run: &Run) -> Result<Noise> {
    let (mut flood, target) = (Noise::default(), world.server.address);
    for site in world.sites.iter().take(2) {
        let path = format!("sites/{}/images", site.id);
        for _ in 0..OF_EACH {
            let (owner, path, bytes) = (site.owner.clone(), path.clone(), large_picture(run.random.next())?);
            flood.make(target, Box::new(move |_| owner.upload(&path, bytes.clone())));
        }
    }
    for _ in 0..OF_EACH {
        let owner = world.sites[2].owner.clone();
        flood.make(target, Box::new(move |_| sign_in(&owner)));
    }
    Ok(flood)
}

fn sign_in(owner: &Owner) -> Sending {
    let body = json!({ "email": owner.email, "password": crate::people::PASSWORD });
    json_request(Method::POST, owner.target, "/api/console/sign-in", &[], &body)
}

/// The middle one of three.
async fn sign_in_time(owner: &Owner) -> Result<Duration> {
    let mut client = Client::new(owner.target);
    let mut times = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        client.send(sign_in(owner)).await.ok()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[1])
}

/// A picture of nearly a megabyte, which nothing can make smaller.
fn large_picture(seed: u64) -> Result<bytes::Bytes> {
    let random = crate::random::Random::new(seed);
    let pixels = image::RgbImage::from_fn(560, 560, |_, _| {
        let n = random.next().to_le_bytes();
        image::Rgb([n[0], n[1], n[2]])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner().into())
}
