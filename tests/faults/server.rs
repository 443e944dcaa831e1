//! A server process of a test's own: started, hurt, and started again over the same data.

use std::fs::{self, File, OpenOptions};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hyper::Method;
use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Client, Reply, request};
use crate::shim::Shim;

/// A server that does not answer by then never will.
const START_TIME: Duration = Duration::from_secs(30);
/// Ports below those that the system gives to clients: a client that connects while the server is away must not get the
/// server's own port.
const FIRST_PORT: u16 = 21_000;

/// A server and its folder.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// Switches of the faults between it and the system.
    pub shim: Option<Shim>,
    settings: Vec<String>,
    wrapper: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// A server that is not started yet, with its data below `folder`.
    pub fn new(folder: &Path) -> Result<Server> {
        fs::create_dir_all(folder)?;
        let settings = [
            "new_visitors_per_hour=1000000",
            "max_connections_per_address=1000000",
            "attack_visitors_per_minute=1000000",
            "log=warn",
            "drain_seconds=5",
        ]
        .map(str::to_owned)
        .to_vec();
        Ok(Server {
            address: free_port()?,
            data: folder.join("data"),
            shim: None,
            settings,
            wrapper: Vec::new(),
            log: folder.join("server.log"),
            child: None,
        })
    }

    /// With switches for faults.
    pub fn with_shim(mut self) -> Result<Server> {
        self.shim = Some(Shim::new(self.log.parent().context("a folder")?)?);
        Ok(self)
    }

    /// Started by another program, which gets the server's command line as its last arguments.
    pub fn wrapped(mut self, wrapper: &[&str]) -> Server {
        self.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// The same program over another data folder.
    pub fn over(&self, data: &Path) -> Result<Server> {
        let mut other = Server::new(data.parent().context("a folder")?)?;
        other.data = data.to_owned();
        other.address = self.address;
        Ok(other)
    }

    /// Starts it and waits until it takes messages. Answers how long that took.
    pub async fn start(&mut self) -> Result<Duration> {
        let start = Instant::now();
        self.spawn()?;
        self.wait_until_ready().await?;
        Ok(start.elapsed())
    }

    /// Starts it and does not wait.
    pub fn spawn(&mut self) -> Result<()> {
        let mut words = self.wrapper.clone();
        words.push(program().to_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("serve").arg("--data").arg(&self.data);
        command.arg("--listen").arg(self.address.to_string());
        for setting in &self.settings {
            command.arg("--set").arg(setting);
        }
        if let Some(shim) = &self.shim {
            shim.load_into(&mut command);
        }
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn().with_context(|| format!("{} cannot be started", words[0]))?);
        Ok(())
    }

    /// Waits until it takes messages.
    pub async fn wait_until_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < START_TIME {
            if let Some(status) = self.ended()? {
                bail!("the server ended at its start ({status}): {}", self.last_words());
            }
            if self.is_ready().await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the server did not start within {} s: {}", START_TIME.as_secs(), self.last_words())
    }

    /// Does it say that it takes messages?
    pub async fn is_ready(&self) -> bool {
        let mut client = Client::new(self.address);
        let asked = client.send(request(Method::GET, self.address, "/readyz", &[], "")).await;
        matches!(asked, Reply::Answer(status, _) if status.is_success())
    }

    /// The same, asked for so long at most.
    pub async fn is_ready_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.is_ready()).await.unwrap_or(false)
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) -> Result<()> {
        let id = self.pid().and_then(|id| Pid::from_raw(id.cast_signed())).context("no server runs")?;
        Ok(kill_process(id, Signal::TERM)?)
    }

    /// Stops it in good order.
    pub async fn stop(&mut self) -> Result<()> {
        self.ask_to_stop()?;
        self.wait(Duration::from_secs(20)).await.map(drop)
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Has it ended, and how?
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(match &mut self.child {
            Some(child) => child.try_wait()?,
            None => None,
        })
    }

    /// Waits for its end.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if let Some(status) = self.ended()? {
                self.child = None;
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the server did not end within {} s", limit.as_secs())
    }

    /// A figure of `/metrics`.
    pub async fn figure(&self, name: &str) -> Result<f64> {
        let mut client = Client::new(self.address);
        let asked = client.send(request(Method::GET, self.address, "/metrics", &[], "")).await;
        let Reply::Answer(_, bytes) = asked else { bail!("no figures are answered") };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.with_context(|| format!("there is no figure {name}"))
    }

    /// A figure that the system knows of its process.
    pub fn status(&self, name: &str) -> Result<u64> {
        let pid = self.pid().context("the server runs")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a figure")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Seconds that it has had of the processors.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let pid = self.pid().context("the server runs")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let fields: Vec<&str> = stat.rsplit(')').next().context("a line")?.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()).context("a figure");
        Ok((ticks(11)? + ticks(12)?) / 100.0)
    }

    /// Bytes that it holds in memory.
    pub async fn memory(&self) -> Result<f64> {
        self.figure("ocs_resident_bytes ").await
    }

    /// Runs another command of the program over this data folder.
    pub fn command(&self, words: &[&str]) -> Result<Output> {
        let mut command = Command::new(program());
        Ok(command.args(words).arg("--data").arg(&self.data).stdin(Stdio::null()).output()?)
    }

    /// What it wrote.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(6)..].join(" | ")
    }

    /// Everything that it wrote.
    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kill();
    }
}

/// The program, copied once: so that building it anew meanwhile changes nothing.
fn program() -> &'static str {
    static COPY: OnceLock<String> = OnceLock::new();
    COPY.get_or_init(|| {
        let built = env!("CARGO_BIN_EXE_ocs");
        let copy = copied_program();
        fs::copy(built, &copy).map_or_else(|_| built.to_owned(), |_| copy.to_string_lossy().into_owned())
    })
}

fn copied_program() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ocs-faults-{}", std::process::id()))
}

/// Removes the copied program.
pub fn tidy() {
    // Only untidy when it stays.
    let _ = fs::remove_file(copied_program());
}

fn free_port() -> Result<SocketAddr> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 8_000)?;
    for _ in 0..1_000 {
        let port = FIRST_PORT + (spread + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("there is no free port")
}

/// Copies a folder with everything in it.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    File::open(to)?.sync_all()?;
    Ok(())
}
