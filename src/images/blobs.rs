//! Where files are: four small functions over a disk or memory. A key is a type that knows its path, what it is made
//! of and how long it may be cached. No file stays open between two calls.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::cpu_pool;
use crate::error::{Error, Result};

use super::{FileName, ImageName};

/// Which file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobKey {
    folder: &'static str,
    name: FileName,
}

const IMAGES: &str = "chat_images";
const THUMBS: &str = "thumbs";
const LOGOS: &str = "logos";

impl BlobKey {
    /// A chat image.
    pub fn image(name: &ImageName) -> BlobKey {
        BlobKey { folder: IMAGES, name: name.into() }
    }

    /// The small picture of a chat image.
    pub fn thumb(name: &ImageName) -> BlobKey {
        BlobKey { folder: THUMBS, name: name.into() }
    }

    /// A site's logo.
    pub fn logo(name: FileName) -> BlobKey {
        BlobKey { folder: LOGOS, name }
    }

    /// Reads what the table of leftovers keeps.
    pub(super) fn parse(folder: &str, name: &str) -> Option<BlobKey> {
        match folder {
            IMAGES => ImageName::parse(name).map(|name| BlobKey::image(&name)),
            THUMBS => ImageName::parse(name).map(|name| BlobKey::thumb(&name)),
            LOGOS => FileName::parse_logo(name).map(BlobKey::logo),
            _ => None,
        }
    }

    /// The kind of file, as the database keeps it.
    pub(super) fn folder(&self) -> &'static str {
        self.folder
    }

    /// The name in its folder.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Media type: fixed by the key, never by what was claimed.
    pub fn content_type(&self) -> &'static str {
        self.name.format().content_type()
    }

    /// How long a browser may keep it. A name is never used twice; a shared cache must not keep what is private.
    pub fn cache_control(&self) -> &'static str {
        match self.folder {
            LOGOS => "public, max-age=31536000, immutable",
            _ => "private, max-age=31536000, immutable",
        }
    }

    /// Is it a chat image itself, whose content the database knows?
    pub fn is_picture(&self) -> bool {
        self.folder == IMAGES
    }

    fn path(&self) -> PathBuf {
        Path::new(self.folder).join(self.name.shard_folder()).join(self.name.as_str())
    }
}

/// A stored file as the folder lists it. An equal listing later means that nobody has written to the file since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// Its length in bytes.
    pub length: u64,
    modified: SystemTime,
}

/// Where files are kept.
pub enum Blobs {
    /// In a folder.
    Disk(PathBuf),
    /// In memory; for tests.
    Memory(Mutex<HashMap<BlobKey, Bytes>>),
}

impl Blobs {
    /// In `folder`. What an interrupted write left behind is removed.
    pub fn disk(folder: PathBuf) -> io::Result<Blobs> {
        let unfinished = folder.join("unfinished");
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(unfinished)?;
        Ok(Blobs::Disk(folder))
    }

    /// In memory.
    pub fn memory() -> Blobs {
        Blobs::Memory(Mutex::default())
    }

