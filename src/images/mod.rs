//! Images sent by visitors and operators: checked, re-encoded, and stored under names that cannot be guessed.
//!
//! Uploaded bytes are never served: every frame is decoded within limits and re-encoded, so that stored files are our
//! own, without metadata and without anything else that a file can carry.

mod accept;
mod attach;
mod blobs;
mod upload_quota;
mod reencode;
mod colour;
mod stored_file;
mod format;
mod gif;
mod jpeg;
mod logo;
mod image_header;
mod name;
mod png;
mod upload_memory;
mod store;
mod orphan_sweep;
mod thumbnail;
mod view;
mod webp;
mod decode_limit;

use std::io;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::fair_limit::FairLimit;
use crate::id::{AccountId, ImageId, KeyId, VisitorId};
use crate::storage::{Folder, Store};

pub use accept::{UploadTarget, accept, accept_from_visitor};
pub use attach::{attach, delete_batch, delete_of_conversations};
pub use blobs::{BlobKey, Blobs, FileStamp, matches_hash};
pub use format::{Format, InputFormat};
pub use image_header::{ImageHeader, MAX_FRAME_PIXELS, MAX_FRAMES, MAX_MEMORY, MAX_SIDE};
pub use logo::{MAX_LOGO_BYTES, logo_url, remove_logo, store_logo};
pub use name::{FileName, ImageName};
pub use orphan_sweep::{run, sweep};
pub use reencode::{Reencoded, reencode};
pub use store::{SQL, of_names};
pub use stored_file::{StoredFile, has_same_content};
pub use thumbnail::{MAX_THUMBNAIL_SIDE, Thumbnail, make_thumbnail};
pub use upload_memory::{Reservation, UploadMemory};
pub use view::{ImageView, Uploaded};

/// Age in seconds at which an unattached image is deleted.
pub const UNATTACHED_SECONDS: i64 = 24 * 60 * 60;

/// A stored image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its number.
    pub id: ImageId,
    /// Public name; also the handle for sending it.
    pub name: ImageName,
    /// Name of the thumbnail; equal to `name` if the image is small itself.
    pub thumb: ImageName,
    /// Width in pixels, after rotation.
    pub width: u32,
    /// Height in pixels, after rotation.
    pub height: u32,
    /// More than one frame.
    pub animated: bool,
}

/// The author of an upload; only the author can attach the image to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Uploader {
    /// A visitor.
    Visitor(VisitorId),
    /// An operator at the console.
    Operator(AccountId),
    /// A script with a chat API key.
    Api(KeyId),
}

impl Uploader {
    /// The author kind as stored in the database, as for messages.
    fn kind(self) -> &'static str {
        match self {
            Uploader::Visitor(_) => "visitor",
            Uploader::Operator(_) => "operator",
            Uploader::Api(_) => "api",
        }
    }

    fn number(self) -> i64 {
        match self {
            Uploader::Visitor(id) => id.0,
            Uploader::Operator(id) => id.0,
            Uploader::Api(id) => id.0,
        }
    }

    /// The side of the chat: the prefix of the public name.
    fn side(self) -> &'static str {
        match self {
            Uploader::Visitor(_) => "visitor",
            Uploader::Operator(_) | Uploader::Api(_) => "agent",
        }
    }
}

/// State for storing and serving images.
pub struct Images {
    store: Store,
    /// Whose turn it is to write what an upload became.
    pub fair_limit: Arc<FairLimit>,
    /// The files.
    pub blobs: Blobs,
    decode_limit: decode_limit::DecodeLimit,
    /// Memory limit of uploads in progress.
    pub upload_memory: UploadMemory,
    upload_quota: upload_quota::UploadQuota,
    verified_files: stored_file::VerifiedFiles,
    orphaned_files: Arc<Notify>,
}

impl Images {
    /// Stores images in the data folder.
    ///
    /// # Errors
    /// The folder cannot be created or written.
    pub fn open(folder: &Folder, store: Store, fair_limit: Arc<FairLimit>) -> io::Result<Images> {
        Ok(Images::new(Blobs::disk(folder.images())?, store, fair_limit))
    }

    /// Stores images in memory; for tests.
    pub fn in_memory(store: Store, fair_limit: Arc<FairLimit>) -> Images {
        Images::new(Blobs::memory(), store, fair_limit)
    }

    fn new(blobs: Blobs, store: Store, fair_limit: Arc<FairLimit>) -> Images {
        Images {
            blobs,
            decode_limit: decode_limit::DecodeLimit::default(),
            upload_memory: UploadMemory::default(),
            upload_quota: upload_quota::UploadQuota::new(store.clock().clone()),
            verified_files: stored_file::VerifiedFiles::default(),
            orphaned_files: Arc::new(Notify::new()),
            store,
            fair_limit,
        }
    }
}
