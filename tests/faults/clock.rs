//! Clocks that jump: the wall clock alone, as a wrong time service moves it.

use anyhow::{Context, Result, ensure};

use crate::checker;
use crate::client::Client;
use crate::shim::Knob;
use crate::world::{Cast, Run, World};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// FT15: the wall clock jumps or stands still during traffic. Order does not care; sessions may end, and nothing panics.
pub async fn jumps(run: &Run) -> Result<String> {
    let mut world = World::shimmed(run, Cast::default()).await?;
    let jumps = [("a day on", DAY), ("an hour back", -HOUR), ("ten years back", -10 * YEAR), ("right again", 0)];
    for (what, offset) in jumps {
        let burst = world.burst();
        world.acked(10).await?;
        let before = newest(&world).await?;
        world.shim()?.turn(Knob::ClockMs, offset)?;
        world.acked(40).await.with_context(|| what.to_owned())?;
        world.rest(burst).await?;
        world.is_sound().await.with_context(|| what.to_owned())?;
        // Control: the server really believed it.
        let moved = newest(&world).await? - before;
        let expected = if offset == 0 {
            10 * YEAR
        } else if offset == -10 * YEAR {
            -10 * YEAR + HOUR
        } else {
            offset
        };
        let tolerance = 26 * HOUR;
        ensure!((moved - expected).abs() < tolerance, "CONTROL {what}: the server's time moved by {moved} ms");
    }
    let frozen = newest(&world).await?;
    world.shim()?.turn(Knob::FrozenMs, frozen)?;
    world.chat(60).await.context("while time stands still")?;
    world.is_sound().await.context("while time stands still")?;
    ensure!(newest(&world).await? == frozen, "CONTROL time did not stand still");
    world.shim()?.turn(Knob::FrozenMs, 0)?;
    ten_years_on(&mut world).await?;
    ensure!(!world.server.log_text().contains("panicked at"), "something panicked: {}", world.server.last_words());
    Ok("a day on, an hour and ten years back, right again, frozen, ten years on".to_owned())
}

/// Ten years on everybody's session is over: that is refused in words, and people who sign in go on.
async fn ten_years_on(world: &mut World) -> Result<()> {
    world.shim()?.turn(Knob::ClockMs, 10 * YEAR)?;
    let target = world.server.address;
    let visitor = world.visitors[0].clone();
    let reply = Client::new(target).send(visitor.text(target, "old-token", "S0:old:x")).await;
    ensure!(matches!(reply.code().as_str(), "invalid_token"), "an old token was answered {reply:?}");
    let owner = world.sites[0].owner.sign_in_again().await.context("signing in ten years on")?;
    owner.get(&mut Client::new(target), "me").await?;
    let newcomer = world.sites[0].visitor(&mut Client::new(target), "of-the-future").await?;
    Client::new(target).send(newcomer.text(target, "future", "S0:future:x")).await.ok()?;
    world.shim()?.turn(Knob::ClockMs, 0)?;
    ensure!(world.server.is_ready().await, "it is not ready any more");
    Ok(())
}

/// The time of the message with the highest number, over all conversations of the first site.
async fn newest(world: &World) -> Result<i64> {
    let found = checker::conversations(&mut Client::new(world.server.address), &world.sites[0]).await?;
    let last = found.first().and_then(|conversation| conversation.messages.last());
    last.and_then(|message| message["at"].as_i64()).context("a message with a time")
}
