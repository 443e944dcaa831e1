//! Visitors who have the chat open: what they cost while they say nothing, what they hear at once, how quickly others
//! are heard among them, how much the consoles can be told, and how they all come back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Bench;
use super::client::Line;
use super::flow;
use super::load::{self, Make, Measured};
use super::machine::{self, Cpu, memory};
use super::people::Visitor;
use super::report::{Figure, Report};
use super::scenarios::{Stage, add_memory};

/// Sockets that one event is told to.
const LISTENERS: usize = 1_000;
/// Events that are told to all of them.
const ROUNDS: usize = 5;
/// A server tells that nobody is at the console after three seconds of it; then somebody may come again.
const GONE: Duration = Duration::from_secs(4);
/// Connections opened at once.
const OPENING: usize = 256;
/// What was sent is heard within this time or not at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// In the signal by which a page hears that an operator has come.
const OPERATOR_IS_HERE: &str = r#""online":true"#;

/// Pages that are connected and read what they are told.
struct Crowd {
    pages: JoinSet<()>,
    /// The moments at which pages heard that an operator has come.
    greeted: mpsc::UnboundedReceiver<Instant>,
}

impl Crowd {
    /// Connects all; the caller knows how long that took.
    async fn gather(stage: &Stage, visitors: &[Arc<Visitor>]) -> anyhow::Result<Crowd> {
        let (target, block) = (stage.target, stage.block);
        let opening = visitors.iter().enumerate().map(|(n, visitor)| visitor.listen(target, block, n));
        let mut lines = stream::iter(opening).buffer_unordered(OPENING);
        let (tell, greeted) = mpsc::unbounded_channel();
        let mut pages = JoinSet::new();
        while let Some(line) = lines.try_next().await? {
            pages.spawn(read(line, tell.clone()));
        }
        Ok(Crowd { pages, greeted })
    }

    fn count(&self) -> usize {
        self.pages.len()
    }

    /// All go at once.
    async fn leave(mut self) {
        self.pages.shutdown().await;
    }
}

async fn read(mut line: Line, tell: mpsc::UnboundedSender<Instant>) {
    while let Some(frame) = line.next_text().await {
        if frame.contains(OPERATOR_IS_HERE) && tell.send(Instant::now()).is_err() {
            return;
        }
    }
}

/// Runs what was asked for, with as many visitors as were asked for.
pub async fn run(stage: &mut Stage, bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    if bench.sockets == 0 {
        return Ok(());
    }
    let visitors = stage.shop.visitors(stage.target, stage.block, bench.sockets).await?;
    if bench.wants("fan_out") {
        let listeners = bench.sockets.min(LISTENERS);
        let bare = machine::bare_fan_out(listeners, ROUNDS, GONE).await?;
        report.add(Figure::latency(
            "limit_fan_out",
            format!("this machine: one frame to {listeners} sockets, the last"),
            &bare,
        ));
        fan_out(stage, &visitors[..listeners], report).await?;
    }
    if bench.wants("flow") {
        flow::run(stage, bench, &visitors[..bench.sockets.min(flow::PAGES)], report).await?;
    }
    if ["idle", "heard_crowd", "storm"].iter().all(|name| !bench.wants(name)) {
        return Ok(());
    }
    let crowd = idle(stage, bench, &visitors, report).await?;
    if bench.wants("heard_crowd") {
        heard(stage, bench, crowd.count(), report).await?;
    }
    crowd.leave().await;
    if bench.wants("storm") {
        storm(stage, &visitors, report).await?;
    }
    Ok(())
}

/// An operator comes, and every visitor's page is told: one event to all sockets.
async fn fan_out(stage: &mut Stage, visitors: &[Arc<Visitor>], report: &mut Report) -> anyhow::Result<()> {
    let mut crowd = Crowd::gather(stage, visitors).await?;
    let (mut each, mut last) = (Measured::new(), Measured::new());
    for _ in 0..ROUNDS {
        tokio::time::sleep(GONE).await;
        while crowd.greeted.try_recv().is_ok() {}
        let (mut console, hello) = stage.owner.knock().await?;
        let start = Instant::now();
        console.say(&hello).await?;
        let mut latest = start;
        for _ in 0..crowd.count() {
            let heard = timeout(PATIENCE, crowd.greeted.recv()).await.ok().flatten();
            let Some(heard) = heard else {
                each.failed += 1;
                continue;
            };
            each.note(heard - start);
            latest = latest.max(heard);
        }
        last.note(latest - start);
        drop(console);
    }
    let count = crowd.count();
    report.add(Figure::latency("fan_out", format!("an operator comes until each of {count} pages knows"), &each));
    report.add(Figure::latency("fan_out_last", format!("the same, the last of {count} pages"), &last));
    crowd.leave().await;
    Ok(())
}

