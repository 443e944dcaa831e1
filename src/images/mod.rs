//! A picture that a visitor or an operator sends: checked, cleaned, kept under a name that nobody can guess.
//!
//! Nothing that was uploaded is ever served back: every frame is decoded within limits and encoded anew, so what lies
//! in storage is ours, without metadata and without whatever else a file can carry.

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

use crate::clock::Clock;
use crate::id::{AccountId, ImageId, KeyId, VisitorId};
use crate::storage::Folder;

pub use accept::{accept, accept_from_visitor};
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

/// Seconds after which an image that no message took is removed.
pub const UNATTACHED_SECONDS: i64 = 24 * 60 * 60;

/// A stored image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its number.
    pub id: ImageId,
    /// Public name, also the handle used to send it.
    pub name: ImageName,
    /// Name of the small picture; the same as `name` where the image is small itself.
    pub thumb: ImageName,
    /// Width in pixels, as shown.
    pub width: u32,
    /// Height in pixels, as shown.
    pub height: u32,
    /// More than one frame.
    pub animated: bool,
}

/// Who brought an image; only they can put it into a message.
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
    /// As the database keeps it; the words are those of a message's author.
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

    /// The side of the chat, which the public name begins with.
    fn side(self) -> &'static str {
        match self {
            Uploader::Visitor(_) => "visitor",
            Uploader::Operator(_) | Uploader::Api(_) => "agent",
        }
    }
}

/// What the running product needs to take and give images.
pub struct Images {
    /// Where the files are.
    pub blobs: Blobs,
    decode_limit: decode_limit::DecodeLimit,
    /// Memory for uploads under way.
    pub upload_memory: UploadMemory,
    upload_quota: upload_quota::UploadQuota,
    verified_files: stored_file::VerifiedFiles,
    orphaned_files: Arc<Notify>,
}

impl Images {
    /// Keeps images in the data folder.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(folder: &Folder, clock: Clock) -> io::Result<Images> {
        Ok(Images::new(Blobs::disk(folder.images())?, clock))
    }

    /// Keeps images in memory; for tests.
    pub fn in_memory(clock: Clock) -> Images {
        Images::new(Blobs::memory(), clock)
    }

    fn new(blobs: Blobs, clock: Clock) -> Images {
        Images {
            blobs,
            decode_limit: decode_limit::DecodeLimit::default(),
            upload_memory: UploadMemory::default(),
            upload_quota: upload_quota::UploadQuota::new(clock),
            verified_files: stored_file::VerifiedFiles::default(),
            orphaned_files: Arc::new(Notify::new()),
        }
    }
}
