//! The machine: foreign load, resource usage of a process, and limits that no program can beat.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use futures_util::SinkExt;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

use super::client::{self, Client, Socket};
use super::load::{self, Measured};

/// Linux reports CPU time in hundredths of a second.
const TICK_SECONDS: f64 = 0.01;
/// Size of one write of the commit baseline: one page.
const PAGE: usize = 4_096;

/// CPU time so far: of the process, of this program, and of the machine. All zero without /proc.
#[derive(Clone, Copy, Default)]
pub struct Cpu {
    process: f64,
    ours: f64,
    all: f64,
    at: Option<Instant>,
}

impl Cpu {
    /// Reads the counters now.
    pub fn now(pid: Option<u32>) -> Cpu {
        let process = pid.map_or(0.0, |pid| process_seconds(&pid.to_string()));
        Cpu { process, ours: process_seconds("self"), all: machine_seconds(), at: Some(Instant::now()) }
    }

    /// CPU seconds of the process since `before`.
    pub fn of_process(&self, before: &Cpu) -> f64 {
        self.process - before.process
    }

    /// Cores used by other processes since `before`. Above 0.2, latencies mean little.
    pub fn foreign_cores(&self, before: &Cpu) -> f64 {
        let (Some(now), Some(then)) = (self.at, before.at) else { return 0.0 };
        let foreign = (self.all - before.all) - (self.process - before.process) - (self.ours - before.ours);
        (foreign / (now - then).as_secs_f64().max(1e-9)).max(0.0)
    }
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy)]
pub struct Memory {
    /// Resident memory, including mapped files.
    pub resident: u64,
    /// Anonymous memory: heap and stacks.
    pub anonymous: u64,
}

/// Reads the memory of a process now.
pub fn memory(pid: Option<u32>) -> Option<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", pid?)).ok()?;
    let bytes = |name: &str| {
        let socket = rollup.lines().find_map(|socket| socket.strip_prefix(name))?;
        Some(socket.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? * 1024)
    };
    Some(Memory { resident: bytes("Rss:")?, anonymous: bytes("Anonymous:")? })
}

fn process_seconds(pid: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may contain spaces; user and system time are the 12th and 13th fields after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * TICK_SECONDS
}

fn machine_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let busy = fields.enumerate().filter(|(place, _)| !matches!(place, 3 | 4 | 8 | 9));
    busy.filter_map(|(_, ticks)| ticks.parse::<f64>().ok()).sum::<f64>() * TICK_SECONDS
}

/// Disk baseline: one page written and synced, repeatedly. No store that syncs each commit by itself can be faster.
pub async fn baseline_commits(folder: &Path, time: Duration) -> anyhow::Result<Measured> {
    let path = folder.join(format!("ocs-bench-commit-{}", std::process::id()));
    let measured = tokio::task::spawn_blocking(move || {
        let result = write_and_sync(&path, time);
        // A leftover file of some megabytes is harmless.
        let _ = fs::remove_file(&path);
        result
    });
    Ok(measured.await??)
}

fn write_and_sync(path: &Path, time: Duration) -> std::io::Result<Measured> {
    const PREPARED: u64 = 16 * 1024 * 1024;
    let mut file = File::create(path)?;
    file.write_all(&vec![0; usize::try_from(PREPARED).unwrap_or(PAGE)])?;
    file.sync_all()?;
    let (page, mut measured, start) = ([7; PAGE], Measured::new(), Instant::now());
    let mut place = 0;
    while start.elapsed() < time {
        let begun = Instant::now();
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&page)?;
        file.sync_data()?;
        measured.record(begun.elapsed());
        place = (place + PAGE as u64) % PREPARED;
    }
    measured.seconds = start.elapsed().as_secs_f64();
    Ok(measured)
}

/// Fan-out baseline: a server in this process sends one frame to `count` sockets, after a pause that lets CPU caches go
/// cold; measures the time until the last socket has it.
pub async fn baseline_fan_out(count: usize, rounds: usize, pause: Duration) -> anyhow::Result<Measured> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let target: SocketAddr = listener.local_addr()?;
    let (sender, _) = broadcast::channel::<Message>(16);
    let (received, mut receiver) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let (socket, accepted) = tokio::join!(Socket::open(target, None, "/", &[]), accept(&listener));
        let (mut socket, mut server, mut frames, received) = (socket?, accepted?, sender.subscribe(), received.clone());
        tasks.spawn(async move {
            while let Ok(frame) = frames.recv().await {
                if server.send(frame).await.is_err() {
                    return;
                }
            }
        });
        tasks.spawn(async move {
            while socket.next_text().await.is_some() {
                if received.send(Instant::now()).is_err() {
                    return;
                }
            }
        });
    }
    let frame = Message::text(r#"{"type":"signal","signal":{"kind":"operators","online":true}}"#);
    let mut measured = Measured::new();
    for _ in 0..rounds {
        tokio::time::sleep(pause).await;
        let start = Instant::now();
        sender.send(frame.clone())?;
        let mut last = start;
        for _ in 0..count {
            last = receiver.recv().await.context("a probe's page is gone")?.max(last);
        }
        measured.record(last - start);
    }
    tasks.shutdown().await;
    Ok(measured)
}

async fn accept(listener: &TcpListener) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(0);
    Ok(tokio_tungstenite::accept_async_with_config(stream, Some(config)).await?)
}

/// HTTP baseline: a server in this process that answers 200 bytes and does nothing else.
pub async fn baseline_http(connections: usize, time: Duration) -> anyhow::Result<Measured> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let target: SocketAddr = listener.local_addr()?;
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let answer = service_fn(|_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(&[b'x'; 200]))))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        clients.push(Client::connect(target, None).await?);
    }
    let make = move |_| client::request(Method::GET, target, "/", &[], "");
    let measured = load::closed(clients, time, Arc::new(make)).await;
    server.abort();
    Ok(measured)
}
