//! Disks that are full, read-only, broken or not what they were.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::checker;
use crate::client::{Client, Reply};
use crate::history::{Outcome, Sent};
use crate::people::body_of;
use crate::server::{Server, copy_folder};
use crate::shim::Knob;
use crate::world::{Cast, Run, World, broken, until};

/// Error numbers of Linux.
const EIO: i64 = 5;
const ENOSPC: i64 = 28;
const EROFS: i64 = 30;

/// FT08: the disk is full during a burst, and then is not.
pub async fn full(run: &Run) -> Result<String> {
    if !may_mount() {
        let mut world = World::shimmed(run, Cast::default()).await?;
        return refuses_writes(&mut world, ENOSPC).await.map(|text| format!("{text} (simulated: mounting needs root)"));
    }
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    fs::create_dir(&data)?;
    let script = format!("mount -t tmpfs -o size=40m,mode=0700 none {} && exec \"$0\" \"$@\"", data.display());
    let server = Server::new(folder.path())?.wrapped(&["unshare", "-m", "sh", "-c", &script]);
    let mut world = World::with(run, Cast::default(), folder, server).await?;
    // The mount is the server's alone; through its process we see it, too.
    let pid = world.server.pid().context("the server runs")?;
    let ballast = PathBuf::from(format!("/proc/{pid}/root{}", data.join("ballast").display()));
    let mut refusals = 0;
    for _ in 0..if run.long { 10 } else { 2 } {
        let burst = world.burst();
        world.acked(20).await?;
        fill(&ballast)?;
        refusals += refused_until(&mut world, &ballast).await?;
        reads_work(&world).await?;
        fs::remove_file(&ballast)?;
        world.acked(30).await.context("after there was room again")?;
        world.rest(burst).await?;
        world.is_sound().await?;
    }
    control_false_ack(&world).await?;
    Ok(format!("{refusals} sends answered storage_full; it healed without a restart"))
}

/// FT10: the data volume turns read-only, and back.
pub async fn read_only(run: &Run) -> Result<String> {
    let mut world = World::shimmed(run, Cast::default()).await?;
    refuses_writes(&mut world, EROFS).await
}

async fn refuses_writes(world: &mut World, errno: i64) -> Result<String> {
    let burst = world.burst();
    world.acked(20).await?;
    world.shim()?.turn(Knob::WriteErrno, errno)?;
    let (code, _) = probe(world, "while-broken").await?;
    ensure!(code == "storage_full", "a send was answered {code:?}");
    reads_work(world).await?;
    world.shim()?.clear()?;
    world.acked(30).await.context("after the disk took writes again")?;
    world.rest(burst).await?;
    world.is_sound().await?;
    control_false_ack(world).await?;
    Ok("a send was answered storage_full, reads worked, it healed without a restart".to_owned())
}

/// Is a private mount possible?
pub fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Takes all the room that is left.
pub fn fill(ballast: &Path) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(ballast)?;
    for size in [1 << 20, 1 << 16, 1 << 12] {
        let block = vec![7_u8; size];
        // Ends with the disk.
        while file.write_all(&block).is_ok() {}
    }
    Ok(())
}

/// Sends until one is refused for want of room: what the database had reserved is used up first.
async fn refused_until(world: &mut World, ballast: &Path) -> Result<usize> {
    for n in 0..400 {
        let (code, _) = probe(world, &format!("full-{n}-{}", world.history.acked())).await?;
        if code == "storage_full" {
            return Ok(1);
        }
        ensure!(code.is_empty(), "a send on a full disk was answered {code:?}");
        // Folding the log into the database can make room again.
        fill(ballast)?;
    }
    bail!("the disk is full and nothing was refused")
}

/// One send by the first visitor, noted; answers the code of the refusal.
async fn probe(world: &World, id: &str) -> Result<(String, Reply)> {
    let (visitor, target) = (&world.visitors[0], world.server.address);
    let body = format!("S{}:{id}:{}", visitor.site, "room.".repeat(200));
    world.history.about_to(Sent {
        client_id: id.to_owned(),
        site: visitor.site,
        conversation: visitor.name.clone(),
        author: "probe".into(),
        body: body.clone(),
        outcome: Outcome::Unknown,
        picture: None,
    })?;
    let reply = Client::new(target).send(visitor.text(target, id, &body)).await;
    let code = reply.code();
    match &reply {
        Reply::Answer(status, _) if status.is_success() => world.history.came_of(id, Outcome::Acked(None))?,
        Reply::Answer(..) => world.history.came_of(id, Outcome::Refused(code.clone()))?,
        Reply::Nothing(_) => {}
    }
    Ok((code, reply))
}

