//! Processes that end: killed, cut off from power, asked to stop.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::client::{Client, Reply};
use crate::history::{Outcome, Sent};
use crate::shim::{Knob, Place};
use crate::world::{Cast, Run, World, broken};

/// A restarted server takes messages within this; debug builds on a busy machine included.
const RESTART: Duration = Duration::from_secs(3);

/// After so many rounds others take over: the checker reads what they did in each round, and what all did in the end.
const ROUNDS_OF_A_CROWD: u64 = 10;
/// After so many rounds everything is read.
const ROUNDS_UNTIL_ALL_IS_READ: u64 = 50;

/// FT01: kill -9 in the middle of a burst, at random moments.
pub async fn killed(run: &Run) -> Result<String> {
    let rounds = run.rounds.unwrap_or(if run.long { 200 } else { 20 }).max(2);
    let takes_over = ROUNDS_OF_A_CROWD.min(rounds / 2);
    let mut world = World::new(run, Cast::default()).await?;
    for round in 0..rounds {
        if round > 0 && round % takes_over == 0 {
            world.others_come(run, Cast::default()).await?;
        }
        if round % 5 == 0 {
            world.revoke(&format!("gone{round}")).await?;
        }
        let burst = world.burst();
        world.acked(1).await?;
        tokio::time::sleep(Duration::from_millis(run.random.below(500))).await;
        world.server.kill()?;
        world.start_within(RESTART).await?;
        world.acked(20).await?;
        world.rest(burst).await?;
        let sound = match round % ROUNDS_UNTIL_ALL_IS_READ {
            0 => world.is_sound_as_a_whole().await,
            _ => world.is_sound().await,
        };
        sound.map_err(|error| error.context(format!("round {round}")))?;
    }
    world.is_sound_as_a_whole().await?;
    let sent = world.sent();
    let unknown = sent.iter().filter(|one| one.outcome == Outcome::Unknown).count();
    control_whole(&mut world).await?;
    control_checker(&mut world).await?;
    Ok(format!(
        "{rounds} kills, {} sends, {unknown} of unknown outcome; the checker's 10 controls fail as they must",
        sent.len()
    ))
}

/// FT02: kill at named places of a send. FT03: of an upload.
pub async fn killed_at_places(run: &Run) -> Result<String> {
    let places = [Place::BeforeSync, Place::AfterSync, Place::BeforeAnswer, Place::AfterAnswer, Place::BeforeTelling];
    at_places(run, &places).await?;
    same_number_after_a_retry(run).await?;
    Ok("5 places; a retry after the commit gets the same seq, another id another".to_owned())
}

/// FT03: kill at each step of the upload pipeline.
pub async fn killed_in_uploads(run: &Run) -> Result<String> {
    at_places(run, &[Place::UploadSync, Place::UploadRename]).await?;
    Ok("2 places of an upload".to_owned())
}

async fn at_places(run: &Run, places: &[Place]) -> Result<()> {
    let rounds = run.rounds.unwrap_or(if run.long { 20 } else { 3 });
    let mut world = World::shimmed(run, Cast::default()).await?;
    for place in places {
        for round in 0..rounds {
            let burst = world.burst();
            world.acked(5).await?;
            world.shim()?.die(*place, run.random.below(4))?;
            // The fault itself is the proof that the place was reached: nothing else ends the process.
            let ended = world.server.wait(Duration::from_secs(30)).await;
            ended.map_err(|error| error.context(format!("{place:?} was not reached")))?;
            ensure!(world.shim()?.read(Knob::Hits)? == 1, "the server ended by itself: {}", world.server.last_words());
            world.shim()?.clear()?;
            world.start_within(RESTART).await?;
            world.acked(20).await?;
            world.rest(burst).await?;
            world.is_sound().await.map_err(|error| error.context(format!("{place:?}, round {round}")))?;
        }
    }
    Ok(())
}

async fn same_number_after_a_retry(run: &Run) -> Result<()> {
    let cast = Cast { readers: false, pictures: false, ..Cast::default() };
    let mut world = World::shimmed(run, cast).await?;
    let (visitor, target) = (world.visitors[0].clone(), world.server.address);
    for place in [Place::AfterSync, Place::BeforeAnswer] {
        world.shim()?.die(place, 0)?;
        let id = format!("same-{place:?}");
        let reply = Client::new(target).send(visitor.text(target, &id, &id)).await;
        ensure!(matches!(reply, Reply::Nothing(_)), "{place:?}: the answer left: {reply:?}");
        world.server.wait(Duration::from_secs(10)).await?;
        world.shim()?.clear()?;
        world.server.start().await?;
        let (log, _) = visitor.log(&mut Client::new(target), target).await?;
        let stored = log.iter().find(|message| message["client_id"] == id.as_str());
        let stored = stored.with_context(|| format!("{place:?}: what was committed is gone"))?["seq"].clone();
        let again = Client::new(target).send(visitor.text(target, &id, &id)).await.ok()?;
        ensure!(again["message"]["seq"] == stored, "{place:?}: the retry got {} instead of {stored}", again["message"]);
        // Control: without its id the same text is another message.
        let other = Client::new(target).send(visitor.text(target, &format!("{id}-other"), &id)).await.ok()?;
        ensure!(other["message"]["seq"] != stored, "CONTROL another id got the same number");
    }
    Ok(())
}

