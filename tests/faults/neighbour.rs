//! A neighbour that does as much as it can: one site sends, polls, uploads and reloads without pause, and another one's
//! people notice little of it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hyper::Method;
use serde_json::json;

use crate::driver::picture;
use crate::noise::{Noise, times};
use crate::people::Visitor;
use crate::shim::Knob;
use crate::world::{Cast, Run, World, until};

/// How much longer a quiet site's message may take beside a noisy one than alone. docs/faults.md states it.
const FACTOR: f64 = 20.0;
/// A disk as slow as this makes commits the bottleneck, whatever the processors do besides.
const SYNC_MS: i64 = 30;
/// Sends of the noisy site that wait at once: several commits' worth.
const SENDERS: usize = 800;
/// Of each other kind of request.
const OTHERS: usize = 40;

/// P08: the quiet site's sends all succeed and take at most [`FACTOR`] times as long as alone. Control: the noisy site's
/// own people, who have no turns before each other, wait much longer in the same run, so there was something to wait for.
pub async fn noisy(run: &Run) -> Result<String> {
    let world = World::shimmed(run, Cast { sites: 2, visitors: 2, readers: false, pictures: false }).await?;
    world.shim()?.turn(Knob::SyncMs, SYNC_MS)?;
    let (loud, quiet) = (world.visitors[0].clone(), world.visitors[2].clone());
    ensure!((loud.site, quiet.site) == (0, 1), "the visitors stand in the order of their sites");
    let samples = if run.long { 200 } else { 24 };
    let alone = latency(&world, &quiet, "alone", samples).await?;
    let noise = begin(&world, run)?;
    let begun = until("the noise has begun", Duration::from_secs(60), async || noise.done() > SENDERS as u64);
    begun.await?;
    let before = noise.done();
    let (beside, within) =
        tokio::join!(latency(&world, &quiet, "beside", samples), latency(&world, &loud, "within", samples.div_ceil(4)));
    let (beside, within, made) = (beside?, within?, noise.done() - before);
    noise.stop().await?;
    let factor = beside.as_secs_f64() / alone.as_secs_f64();
    let unfair = within.as_secs_f64() / alone.as_secs_f64();
    let figures = format!(
        "{made} requests of the noisy site meanwhile; a quiet site's message took {:.1} ms, {:.1} ms alone: {factor:.1} times; \
         one of the noisy site's own {unfair:.1} times",
        beside.as_secs_f64() * 1e3,
        alone.as_secs_f64() * 1e3
    );
    ensure!(unfair > 2.0 * factor, "CONTROL its own people did not wait longer: {figures}");
    ensure!(factor <= FACTOR, "the neighbour is heard too much: {figures}");
    Ok(figures)
}

/// The median of [`times`].
async fn latency(world: &World, visitor: &Visitor, what: &str, count: usize) -> Result<Duration> {
    Ok(times(world, visitor, what, count).await?[count / 2])
}

/// Everything that a site's people can do.
fn begin(world: &World, run: &Run) -> Result<Noise> {
    let (site, target) = (world.sites[0].clone(), world.server.address);
    let conversation = *world.conversations.first().context("a conversation")?;
    let mut noise = Noise::default();
    for sender in 0..SENDERS {
        let site = site.clone();
        let id = move |n| format!("noise-{sender}-{n}");
        noise.make(target, Box::new(move |n| site.script_reply(conversation, &id(n), "lorem ipsum")));
    }
    for number in 0..OTHERS {
        let (poller, owner, changer) = (site.clone(), site.owner.clone(), site.owner.clone());
        noise.make(target, Box::new(move |_| poller.script_fetch(200)));
        let (writer, path) = (site.owner.clone(), format!("sites/{}/conversations/{conversation}/messages", site.id));
        noise.make(
            target,
            Box::new(move |n| {
                let body = json!({ "client_id": format!("operator-{number}-{n}"), "text": "lorem ipsum" });
                writer.sending(Method::POST, &path, &body)
            }),
        );
        noise.make(
            target,
            Box::new(move |_| owner.sending(Method::GET, "conversations?state=all&limit=200", &json!({}))),
        );
        let path = format!("sites/{}", site.id);
        noise.make(
            target,
            Box::new(move |n| changer.sending(Method::PATCH, &path, &json!({ "name": format!("Noise {n}") }))),
        );
        let (back, uploader, seed) = (world.visitors[1].clone(), world.visitors[1].clone(), run.random.next());
        noise.make(target, Box::new(move |_| back.again(target)));
        let bytes: bytes::Bytes = picture(seed).into();
        noise.make(target, Box::new(move |_| uploader.upload(target, bytes.clone())));
    }
    Ok(noise)
}
