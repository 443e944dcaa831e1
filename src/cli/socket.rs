//! The socket file through which a running server takes commands from its own machine: one line of JSON up, one down.
//! Who may open the file may do what the commands do, therefore it is for the server's own user alone (mode 0600).

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::app::App;

use super::command::{Command, Output, execute};

/// Longest line, in bytes. Lists of many accounts and sites fit.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

/// Takes commands for as long as the returned task runs. The data folder's lock is ours, so a file that is there was
/// left by a process that is gone.
///
/// # Errors
/// The file cannot be made: the folder is not writable, or has no room.
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
                    tracing::warn!(%error, "a command could not be taken");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    }))
}

/// Bound under another name and moved into place when it is private: at no moment may others open it.
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

/// A name of a file that fits into a socket's address, which takes about 100 bytes: through an open handle of its
/// folder where the path itself is longer and the system has `/proc`.
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
            serde_json::from_str(&line).context("this command is not known; use the same version of ocs")?;
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
        tracing::warn!(%error, "a command was carried out, but who asked is gone");
    }
}

/// Reaches the server that listens there.
pub(super) async fn connect(path: &Path) -> std::io::Result<UnixStream> {
    let short = ShortPath::of(path)?;
    UnixStream::connect(&short.path).await
}

/// Asks a server.
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