/// FT05: power loss: what was not synced is gone.
pub async fn power_cut(run: &Run) -> Result<String> {
    let rounds = run.rounds.unwrap_or(if run.long { 50 } else { 4 });
    let mut world = World::shimmed(run, Cast { pictures: false, ..Cast::default() }).await?;
    world.shim()?.turn(Knob::KeepUndo, 1)?;
    for round in 0..rounds {
        let burst = world.burst();
        world.acked(20 + run.random.below(80)).await?;
        cut(&mut world).await?;
        world.shim()?.clear()?;
        world.shim()?.turn(Knob::KeepUndo, 1)?;
        world.start_within(RESTART).await?;
        world.acked(20).await?;
        world.rest(burst).await?;
        world.is_sound().await.map_err(|error| error.context(format!("round {round}")))?;
    }
    // Control: a disk that lies about syncs loses what was acknowledged, and that is noticed.
    world.readers.clear();
    world.shim()?.turn(Knob::SyncLies, 1)?;
    let burst = world.burst();
    world.acked(50).await?;
    cut(&mut world).await?;
    world.shim()?.clear()?;
    world.rest(burst).await?;
    world.server.start().await?;
    broken(&world.check().await?, &["IV1"], "syncs do nothing")?;
    Ok(format!("{rounds} power cuts; with syncs that lie acknowledged messages are lost and reported"))
}

async fn cut(world: &mut World) -> Result<()> {
    world.shim()?.turn(Knob::PowerCut, 1)?;
    world.server.wait(Duration::from_secs(20)).await.map(drop)
}

/// FT21: asked to stop during a burst.
pub async fn asked_to_stop(run: &Run) -> Result<String> {
    let rounds = run.rounds.unwrap_or(if run.long { 20 } else { 3 });
    let mut world = World::new(run, Cast::default()).await?;
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let burst = world.burst();
        world.acked(20).await?;
        let start = Instant::now();
        world.server.ask_to_stop()?;
        let status = world.server.wait(Duration::from_secs(10)).await?;
        slowest = slowest.max(start.elapsed());
        ensure!(status.success(), "it ended with {status}: {}", world.server.last_words());
        world.start_within(RESTART).await?;
        world.acked(20).await?;
        world.rest(burst).await?;
        world.is_sound().await.map_err(|error| error.context(format!("round {round}")))?;
        let refused = world.history.all().into_iter().find(|sent| matches!(sent.outcome, Outcome::Refused(_)));
        ensure!(refused.is_none(), "somebody was refused for good: {refused:?}");
    }
    Ok(format!("{rounds} stops, the slowest took {:.1} s; nobody was refused for good", slowest.as_secs_f64()))
}

/// FT22: asked to stop, and killed or asked again before it is done.
pub async fn stopped_impatiently(run: &Run) -> Result<String> {
    let rounds = run.rounds.unwrap_or(if run.long { 20 } else { 4 });
    let mut world = World::new(run, Cast::default()).await?;
    for round in 0..rounds {
        let burst = world.burst();
        world.acked(20).await?;
        world.server.ask_to_stop()?;
        tokio::time::sleep(Duration::from_millis(run.random.below(if round % 2 == 0 { 2_000 } else { 100 }))).await;
        if round % 2 == 0 {
            world.server.kill()?;
        } else {
            // It may have ended already.
            let _ = world.server.ask_to_stop();
            world.server.wait(Duration::from_secs(12)).await?;
        }
        world.start_within(RESTART).await?;
        world.acked(20).await?;
        world.rest(burst).await?;
        world.is_sound().await.map_err(|error| error.context(format!("round {round}")))?;
    }
    Ok(format!("{rounds} rounds"))
}

/// What was done to those who were here first is noticed when everything is read, and not before.
async fn control_whole(world: &mut World) -> Result<()> {
    let site = world.past.first().context("others came")?.sites[0].id;
    world.readers.clear();
    world.server.stop().await?;
    let first = format!("(SELECT MIN(id) FROM conversations WHERE site_id = {site})");
    let gone = format!("DELETE FROM messages WHERE site_id = {site} AND conversation_id = {first} AND seq = 1");
    world.tamper(&[&gone]).await?;
    world.server.start().await?;
    world.is_sound().await?;
    broken(&world.check_as_a_whole().await?, &["IV1", "IV3", "IV9?"], "a row of those who were here first is deleted")
}