async fn reads_work(world: &World) -> Result<()> {
    let mut client = Client::new(world.server.address);
    let found = checker::conversations(&mut client, &world.sites[0]).await.context("reading while the disk is full")?;
    ensure!(found.iter().all(|conversation| !conversation.messages.is_empty()), "a conversation is shown empty");
    Ok(())
}

/// Control: had one of the refused sends been acknowledged, the checker would say so.
async fn control_false_ack(world: &World) -> Result<()> {
    let mut sent = world.history.all();
    let refused = sent.iter_mut().find(|one| matches!(one.outcome, Outcome::Refused(_)));
    refused.context("CONTROL nothing was refused")?.outcome = Outcome::Acked(None);
    broken(&world.check_against(&sent).await?, &["IV1"], "a refused send is taken for acknowledged")
}

/// FT13: a sync fails. Nothing is acknowledged by it; with power lost later nothing acknowledged is missing.
pub async fn sync_fails(run: &Run) -> Result<String> {
    let mut world = World::shimmed(run, Cast { pictures: false, ..Cast::default() }).await?;
    world.shim()?.turn(Knob::KeepUndo, 1)?;
    let burst = world.burst();
    world.acked(20).await?;
    world.shim()?.turn(Knob::SyncErrno, EIO)?;
    let (code, reply) = probe(&world, "no-sync").await?;
    ensure!(
        !matches!(&reply, Reply::Answer(status, _) if status.is_success()),
        "a send was acknowledged without a sync"
    );
    let failed = world.shim()?.read(Knob::Hits)?;
    ensure!(failed > 0, "CONTROL no sync failed");
    world.shim()?.turn(Knob::SyncErrno, 0)?;
    let went_on = until(
        "sends are taken again",
        Duration::from_secs(20),
        async || matches!(probe(&world, &format!("synced-{}", world.history.all().len())).await, Ok((code, _)) if code.is_empty()),
    );
    let healed = went_on.await.is_ok() && world.server.ended()?.is_none();
    if healed {
        world.acked(20).await?;
        world.shim()?.turn(Knob::PowerCut, 1)?;
    }
    world.server.wait(Duration::from_secs(20)).await?;
    world.shim()?.clear()?;
    world.start_within(Duration::from_secs(3)).await?;
    world.acked(20).await?;
    world.rest(burst).await?;
    // What came by a page in the moment before the sync failed may be gone with the power: only pages that were told
    // something that was never acknowledged could show it, and nothing is told before its commit.
    world.is_sound().await?;
    control_false_ack(&world).await?;
    Ok(format!("{failed} syncs failed, sends were answered {code:?}; then the power was cut and nothing is missing"))
}

