//! `ocs backup`: writes database and images into one tar file, also while the server runs.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Millis;
use crate::output::{count, outln};
use crate::storage;

use super::ConfigArgs;
use super::command::{Command, Output, explain, send, unexpected};

/// Names of the entries, in this order.
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const DATABASE: &str = "ocs.db";
const IMAGES: &str = "images";
/// Subfolder of the image store for unfinished writes.
const UNFINISHED: &str = "unfinished";
/// Longest manifest, in bytes.
const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;
/// Version of the backup format.
pub(super) const FORMAT_VERSION: u32 = 1;

#[derive(Args)]
pub(super) struct Backup {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// File to write; it must not exist yet
    file: PathBuf,
}

/// First entry of the file: its contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub form: u32,
    pub ocs: String,
    pub made_at: Millis,
    pub schema: i64,
    pub epoch: String,
    pub rows: BTreeMap<String, i64>,
    pub image_files: usize,
}

/// What was written, for the output.
#[derive(Serialize, Deserialize)]
pub(super) struct BackedUp {
    pub bytes: u64,
    pub manifest: Manifest,
    /// Files deleted during the backup, such as those of a deleted conversation.
    pub gone: usize,
}

impl Backup {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config_args.read()?;
        // The server's working directory may differ from this command's.
        let file = std::path::absolute(&self.file)?;
        let command = Command::Backup { file: file.clone() };
        let Output::BackedUp(done) = send(config, command).await? else { return Err(unexpected()) };
        outln!("{} written and checked ({} bytes)", file.display(), done.bytes);
        for (table, count) in &done.manifest.rows {
            outln!("{count:>10}  {table}");
        }
        outln!("{:>10}  image files", done.manifest.image_files);
        if done.gone > 0 {
            outln!("{} deleted while the copy was made and not in it", count(done.gone, "file"));
        }
        outln!(
            "\nmaster.key is NOT in this file, so that a stolen backup decrypts no secrets. Keep a copy of it elsewhere:"
        );
        outln!(
            "without it, identity secrets must be created again after a restore, and two-factor authentication turned off with"
        );
        outln!("`ocs user totp-off` or a recovery code. Everything else works without it.");
        Ok(())
    }
}

/// Writes a backup under a temporary name, reads it back, and only then renames it.
pub(super) async fn write(app: &App, file: &Path) -> anyhow::Result<BackedUp> {
    ensure!(!file.exists(), "{} exists already; choose another name", file.display());
    let folder = file.parent().context("name a file in a folder")?;
    ensure!(folder.is_dir(), "there is no folder {}", folder.display());
    let work = folder.join(format!(".ocs-backup-{}", crate::secret::random_text(6)));
    fs::create_dir(&work).with_context(|| format!("{} cannot be written", folder.display()))?;
    let done = write_in(app, file, &work).await;
    let _ = fs::remove_dir_all(&work);
    done
}

async fn write_in(app: &App, file: &Path, work: &Path) -> anyhow::Result<BackedUp> {
    let database = work.join(DATABASE);
    // The database first: every file that it mentions was stored before.
    app.store.copy_to(&database).await.map_err(explain)?;
    let contents = storage::inspect(&database).await.map_err(explain)?;
    let images = files_below(&app.folder.images())?;
    let manifest = Manifest {
        form: FORMAT_VERSION,
        ocs: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: app.store.now(),
        schema: contents.schema,
        epoch: contents.epoch.clone(),
        rows: contents.rows.clone(),
        image_files: images.len(),
    };
    let partial = work.join("backup.tar");
    let (target, kept) = (partial.clone(), manifest.clone());
    let manifest = tokio::task::spawn_blocking(move || pack(&target, kept, &database, &images)).await??;
    let check = work.join("check");
    let (packed, unpacked) = (partial.clone(), check.clone());
    let read_back = tokio::task::spawn_blocking(move || unpack(&packed, &unpacked, Extract::Database)).await??;
    ensure!(read_back.manifest == manifest, "the file was not read back as it was written; is the disk sound?");
    let again = storage::inspect(&check.join(DATABASE)).await.map_err(explain)?;
    ensure!(again == contents, "the file was not read back as it was written; is the disk sound?");
    let gone = again.files.iter().filter(|name| !read_back.names.contains(*name)).count();
    let bytes = fs::metadata(&partial)?.len();
    // Fails on purpose when somebody created a file of this name meanwhile.
    fs::hard_link(&partial, file).or_else(|_| rename_new(&partial, file))?;
    File::open(file.parent().context("a folder")?)?.sync_all()?;
    Ok(BackedUp { bytes, manifest, gone })
}

