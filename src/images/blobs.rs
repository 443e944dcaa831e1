//! Where files are: three small functions over a disk or memory. A key is a type that knows its path, what it is made
//! of and how long it may be cached.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};

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
    pub fn cache_rule(&self) -> &'static str {
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
        Path::new(self.folder).join(self.name.shelf()).join(self.name.as_str())
    }
}

/// A stored file: its length, and its bytes in memory or to be read piece by piece.
pub enum StoredBlob {
    /// All of it.
    Bytes(Bytes),
    /// An open file and its length.
    File(tokio::fs::File, u64),
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

    /// Finds a file.
    pub async fn get(&self, key: &BlobKey) -> Result<Option<StoredBlob>> {
        match self {
            Blobs::Memory(files) => {
                let found = files.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
                Ok(found.map(StoredBlob::Bytes))
            }
            Blobs::Disk(folder) => {
                let path = folder.join(key.path());
                blocking(move || match File::open(path) {
                    Ok(file) => {
                        let length = file.metadata()?.len();
                        Ok(Some(StoredBlob::File(tokio::fs::File::from_std(file), length)))
                    }
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                })
                .await
            }
        }
    }

    /// Finds a file whose content has this SHA-256; none when it is gone or another.
    pub async fn get_whole(&self, key: &BlobKey, sha256: &[u8]) -> Result<Option<StoredBlob>> {
        match self {
            Blobs::Memory(_) => self.get(key).await,
            Blobs::Disk(folder) => {
                let (path, sha256) = (folder.join(key.path()), sha256.to_vec());
                let file = blocking(move || open_whole(&path, &sha256)).await?;
                Ok(file.map(|(file, length)| StoredBlob::File(tokio::fs::File::from_std(file), length)))
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
pub fn is_whole(folder: &Path, key: &BlobKey, sha256: &[u8]) -> io::Result<bool> {
    open_whole(&folder.join(key.path()), sha256).map(|found| found.is_some())
}

fn open_whole(path: &Path, sha256: &[u8]) -> io::Result<Option<(File, u64)>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut hash = Sha256::new();
    let length = io::copy(&mut file, &mut Hashing(&mut hash))?;
    file.rewind()?;
    Ok((hash.finalize()[..] == *sha256).then_some((file, length)))
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
    let result = write_then_move(folder, &unfinished, &target, bytes);
    if result.is_err() {
        // Frees the room of a half-written file on a full disk.
        let _ = fs::remove_file(&unfinished);
    }
    result
}

fn write_then_move(folder: &Path, unfinished: &Path, target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    let shelf = target.parent().unwrap_or(folder);
    if !shelf.exists() {
        fs::create_dir_all(shelf)?;
        for made in shelf.ancestors().skip(1).take_while(|above| above.starts_with(folder)) {
            sync_folder(made)?;
        }
    }
    fs::rename(unfinished, target)?;
    sync_folder(shelf)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened for syncing.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
