//! `ocs restore`: a new data folder from a backup.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;

use crate::storage::{self, Contents, Folder};

use super::Given;
use super::backup::{DATABASE, Keep, Unpacked, unpack};
use super::order::explain;

#[derive(Args)]
pub(super) struct Restore {
    #[command(flatten)]
    given: Given,
    /// Backup to unpack
    file: PathBuf,
}

impl Restore {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let data = self.given.read()?.data;
        if data.exists() {
            let empty =
                fs::read_dir(&data).with_context(|| format!("{} cannot be read", data.display()))?.next().is_none();
            ensure!(empty, "{} is not empty; restore into a new folder, then start the server with it", data.display());
        }
        // Unpacked beside it: an interrupted restore leaves no folder that looks like a whole one.
        let name = data.file_name().and_then(|name| name.to_str()).context("--data must name a folder")?;
        let partial = data.with_file_name(format!(".{name}-restoring"));
        let _ = fs::remove_dir_all(&partial);
        let (unpacked, contents) = match make(self.file, &partial).await {
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
        println!(
            "{} is ready: made {} by ocs {}",
            data.display(),
            unpacked.manifest.made_at.to_api_text(),
            unpacked.manifest.ocs
        );
        for (table, count) in &contents.rows {
            println!("{count:>10}  {table}");
        }
        println!("\nEverybody signs in again, and open chats load anew.");
        println!(
            "Copy master.key of the old server into {} before the first start; without it, identity",
            data.display()
        );
        println!("secrets must be made anew in My Sites.");
        Ok(())
    }
}

/// Unpacks and checks everything, and begins the new life of the database.
async fn make(file: PathBuf, folder: &Path) -> anyhow::Result<(Unpacked, Contents)> {
    Folder::open(folder)?;
    let target = folder.to_owned();
    let unpacked = tokio::task::spawn_blocking(move || unpack(&file, &target, Keep::Everything)).await??;
    ensure!(
        unpacked.manifest.schema <= storage::newest_schema(),
        "this backup has schema {}, which is newer than this program; restore it with ocs {}",
        unpacked.manifest.schema,
        unpacked.manifest.ocs
    );
    let database = folder.join(DATABASE);
    let contents = storage::inspect(&database).await.map_err(explain)?;
    ensure!(contents.rows == unpacked.manifest.rows, "the database in this backup is not the one its manifest names");
    storage::begin_new_life(&database).await.map_err(explain)?;
    Ok((unpacked, contents))
}