    /// Keeps a file. When this returns `Ok`, it is on disk and synced.
    pub async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<()> {
        match self {
            Blobs::Memory(files) => {
                files.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), bytes);
                Ok(())
            }
            Blobs::Disk(folder) => {
                let (folder, key) = (folder.clone(), key.clone());
                blocking(move || write_synced(&folder, &key, &bytes)).await
            }
        }
    }

    /// Looks a file up without opening it.
    pub async fn find(&self, key: &BlobKey) -> Result<Option<FileStamp>> {
        match self {
            Blobs::Memory(files) => {
                let length =
                    files.lock().unwrap_or_else(PoisonError::into_inner).get(key).map(|bytes| bytes.len() as u64);
                Ok(length.map(|length| FileStamp { length, modified: SystemTime::UNIX_EPOCH }))
            }
            Blobs::Disk(folder) => {
                let path = folder.join(key.path());
                blocking(move || match fs::metadata(path) {
                    Ok(raw) => Ok(Some(FileStamp { length: raw.len(), modified: raw.modified()? })),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                })
                .await
            }
        }
    }

    /// Reads exactly `length` bytes from `start` on. The file is open only meanwhile.
    ///
    /// # Errors
    /// `Unavailable` when the file is gone or ends before.
    pub async fn read(&self, key: &BlobKey, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Blobs::Memory(files) => {
                let files = files.lock().unwrap_or_else(PoisonError::into_inner);
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let part = start..start.saturating_add(length);
                let whole = files.get(key).filter(|bytes| part.end <= bytes.len());
                whole.map(|bytes| bytes.slice(part)).ok_or(Error::Unavailable)
            }
            Blobs::Disk(folder) => {
                let path = folder.join(key.path());
                blocking(move || {
                    let mut file = File::open(path)?;
                    file.seek(SeekFrom::Start(start))?;
                    let mut piece = vec![0; length];
                    file.read_exact(&mut piece)?;
                    Ok(Bytes::from(piece))
                })
                .await
            }
        }
    }

    /// Does the content of a file have this SHA-256? Reads all of it, on a thread that steps back for others.
    pub(super) async fn matches_hash(&self, key: &BlobKey, sha256: &[u8]) -> Result<bool> {
        match self {
            Blobs::Memory(_) => Ok(true),
            Blobs::Disk(folder) => {
                let (folder, key, sha256) = (folder.clone(), key.clone(), sha256.to_vec());
                let checked = cpu_pool::run(move || matches_hash(&folder, &key, &sha256)).await;
                checked.ok_or(Error::Unavailable)?.map_err(|error| explain(&error))
            }
        }
    }

    /// Removes a file; one that is gone already is no error.
    pub async fn delete(&self, key: &BlobKey) -> Result<()> {
        match self {
            Blobs::Memory(files) => {
                files.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
                Ok(())
            }
            Blobs::Disk(folder) => {
                let path = folder.join(key.path());
                blocking(move || match fs::remove_file(path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                })
                .await
            }
        }
    }
}

/// Is this file of `folder` there, with this content? Reads all of it.
///
/// # Errors
/// When it cannot be read.
pub fn matches_hash(folder: &Path, key: &BlobKey, sha256: &[u8]) -> io::Result<bool> {
    let mut file = match File::open(folder.join(key.path())) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut Hashing(&mut hash))?;
    Ok(hash.finalize()[..] == *sha256)
}

/// Hashes what is written to it.
struct Hashing<'a>(&'a mut Sha256);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Unavailable)?.map_err(|error| explain(&error))
}

fn explain(error: &io::Error) -> Error {
    tracing::error!(%error, "the folder of images cannot be used");
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem => Error::StorageFull,
        _ => Error::Unavailable,
    }
}

/// Writes beside, syncs, moves into place and syncs the folder: a file is there whole or not at all.
fn write_synced(folder: &Path, key: &BlobKey, bytes: &[u8]) -> io::Result<()> {
    let target = folder.join(key.path());
    let unfinished = folder.join("unfinished").join(format!("{}_{}", key.folder, key.name));
    let result = write_then_rename(folder, &unfinished, &target, bytes);
    if result.is_err() {
        // Frees the room of a half-written file on a full disk.
        let _ = fs::remove_file(&unfinished);
    }
    result
}

fn write_then_rename(folder: &Path, unfinished: &Path, target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    let shard_folder = target.parent().unwrap_or(folder);
    if !shard_folder.exists() {
        fs::create_dir_all(shard_folder)?;
        for made in shard_folder.ancestors().skip(1).take_while(|above| above.starts_with(folder)) {
            sync_folder(made)?;
        }
    }
    fs::rename(unfinished, target)?;
    sync_folder(shard_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened for syncing.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
