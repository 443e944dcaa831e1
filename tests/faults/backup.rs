//! Backups: taken under load, restored elsewhere, restored when they are old.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::history::Outcome;
use crate::world::{Cast, Run, World, broken, sound, tamper};

/// FT25: a backup under load, restored: everything that was acknowledged before it began is there.
pub async fn under_load(run: &Run) -> Result<String> {
    let mut world = World::new(run, Cast::default()).await?;
    world.chat(100).await?;
    let burst = world.burst();
    world.acked(50).await?;
    let before = world.history.all();
    let file = back_up(&world, "first.tar").await?;
    world.acked(20).await?;
    world.rest(burst).await?;
    world.is_sound().await?;
    let lost = world.history.all().len() - before.len();
    let promised = promised(&world, &before);
    world.server.stop().await?;
    restore(&mut world, &file).await?;
    sound(&world.check_against(&promised).await?)?;
    everybody_reloaded(&world)?;
    // Control: the same file without one row of it.
    world.readers.clear();
    world.server.stop().await?;
    let site = world.sites[0].id;
    let missing = format!(
        "DELETE FROM messages WHERE site_id = {site} AND seq = 2 AND conversation_id = {};",
        world.conversations[0]
    );
    world.tamper(&[&missing]).await?;
    world.server.start().await?;
    broken(&world.check_against(&promised).await?, &["IV1", "IV3", "IV9?"], "a row is missing in the backup")?;
    Ok(format!("{} messages promised, {lost} written during or after it", before.len()))
}

/// FT26: an older backup is restored while pages hold higher cursors. They load anew and show what there is.
pub async fn older(run: &Run) -> Result<String> {
    let (reloads, found) = restore_older(run, true).await?;
    sound(&found)?;
    ensure!(reloads > 0, "no page loaded anew");
    // Control: the same with the old epoch put back: pages take the new messages for old ones.
    let (_, found) = restore_older(run, false).await?;
    ensure!(!found.is_empty(), "CONTROL with the old epoch nothing goes wrong");
    broken(&found, &["IV6", "IV3?"], "the epoch is not renewed")?;
    Ok(format!(
        "{reloads} pages loaded anew; with the old epoch put back they show what is not there, and that is reported"
    ))
}

async fn restore_older(run: &Run, renewed: bool) -> Result<(u64, Vec<crate::checker::Violation>)> {
    let mut world = World::new(run, Cast { pictures: false, ..Cast::default() }).await?;
    world.chat(60).await?;
    let before = world.history.all();
    let file = back_up(&world, "old.tar").await?;
    world.chat(150).await?;
    world.is_sound().await?;
    let epoch = epoch(&world).await?;
    // Pages that come back only after the log is as long again: their cursor then looks as if it were good.
    for reader in &world.readers {
        reader.stay_away(true);
        reader.heard().reloads = 0;
    }
    world.server.stop().await?;
    restore_with(&mut world, &file, (!renewed).then_some(epoch)).await?;
    let lost = before.len();
    world.chat(400).await?;
    for reader in &world.readers {
        reader.stay_away(false);
    }
    if !renewed {
        world.patience = Duration::from_secs(4);
    }
    let promised = promised(&world, &world.history.all()[..lost]);
    let found = world.check_against(&promised).await?;
    let reloads = world.readers.iter().map(|reader| reader.heard().reloads).sum();
    Ok((reloads, found))
}

async fn back_up(world: &World, name: &str) -> Result<std::path::PathBuf> {
    let file = world.folder.path().join(name);
    let path = file.to_str().context("a path")?.to_owned();
    let said = tokio::task::block_in_place(|| world.server.command(&["backup", &path]))?;
    ensure!(said.status.success(), "backup failed: {}", String::from_utf8_lossy(&said.stderr));
    Ok(file)
}

async fn restore(world: &mut World, file: &std::path::Path) -> Result<()> {
    restore_with(world, file, None).await
}

/// Restores into a new folder and serves that, at the same address.
async fn restore_with(world: &mut World, file: &std::path::Path, epoch: Option<String>) -> Result<()> {
    let data = world.folder.path().join("restored").join("data");
    let mut server = world.server.over(&data)?;
    let path = file.to_str().context("a path")?;
    let said = server.command(&["restore", path])?;
    ensure!(said.status.success(), "restore failed: {}", String::from_utf8_lossy(&said.stderr));
    // The key is kept apart from backups, and put back beside what they hold.
    std::fs::copy(world.server.data.join("master.key"), data.join("master.key"))?;
    if let Some(epoch) = epoch {
        let put_back = format!("UPDATE instance SET value = '{epoch}' WHERE name = 'epoch';");
        tamper(&data.join("ocs.db"), &[&put_back])?;
    }
    server.start().await?;
    world.server = server;
    world.sign_in_again().await
}

/// What must be there after a restore: what was acknowledged before the backup began. The rest may be there, once.
fn promised(world: &World, before: &[crate::history::Sent]) -> Vec<crate::history::Sent> {
    let mut all = world.history.all();
    for (place, sent) in all.iter_mut().enumerate() {
        let was_acked = before.get(place).is_some_and(|sent| matches!(sent.outcome, Outcome::Acked(_)));
        if !was_acked {
            sent.outcome = Outcome::Unknown;
        }
    }
    all
}

/// The start of a cursor names the life of the database.
async fn epoch(world: &World) -> Result<String> {
    let inbox = world.ask(0, "conversations?limit=1").await?;
    let cursor = inbox["cursor"].as_str().context("a cursor")?;
    Ok(cursor.split('.').next().unwrap_or_default().to_owned())
}

fn everybody_reloaded(world: &World) -> Result<()> {
    let without = world.readers.iter().filter(|reader| reader.heard().reloads < 2).count();
    ensure!(without == 0, "{without} pages did not load anew after the restore");
    Ok(())
}