/// For file systems without hard links.
fn rename_new(from: &Path, to: &Path) -> anyhow::Result<()> {
    ensure!(!to.exists(), "{} exists already; choose another name", to.display());
    Ok(fs::rename(from, to)?)
}

/// Path in the backup and path on disk of every finished file.
pub(super) fn files_below(images: &Path) -> anyhow::Result<Vec<(PathBuf, PathBuf)>> {
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::from(IMAGES), images.to_owned())];
    while let Some((inside, folder)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == UNFINISHED {
                continue;
            }
            let (inside, path) = (inside.join(&name), entry.path());
            if entry.file_type()?.is_dir() { folders.push((inside, path)) } else { found.push((inside, path)) }
        }
    }
    found.sort();
    Ok(found)
}

/// Packs everything and syncs. Files deleted meanwhile are left out, as the returned manifest says.
fn pack(
    target: &Path,
    mut manifest: Manifest,
    database: &Path,
    images: &[(PathBuf, PathBuf)],
) -> anyhow::Result<Manifest> {
    let mut open = Vec::new();
    for (inside, path) in images {
        if path.exists() {
            open.push((inside, path));
        }
    }
    manifest.image_files = open.len();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut tar = tar::Builder::new(BufWriter::new(options.open(target)?));
    tar.mode(tar::HeaderMode::Deterministic);
    let text = serde_json::to_vec_pretty(&manifest)?;
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(manifest.made_at.0 / 1000).unwrap_or_default());
    tar.append_data(&mut header, MANIFEST, text.as_slice())?;
    tar.append_path_with_name(database, DATABASE)?;
    for (inside, path) in open {
        tar.append_path_with_name(path, inside).with_context(|| format!("{} could not be copied", path.display()))?;
    }
    let file = tar.into_inner()?.into_inner()?;
    file.sync_all()?;
    Ok(manifest)
}

/// What to extract from a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extract {
    /// The database only, for inspection. Images are read and counted.
    Database,
    /// Everything.
    Everything,
}

/// The contents of a backup.
pub(super) struct Unpacked {
    pub manifest: Manifest,
    /// File names of the images, without folders.
    pub names: HashSet<String>,
}

/// Reads a backup from start to end into the new folder `into`. Nothing is written outside it, whatever the file
/// contains.
pub(super) fn unpack(file: &Path, into: &Path, keep: Extract) -> anyhow::Result<Unpacked> {
    let mut archive =
        tar::Archive::new(BufReader::new(File::open(file).with_context(|| format!("{}", file.display()))?));
    fs::create_dir_all(into)?;
    let (mut manifest, mut has_database, mut names) = (None::<Manifest>, false, HashSet::new());
    for entry in archive.entries()? {
        let mut entry = entry.context("this is not a backup, or its end is missing")?;
        let path = entry.path()?.into_owned();
        // A link would lead elsewhere, and a sparse file could exceed any disk: our backups contain neither.
        ensure!(entry.header().entry_type().is_file(), "{} does not belong into a backup of ocs", path.display());
        if path == Path::new(MANIFEST) {
            ensure!(manifest.is_none(), "this backup has two manifests");
            let text = (&mut entry).take(MAX_MANIFEST_BYTES);
            manifest = Some(serde_json::from_reader(text).context("its manifest cannot be read")?);
        } else if path == Path::new(DATABASE) {
            write_private(&mut entry, &into.join(DATABASE))?;
            has_database = true;
        } else if is_image(&path) {
            if keep == Extract::Everything {
                write_private(&mut entry, &into.join(&path))?;
            } else {
                std::io::copy(&mut entry, &mut std::io::sink())?;
            }
            names.insert(path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned());
        } else {
            bail!("{} does not belong into a backup of ocs", path.display());
        }
    }
    let manifest = manifest.context("this is not a backup of ocs: it has no manifest")?;
    ensure!(
        manifest.form == FORMAT_VERSION,
        "this backup was made by a newer ocs ({}); restore it with that",
        manifest.ocs
    );
    ensure!(has_database, "there is no database in this backup");
    ensure!(names.len() == manifest.image_files, "images are missing in this backup: its end may be cut off");
    Ok(Unpacked { manifest, names })
}

fn is_image(path: &Path) -> bool {
    use std::path::Component;
    path.starts_with(IMAGES) && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Writes and syncs a new file, readable by its owner alone.
pub(super) fn write_private(entry: &mut impl std::io::Read, target: &Path) -> anyhow::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = BufWriter::new(options.open(target).with_context(|| format!("{}", target.display()))?);
    std::io::copy(entry, &mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(())
}