/// What the checker is there for, done on purpose: each must be reported, and nothing else.
async fn control_checker(world: &mut World) -> Result<()> {
    let mut forged = world.history.all();
    let (site, name) = (world.visitors[0].site, world.visitors[0].name.clone());
    forged.push(Sent {
        client_id: "forged".into(),
        site,
        conversation: name.clone(),
        author: name,
        body: "S0:forged:never sent".into(),
        outcome: Outcome::Acked(None),
        picture: None,
    });
    broken(&world.check_against(&forged).await?, &["IV1"], "an acknowledgement is forged")?;
    let mut refused = world.history.all();
    if let Some(first) = refused.first_mut() {
        first.outcome = Outcome::Refused("storage_full".into());
    }
    broken(&world.check_against(&refused).await?, &["IV5"], "a refused message is stored")?;
    world.readers.clear();
    world.server.stop().await?;
    let whole = world.folder.path().join("whole");
    crate::server::copy_folder(&world.server.data, &whole)?;
    let (first, second) = (world.conversations[0], world.conversations[1]);
    let open = "DROP INDEX messages_client; DROP INDEX messages_seq; DROP INDEX messages_n;";
    let site_id = world.sites[0].id;
    let other_site = world.sites[1].id;
    let of_first = format!("site_id = {site_id} AND conversation_id = {first}");
    let middle =
        format!("{of_first} AND image_id IS NULL AND author_kind = 'visitor' AND seq > 1 ORDER BY seq LIMIT 1");
    let pick = format!("(SELECT id FROM messages WHERE {middle})");
    let copied = format!(
        "INSERT INTO messages SELECT (SELECT MAX(id) + 1 FROM messages), workspace_id, site_id, (SELECT MAX(n) + 1 FROM messages),
            conversation_id, (SELECT MAX(seq) + 1 FROM messages WHERE {of_first}), author_kind, author_id, author_name,
            client_id, text, image_id, at FROM messages WHERE id = {pick};
        UPDATE conversations SET last_seq = last_seq + 1, unread_agent = unread_agent + 1
            WHERE site_id = {site_id} AND id = {first};"
    );
    let swap = format!(
        "CREATE TEMP TABLE pair AS SELECT id, seq, n FROM messages
            WHERE {of_first} AND author_kind = 'visitor' AND image_id IS NULL AND seq > 1 ORDER BY seq LIMIT 2;
        UPDATE messages SET seq = (SELECT seq FROM pair WHERE pair.id <> messages.id),
            n = (SELECT n FROM pair WHERE pair.id <> messages.id) WHERE id IN (SELECT id FROM pair);"
    );
    let cases: &[(&str, String, &[&str])] = &[
        ("a stored row is deleted", format!("DELETE FROM messages WHERE id = {pick};"), &["IV1", "IV3", "IV9?"]),
        ("a stored row is doubled", copied, &["IV2"]),
        ("a text is changed", format!("UPDATE messages SET text = text || '!' WHERE id = {pick};"), &["IV1"]),
        ("two of an author's messages change places", swap, &["IV1", "IV4"]),
        ("a row is put there", format!("UPDATE messages SET text = 'S0:nobody:x' WHERE id = {pick};"), &["IV1", "IV5"]),
        (
            "a row goes to another tenant",
            format!(
                "UPDATE messages SET workspace_id = (SELECT workspace_id FROM sites WHERE id = {other_site}),
                    site_id = {other_site}, n = n + 1000000, conversation_id = (SELECT MIN(id)
                    FROM conversations WHERE site_id = {other_site}), seq = 1000000 WHERE id = {pick};"
            ),
            &["IV1?", "IV3", "IV4?", "IV5", "IV9?"],
        ),
        (
            "an unread counter is off",
            format!(
                "UPDATE conversations SET unread_agent = unread_agent + 3 WHERE site_id = {site_id} AND id = {second};"
            ),
            &["IV9"],
        ),
    ];
    for (control, statements, expected) in cases {
        std::fs::remove_dir_all(&world.server.data)?;
        crate::server::copy_folder(&whole, &world.server.data)?;
        world.tamper(&[open, statements]).await?;
        world.server.start().await?;
        let found = world.check().await?;
        broken(&found, expected, control)?;
        world.server.stop().await?;
    }
    ensure!(cases.len() == 7, "two controls more are above");
    Ok(())
}
