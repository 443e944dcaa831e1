//! Unix socket through which a running server accepts commands from its own machine: one line of JSON each way. Access
//! to the socket allows everything the commands do, so that only the server's own user may open it (mode 0600).

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::app::App;

use super::command::{Command, Output, execute};

/// Longest line in bytes. Lists of many accounts and sites fit.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

/// Accepts commands while the returned task runs. The caller holds the lock of the data folder, so an existing socket
/// file was left by a dead process.
///
/// # Errors
/// The file cannot be created: the folder is not writable, or the disk is full.
pub fn listen(app: &App) -> std::io::Result<JoinHandle<()>> {
    let path = app.folder.socket();
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = bind(&path)?;
    let app = app.clone();
    Ok(tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(serve(app.clone(), stream))),
                Err(error) => {
                    tracing::warn!(%error, "a command could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    }))
}

/// Binds under another name and renames once it is private: others can open it at no time.
fn bind(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let folder = path.with_extension("new");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    let inside = folder.join("s");
    let short = ShortPath::of(&inside)?;
    let listener = UnixListener::bind(&short.path)?;
    std::fs::set_permissions(&inside, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&inside, path)?;
    std::fs::remove_dir(&folder)?;
    Ok(listener)
}

/// A path that fits into a socket address (about 100 bytes). A longer path goes through an open handle of its folder,
/// where the system has `/proc`.
struct ShortPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl ShortPath {
    fn of(path: &Path) -> std::io::Result<ShortPath> {
        const FITS: usize = 100;
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) if path.as_os_str().len() > FITS && Path::new("/proc/self/fd").exists() => {
                let folder = File::open(folder)?;
                let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
                Ok(ShortPath { path, _folder: Some(folder) })
            }
            _ => Ok(ShortPath { path: path.to_owned(), _folder: None }),
        }
    }
}

async fn serve(app: App, mut stream: UnixStream) {
    let answered = async {
        let line = read_line(&mut stream).await?;
        let command: Command =
            serde_json::from_str(&line).context("unknown command; use the same version of ocs for both")?;
        execute(&app, command).await
    };
    let answer: Result<Output, String> = answered.await.map_err(|error| format!("{error:#}"));
    let written = async {
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        stream.shutdown().await?;
        anyhow::Ok(())
    };
    if let Err(error) = written.await {
        tracing::warn!(%error, "a command was executed, but its client has disconnected");
    }
}

/// Connects to the server that listens at `path`.
pub(super) async fn connect(path: &Path) -> std::io::Result<UnixStream> {
    let short = ShortPath::of(path)?;
    UnixStream::connect(&short.path).await
}

/// Sends a command and returns its output.
pub(super) async fn send_over_socket(mut stream: UnixStream, command: &Command) -> anyhow::Result<Output> {
    let mut line = serde_json::to_vec(command)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let line = read_line(&mut stream).await.context("the server ended before it answered")?;
    let answer: Result<Output, String> = serde_json::from_str(&line).map_err(|_| super::command::unexpected())?;
    answer.map_err(|refusal| anyhow!(refusal))
}

async fn read_line(stream: &mut UnixStream) -> anyhow::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(MAX_LINE_BYTES)).read_line(&mut line).await?;
    anyhow::ensure!(line.ends_with('\n'), "the line ended early");
    Ok(line)
}