/// FT14: the N-th write or sync fails, for each N until a run comes through.
pub async fn nth_call_fails(run: &Run) -> Result<String> {
    let mut world = World::shimmed(run, Cast { sites: 1, visitors: 2, readers: false, pictures: false }).await?;
    world.server.stop().await?;
    let whole = world.folder.path().join("whole");
    copy_folder(&world.server.data, &whole)?;
    let (mut n, mut refused_starts, mut calls) = (1, 0, 0);
    loop {
        fs::remove_dir_all(&world.server.data)?;
        copy_folder(&whole, &world.server.data)?;
        world.shim()?.clear()?;
        world.shim()?.turn(Knob::FailCall, n)?;
        if world.server.start().await.is_err() {
            refused_starts += 1;
            ensure!(world.server.ended()?.is_some_and(|status| !status.success()), "call {n}: a start hangs");
        } else {
            for m in 0..3 {
                probe(&world, &format!("call-{n}-{m}")).await?;
            }
            world.server.kill()?;
        }
        let hit = world.shim()?.read(Knob::Hits)? > 0;
        calls += world.shim()?.read(Knob::Calls)?;
        world.shim()?.clear()?;
        world.server.start().await.with_context(|| format!("after call {n} failed"))?;
        let mut sent = world.history.all();
        sent.retain(|one| !one.client_id.starts_with("call-") || one.client_id.starts_with(&format!("call-{n}-")));
        // A commit whose sync failed is in the log and not in force. It is refused, and comes back when the process ends
        // before anything else is written: a refusal together with a crash is of unknown outcome.
        for one in sent.iter_mut().filter(|one| matches!(one.outcome, Outcome::Refused(_))) {
            one.outcome = Outcome::Unknown;
        }
        crate::world::sound(&world.check_against(&sent).await?).with_context(|| format!("after call {n} failed"))?;
        world.server.kill()?;
        if !hit {
            break;
        }
        n += 1;
        ensure!(n < 400, "no run comes through");
    }
    ensure!(n > 5, "CONTROL only {n} calls were made to fail");
    ensure!(calls > 0, "CONTROL no call was counted");
    Ok(format!("each of {} calls failed once; {refused_starts} starts were refused, nothing was lost", n - 1))
}

/// FT06: the write-ahead log or the database is torn, cut or gone.
pub async fn torn(run: &Run) -> Result<String> {
    let mut damaged = Damaged::prepare(run).await?;
    let cases: &[(&str, Damage, Expected)] = &[
        ("the log's last frame is torn", |data, _| cut_end(&data.join("ocs.db-wal"), 100), Expected::Prefix),
        ("the log is cut in half", |data, _| cut_half(&data.join("ocs.db-wal")), Expected::Prefix),
        ("the log is gone", |data, _| Ok(fs::remove_file(data.join("ocs.db-wal"))?), Expected::Prefix),
        ("the log's index is gone", |data, _| Ok(fs::remove_file(data.join("ocs.db-shm"))?), Expected::Everything),
        (
            "the database is cut in half",
            |data, _| {
                let _ = fs::remove_file(data.join("ocs.db-wal"));
                cut_half(&data.join("ocs.db"))
            },
            Expected::Noticed,
        ),
        (
            "the database is empty",
            |data, _| {
                let _ = fs::remove_file(data.join("ocs.db-wal"));
                Ok(OpenOptions::new().write(true).open(data.join("ocs.db"))?.set_len(0)?)
            },
            Expected::Noticed,
        ),
        (
            "the database is gone",
            |data, _| {
                let _ = fs::remove_file(data.join("ocs.db-wal"));
                Ok(fs::remove_file(data.join("ocs.db"))?)
            },
            Expected::Noticed,
        ),
    ];
    damaged.all(cases, run).await
}

/// FT07: a bit is flipped in the log, in a page of the database, in a picture.
pub async fn flipped(run: &Run) -> Result<String> {
    let mut damaged = Damaged::prepare(run).await?;
    let cases: &[(&str, Damage, Expected)] = &[
        ("a bit of the log", |data, random| flip_anywhere(&data.join("ocs.db-wal"), random), Expected::Prefix),
        ("the kind of a page", |data, random| flip_page_kind(&data.join("ocs.db"), random), Expected::NoticedByDoctor),
        // Without the log, which holds a good copy of the first page.
        (
            "the database's first bytes",
            |data, _| {
                fs::remove_file(data.join("ocs.db-wal"))?;
                flip(&data.join("ocs.db"), 3)
            },
            Expected::Noticed,
        ),
    ];
    damaged.all(cases, run).await
}

type Damage = fn(&Path, u64) -> Result<()>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// All messages are there.
    Everything,
    /// The messages up to a moment are there, none after it, and not none.
    Prefix,
    /// The server does not start, and says why.
    Noticed,
    /// `ocs doctor` says that something is wrong, or the server does not start.
    NoticedByDoctor,
}

/// A data folder with much in it that was not closed, to be damaged in many ways.
struct Damaged {
    world: World,
    whole: PathBuf,
    /// Bodies of each conversation before.
    before: Vec<(i64, Vec<String>)>,
}

