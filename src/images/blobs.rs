//! File storage on disk or in memory. A key is a type that knows its path, media type and cache rule. No file stays
//! open between two calls.

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

/// Identifies a stored file.
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

    /// The thumbnail of a chat image.
    pub fn thumb(name: &ImageName) -> BlobKey {
        BlobKey { folder: THUMBS, name: name.into() }
    }

    /// A site's logo.
    pub fn logo(name: FileName) -> BlobKey {
        BlobKey { folder: LOGOS, name }
    }

    /// Parses a row of the table of orphaned files.
    pub(super) fn parse(folder: &str, name: &str) -> Option<BlobKey> {
        match folder {
            IMAGES => ImageName::parse(name).map(|name| BlobKey::image(&name)),
            THUMBS => ImageName::parse(name).map(|name| BlobKey::thumb(&name)),
            LOGOS => FileName::parse_logo(name).map(BlobKey::logo),
            _ => None,
        }
    }

    /// The kind of file, as stored in the database.
    pub(super) fn folder(&self) -> &'static str {
        self.folder
    }

    /// The name in its folder.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Media type: determined by the key, never by the upload.
    pub fn content_type(&self) -> &'static str {
        self.name.format().content_type()
    }

    /// `Cache-Control` of the file. Names are never reused; shared caches must not store private files.
    pub fn cache_control(&self) -> &'static str {
        match self.folder {
            LOGOS => "public, max-age=31536000, immutable",
            _ => "private, max-age=31536000, immutable",
        }
    }

    /// Whether it is a chat image, whose hash is in the database.
    pub fn is_picture(&self) -> bool {
        self.folder == IMAGES
    }

    fn path(&self) -> PathBuf {
        Path::new(self.folder).join(self.name.shard_folder()).join(self.name.as_str())
    }
}

/// Size and modification time of a stored file. An equal stamp later means that the file was not written to since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// Length in bytes.
    pub length: u64,
    modified: SystemTime,
}

/// Where files are stored.
pub enum Blobs {
    /// In a folder.
    Disk(PathBuf),
    /// In memory; for tests.
    Memory(Mutex<HashMap<BlobKey, Bytes>>),
}

impl Blobs {
    /// Stores files in `folder`. Removes what an interrupted write left behind.
    pub fn disk(folder: PathBuf) -> io::Result<Blobs> {
        let unfinished = folder.join("unfinished");
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(unfinished)?;
        Ok(Blobs::Disk(folder))
    }

    /// Stores files in memory.
    pub fn memory() -> Blobs {
        Blobs::Memory(Mutex::default())
    }

    /// Stores a file. Durable when this returns `Ok`.
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

    /// Looks up a file without opening it.
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

    /// Reads exactly `length` bytes from `start`. The file is open only during the call.
    ///
    /// # Errors
    /// `Unavailable` when the file is gone or shorter.
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

    /// Whether the content has this SHA-256. Reads the whole file on the CPU pool.
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

    /// Deletes a file; a missing one is no error.
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

/// Whether this file of `folder` exists with this SHA-256. Reads the whole file.
///
/// # Errors
/// The file cannot be read.
pub fn matches_hash(folder: &Path, key: &BlobKey, sha256: &[u8]) -> io::Result<bool> {
    let mut file = match File::open(folder.join(key.path())) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut Hashing(&mut hash))?;
    Ok(hash.finalize()[..] == *sha256)
}

/// A writer that hashes.
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

/// Writes a temporary file, syncs it, renames it and syncs the folder: the file is complete or missing.
fn write_synced(folder: &Path, key: &BlobKey, bytes: &[u8]) -> io::Result<()> {
    let target = folder.join(key.path());
    let unfinished = folder.join("unfinished").join(format!("{}_{}", key.folder, key.name));
    let result = write_then_rename(folder, &unfinished, &target, bytes);
    if result.is_err() {
        // Frees the space of a half-written file on a full disk.
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
    // Other systems cannot open a folder for syncing.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