/// Visitors who have the chat open and say nothing.
async fn idle(stage: &Stage, bench: &Bench, visitors: &[Arc<Visitor>], report: &mut Report) -> anyhow::Result<Crowd> {
    let (before, start) = (memory(stage.pid), Instant::now());
    let crowd = Crowd::gather(stage, visitors).await?;
    let rate = crowd.count() as f64 / start.elapsed().as_secs_f64();
    report.add(Figure::value("connect", format!("{} visitors connected and let in", crowd.count()), "/s", rate));
    tokio::time::sleep(Duration::from_secs(1)).await;
    if let (Some(before), Some(after)) = (before, memory(stage.pid)) {
        let each = after.anonymous.saturating_sub(before.anonymous) as f64 / crowd.count() as f64;
        report.add(Figure::value("idle_memory", "server's memory for each idle visitor's socket", "B", each));
    }
    add_memory(stage.pid, "idle_total", "with all of them", report);
    let cpu = Cpu::now(stage.pid);
    tokio::time::sleep(Duration::from_secs(bench.idle_seconds)).await;
    let used = Cpu::now(stage.pid).of_process(&cpu) / bench.idle_seconds as f64 * 100.0;
    report.add(Figure::value("idle_cpu", "of one core, with all of them idle and answering beats", "%", used));
    Ok(crowd)
}

/// Messages that leave by the clock while the crowd is connected, until the console's socket has each.
async fn heard(stage: &mut Stage, bench: &Bench, crowd: usize, report: &mut Report) -> anyhow::Result<()> {
    let console = stage.owner.listen().await?;
    let (start, mark) = (Instant::now(), format!("{} at ", crate::secret::random_text(6)));
    let (tell, mut heard) = mpsc::unbounded_channel();
    let listening = tokio::spawn(listen(console, mark.clone(), start, tell));
    let (target, visitors) = (stage.target, stage.visitors.clone());
    let make: Make = Arc::new(move |n| {
        let text = format!("{mark}{}", start.elapsed().as_micros());
        visitors[usize::try_from(n).unwrap_or(0) % visitors.len()].message(target, &text)
    });
    let clients = stage.clients(bench.connections).await?;
    let before = Cpu::now(stage.pid);
    let sent = load::open(clients, bench.rate, Duration::from_secs(bench.seconds), make).await;
    let mut measured = Measured::new();
    while measured.done < sent.done {
        let Ok(Some(took)) = timeout(PATIENCE, heard.recv()).await else { break };
        measured.note(took);
    }
    listening.abort();
    measured.failed = sent.failed + sent.done - measured.done;
    let what = format!("visitor sends until the console has it, {} a second among {crowd} connected", bench.rate);
    report.add(Figure::latency("heard_crowd", what, &measured).with_cpu(measured.done, &before, stage.pid));
    Ok(())
}

async fn listen(mut console: Line, mark: String, start: Instant, tell: mpsc::UnboundedSender<Duration>) {
    while let Some(frame) = console.next().await {
        let text = frame["event"]["message"]["text"].as_str().unwrap_or_default();
        let Some(sent) = text.strip_prefix(&mark).and_then(|sent| sent.parse().ok()) else { continue };
        if tell.send(start.elapsed().saturating_sub(Duration::from_micros(sent))).is_err() {
            return;
        }
    }
}

/// All have lost their connection and come back at once, each with its token and its cursor.
async fn storm(stage: &Stage, visitors: &[Arc<Visitor>], report: &mut Report) -> anyhow::Result<()> {
    let (before, start) = (Cpu::now(stage.pid), Instant::now());
    let crowd = Crowd::gather(stage, visitors).await?;
    let count = crowd.count();
    let what = format!("{count} visitors come back at once, until the last is let in");
    let figure = Figure::value("storm", what, "s", start.elapsed().as_secs_f64());
    report.add(figure.with_cpu(count as u64, &before, stage.pid));
    crowd.leave().await;
    Ok(())
}