impl Damaged {
    async fn prepare(run: &Run) -> Result<Damaged> {
        let mut world = World::new(run, Cast { sites: 1, visitors: 3, readers: false, pictures: false }).await?;
        world.chat(150).await?;
        // Folded in once, as it is after some seconds at work; then more that is in the log alone.
        world.server.stop().await?;
        world.server.start().await?;
        world.chat(150).await?;
        let before = logs(&world).await?;
        world.server.kill()?;
        let whole = world.folder.path().join("whole");
        copy_folder(&world.server.data, &whole)?;
        ensure!(fs::metadata(whole.join("ocs.db-wal"))?.len() > 10_000, "there is no log to damage");
        Ok(Damaged { world, whole, before })
    }

    async fn all(&mut self, cases: &[(&str, Damage, Expected)], run: &Run) -> Result<String> {
        let mut wrong = Vec::new();
        for (what, damage, expected) in cases {
            fs::remove_dir_all(&self.world.server.data)?;
            copy_folder(&self.whole, &self.world.server.data)?;
            damage(&self.world.server.data, run.random.next()).with_context(|| (*what).to_owned())?;
            if let Err(error) = self.holds(*expected).await {
                wrong.push(format!("{what}: {error:#}"));
            }
            self.world.server.kill()?;
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        self.control().await?;
        Ok(format!("{} kinds of damage; each was noticed or cost only what came last", cases.len()))
    }

    async fn holds(&mut self, expected: Expected) -> Result<()> {
        if expected == Expected::NoticedByDoctor {
            let said = self.world.server.command(&["doctor"])?;
            ensure!(!said.status.success(), "doctor finds nothing: {}", String::from_utf8_lossy(&said.stdout));
            return Ok(());
        }
        let started = self.world.server.start().await;
        if expected == Expected::Noticed {
            let status = self.world.server.ended()?;
            ensure!(
                started.is_err() && status.is_some_and(|status| !status.success()),
                "the server starts as if nothing were"
            );
            return Ok(());
        }
        started?;
        self.compare(&logs(&self.world).await?, expected)
    }

    fn compare(&self, after: &[(i64, Vec<String>)], expected: Expected) -> Result<()> {
        for (id, before) in &self.before {
            let after = after.iter().find(|(other, _)| other == id).map_or(&[][..], |(_, bodies)| bodies);
            ensure!(!after.is_empty(), "conversation {id} is silently empty");
            ensure!(before.starts_with(after), "conversation {id} is not what it was up to some moment");
            ensure!(
                expected != Expected::Everything || before.len() == after.len(),
                "conversation {id} has lost messages"
            );
        }
        Ok(())
    }

    /// Control: messages that vanish from the middle, or all of them, are noticed by the comparison.
    async fn control(&self) -> Result<()> {
        for keep in ["seq % 2 = 1", "FALSE"] {
            let mut fewer = self.before.clone();
            for (_, bodies) in &mut fewer {
                let mut n = 0;
                bodies.retain(|_| {
                    n += 1;
                    keep != "FALSE" && n % 2 == 1
                });
            }
            ensure!(self.compare(&fewer, Expected::Prefix).is_err(), "CONTROL {keep} was not noticed");
        }
        Ok(())
    }
}

async fn logs(world: &World) -> Result<Vec<(i64, Vec<String>)>> {
    let found = checker::conversations(&mut Client::new(world.server.address), &world.sites[0]).await?;
    let bodies = |messages: &[Value]| messages.iter().map(body_of).collect();
    Ok(found.iter().map(|conversation| (conversation.id, bodies(&conversation.messages))).collect())
}

fn cut_end(path: &Path, bytes: u64) -> Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    Ok(file.set_len(file.metadata()?.len().saturating_sub(bytes))?)
}

fn cut_half(path: &Path) -> Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    Ok(file.set_len(file.metadata()?.len() / 2 / 4096 * 4096)?)
}

fn flip(path: &Path, at: u64) -> Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    Ok(file.write_all_at(&[byte[0] ^ 4], at)?)
}

fn flip_anywhere(path: &Path, random: u64) -> Result<()> {
    flip(path, 4_096 + random % (fs::metadata(path)?.len() - 8_192))
}

fn flip_page_kind(path: &Path, random: u64) -> Result<()> {
    let pages = fs::metadata(path)?.len() / 4_096;
    flip(path, (1 + random % (pages - 1)) * 4_096)
}
