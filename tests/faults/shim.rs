//! Switches of the faults that `shim.c` makes between a server and its operating system.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// A switch. The order is that of `shim.c`.
#[derive(Debug, Clone, Copy)]
pub enum Knob {
    /// Every sync of a data file fails with this error number.
    SyncErrno,
    /// Every write to a data file fails with this error number.
    WriteErrno,
    /// The process ends at a [`Place`].
    DieAt,
    /// It passes the place so many times before.
    DieAfter,
    /// Added to the wall clock.
    ClockMs,
    /// So many calls for random bytes fail.
    RandomFails,
    /// What is not synced is remembered.
    KeepUndo,
    /// A sync says yes and does nothing.
    SyncLies,
    /// What is not synced is undone at the next write, and the process ends.
    PowerCut,
    /// The storage call of this number fails once.
    FailCall,
    /// Storage calls seen.
    Calls,
    /// Faults that really happened.
    Hits,
    /// The wall clock stands still at this.
    FrozenMs,
    /// Each sync takes so much longer: a slow disk.
    SyncMs,
}

/// Where a process ends.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// A commit is written and not synced.
    BeforeSync = 1,
    /// A commit is synced, and nobody was told.
    AfterSync,
    /// The answer to a sent message is about to leave.
    BeforeAnswer,
    /// The answer has left.
    AfterAnswer,
    /// A message is about to be told to a listener.
    BeforeTelling,
    /// A picture is written and not synced.
    UploadSync,
    /// A picture is about to get its name.
    UploadRename,
}

/// The switches of one server.
pub struct Shim {
    page: PathBuf,
    file: File,
}

impl Shim {
    /// Switches that are all off.
    pub fn new(folder: &Path) -> Result<Shim> {
        library()?;
        let page = folder.join("faults");
        let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&page)?;
        file.set_len(4096)?;
        Ok(Shim { page, file })
    }

    /// Has a command load them.
    pub fn load_into(&self, command: &mut Command) {
        if let Ok(library) = library() {
            command.env("LD_PRELOAD", library).env("FAULTS_PAGE", &self.page);
        }
    }

    /// Turns a switch.
    pub fn turn(&self, knob: Knob, to: i64) -> Result<()> {
        Ok(self.file.write_all_at(&to.to_ne_bytes(), knob as u64 * 8)?)
    }

    /// Reads a switch or a count.
    pub fn read(&self, knob: Knob) -> Result<i64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, knob as u64 * 8)?;
        Ok(i64::from_ne_bytes(bytes))
    }

    /// Has the process end at a place that it has passed `after` times.
    pub fn die(&self, place: Place, after: u64) -> Result<()> {
        self.turn(Knob::DieAfter, i64::try_from(after)?)?;
        self.turn(Knob::DieAt, place as i64)
    }

    /// All off, counts at nothing.
    pub fn clear(&self) -> Result<()> {
        Ok(self.file.write_all_at(&[0; 4096], 0)?)
    }
}

/// The compiled library, made once.
fn library() -> Result<&'static Path> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| compile().map_err(|error| format!("{error:#}")));
    made.as_deref().map_err(|error| anyhow::anyhow!(error.clone()))
}

fn compile() -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}.so", std::process::id()));
    let made = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-Wall", "-o"]).arg(&target).arg(&source).output();
    let made = made.context("cc is missing")?;
    ensure!(made.status.success(), "shim.c cannot be compiled: {}", String::from_utf8_lossy(&made.stderr));
    Ok(target)
}

/// Removes what was compiled.
pub fn tidy() {
    if let Ok(library) = library() {
        // Only untidy when it stays.
        let _ = fs::remove_file(library);
    }
}
