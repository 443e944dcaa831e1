//! A temporary server with a temporary data folder.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hyper::Method;

use super::client::{Client, request};
use super::report::Figure;

/// Timeout for the server to become ready.
const START_TIME: Duration = Duration::from_secs(30);

/// A running server and its data folder; both are removed on drop.
pub struct OwnServer {
    address: SocketAddr,
    folder: PathBuf,
    process: Child,
}

impl OwnServer {
    /// Starts this program as a server with an empty data folder below `parent`.
    pub async fn start(parent: &Path) -> anyhow::Result<OwnServer> {
        let folder = parent.join(format!("ocs-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be created", folder.display()))?;
        // The port is free again at once; another process is unlikely to take it within a moment.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = spawn(&folder, address)?;
        let own = OwnServer { address, folder, process };
        own.wait_until_ready().await?;
        Ok(own)
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Stops it gracefully.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let stopping = Command::new("kill").arg(self.process.id().to_string()).status();
        if !stopping.is_ok_and(|status| status.success()) {
            bail!("the server could not be asked to stop");
        }
        self.process.wait()?;
        Ok(())
    }

    /// Restarts it on the same data. Returns the time until it is ready.
    pub async fn restart(&mut self) -> anyhow::Result<Duration> {
        let start = Instant::now();
        self.process = spawn(&self.folder, self.address)?;
        self.wait_until_ready().await?;
        Ok(start.elapsed())
    }

    /// Measures a restart.
    pub async fn cold_start(&mut self) -> anyhow::Result<Figure> {
        self.stop()?;
        let took = self.restart().await?.as_secs_f64() * 1e3;
        Ok(Figure::value("cold_start", "process start to ready, with what was stored", "ms", took))
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let start = Instant::now();
        while start.elapsed() < START_TIME {
            if let Ok(mut client) = Client::connect(self.address, None).await {
                let asked = client.send(request(Method::GET, self.address, "/readyz", &[], "")).await;
                if asked.is_ok_and(|(status, _)| status.is_success()) {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("the server did not start within {} s", START_TIME.as_secs())
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // It may have exited already, and a leftover folder is only untidy.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(folder: &Path, address: SocketAddr) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let data = folder.join("data");
    let mut command = Command::new(program);
    command.arg("serve").arg("--data").arg(data).arg("--listen").arg(address.to_string());
    for setting in [
        "new_visitors_per_hour=1000000",
        "max_connections_per_address=1000000",
        "attack_visitors_per_minute=1000000",
        "log=warn",
        "drain_seconds=1",
    ] {
        command.arg("--set").arg(setting);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("the server cannot be started")
}

/// The process id that holds a data folder.
pub fn holder(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("ocs.lock")).ok()?.trim().strip_prefix("process ")?.parse().ok()
}
