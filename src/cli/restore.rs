//! `ocs restore`: creates a data folder from a backup, or from a database file copied by another tool.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;

use crate::output::{count, outln};
use crate::storage::{self, Contents, Folder};

use super::ConfigArgs;
use super::backup::{DATABASE, Extract, Manifest, files_below, unpack, write_private};
use super::command::explain;

/// First bytes of a SQLite database.
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

#[derive(Args)]
pub(super) struct Restore {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Backup to unpack, or a database file such as one that Litestream restored
    file: PathBuf,
    /// Folder with the images that belong to a database file
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
}

/// What was restored.
struct Restored {
    /// `None` for a plain database file.
    manifest: Option<Manifest>,
    contents: Contents,
    /// Image files that the database mentions and that are missing.
    missing: usize,
}

impl Restore {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let data = self.config_args.read()?.data;
        if data.exists() {
            let empty =
                fs::read_dir(&data).with_context(|| format!("{} cannot be read", data.display()))?.next().is_none();
            ensure!(empty, "{} is not empty; restore into a new folder, then start the server with it", data.display());
        }
        // Unpacked into a sibling folder: an interrupted restore leaves nothing that looks complete.
        let name = data.file_name().and_then(|name| name.to_str()).context("--data must name a folder")?;
        let partial = data.with_file_name(format!(".{name}-restoring"));
        let _ = fs::remove_dir_all(&partial);
        let restored = match make(self.file, self.images, &partial).await {
            Ok(made) => made,
            Err(error) => {
                let _ = fs::remove_dir_all(&partial);
                return Err(error);
            }
        };
        if data.exists() {
            fs::remove_dir(&data)?;
        }
        fs::rename(&partial, &data)?;
        match &restored.manifest {
            Some(made) => {
                outln!("{} is ready: made {} by ocs {}", data.display(), made.made_at.to_api_text(), made.ocs)
            }
            None => outln!("{} is ready, with the database as it is in that file", data.display()),
        }
        for (table, count) in &restored.contents.rows {
            outln!("{count:>10}  {table}");
        }
        if restored.missing > 0 {
            let are = if restored.missing == 1 { "is" } else { "are" };
            outln!("{} {are} missing; chats show a placeholder instead", count(restored.missing, "image file"));
        }
        outln!("\nEverybody must sign in again, and open chats reload.");
        outln!(
            "Copy master.key of the old server into {} before the first start; without it, identity",
            data.display()
        );
        outln!("secrets must be created again in My Sites.");
        Ok(())
    }
}

/// Unpacks and checks everything, and starts a new epoch of the database.
async fn make(file: PathBuf, images: Option<PathBuf>, folder: &Path) -> anyhow::Result<Restored> {
    Folder::open(folder)?;
    let target = folder.to_owned();
    let (manifest, names) = tokio::task::spawn_blocking(move || import(&file, images.as_deref(), &target)).await??;
    let database = folder.join(DATABASE);
    let contents = storage::inspect(&database).await.map_err(explain)?;
    ensure!(
        contents.schema <= storage::newest_schema(),
        "this backup has schema {}, which is newer than this program; restore it with {}",
        contents.schema,
        manifest.as_ref().map_or("a newer ocs".to_owned(), |made| format!("ocs {}", made.ocs))
    );
    let is_the_one = manifest.as_ref().is_none_or(|made| made.rows == contents.rows);
    ensure!(is_the_one, "the database in this backup is not the one its manifest names");
    storage::begin_new_life(&database).await.map_err(explain)?;
    let missing = contents.files.iter().filter(|name| !names.contains(*name)).count();
    Ok(Restored { manifest, contents, missing })
}

/// Imports everything into the folder. Returns the manifest and the names of the image files.
fn import(file: &Path, images: Option<&Path>, folder: &Path) -> anyhow::Result<(Option<Manifest>, HashSet<String>)> {
    if !is_database(file)? {
        ensure!(images.is_none(), "--images goes with a database file; a backup has its images inside");
        let unpacked = unpack(file, folder, Extract::Everything)?;
        return Ok((Some(unpacked.manifest), unpacked.names));
    }
    let log = PathBuf::from(format!("{}-wal", file.display()));
    ensure!(
        fs::metadata(&log).map_or(0, |log| log.len()) == 0,
        "{} belongs to that database and is not folded into it yet: start the server with the folder as it is, or use \
         `ocs backup`",
        log.display()
    );
    write_private(&mut File::open(file)?, &folder.join(DATABASE))?;
    let mut names = HashSet::new();
    for (inside, path) in images.map(files_below).transpose()?.unwrap_or_default() {
        write_private(&mut File::open(&path)?, &folder.join(&inside))?;
        names.extend(inside.file_name().and_then(|name| name.to_str()).map(str::to_owned));
    }
    Ok((None, names))
}

fn is_database(file: &Path) -> anyhow::Result<bool> {
    let mut start = Vec::new();
    let file = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    file.take(SQLITE.len() as u64).read_to_end(&mut start)?;
    Ok(start == SQLITE)
}
