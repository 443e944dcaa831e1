//! SQL of images and of orphaned files, which are to be deleted.

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{ConversationId, ImageId, SiteId};
use crate::id_rows;
use crate::record;
use crate::storage::{Store, Tx, Value};
use crate::values;

use super::{BlobKey, Image, ImageName, UNATTACHED_SECONDS, Uploader};

const INSERT: &str = "INSERT INTO images
    (site_id, id, name, thumb_name, width, height, animated, bytes, sha256, author_kind, author_id, attached, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, FALSE, $12)";
const ATTACH: &str = "UPDATE images SET attached = TRUE
    WHERE site_id = $1 AND name = $2 AND author_kind = $3 AND author_id = $4 AND NOT attached AND created_at > $5
    RETURNING id, name, thumb_name, width, height, animated";
const OWN: &str = "SELECT attached FROM images
    WHERE site_id = $1 AND name = $2 AND author_kind = $3 AND author_id = $4 AND (attached OR created_at > $5)";
const OF_NAMES: &str = "SELECT id, name, thumb_name, width, height, animated FROM images
    WHERE site_id = $1 AND name IN (SELECT value FROM json_each($2))";
const WHAT_IT_IS: &str = "SELECT site_id, id, sha256 FROM images WHERE name = $1";
const UNATTACHED: &str =
    "SELECT site_id, id FROM images WHERE NOT attached AND created_at <= $1 ORDER BY site_id LIMIT $2";
const ORPHAN_FILES_OF_ONE: &str = "INSERT INTO leftover_files (folder, name)
    SELECT 'chat_images', name FROM images WHERE site_id = $1 AND id = $2 AND NOT attached
    UNION SELECT 'thumbs', thumb_name FROM images WHERE site_id = $1 AND id = $2 AND NOT attached AND thumb_name <> name";
const DELETE_ONE: &str = "DELETE FROM images WHERE site_id = $1 AND id = $2 AND NOT attached";
const ORPHAN_FILES_OF_MANY: &str = concat!(
    "INSERT INTO leftover_files (folder, name)
    SELECT 'chat_images', i.name FROM images AS i WHERE i.site_id = $1 AND i.id IN ",
    id_rows!("$2"),
    " UNION SELECT 'thumbs', i.thumb_name FROM images AS i WHERE i.site_id = $1 AND i.thumb_name <> i.name AND i.id IN ",
    id_rows!("$2")
);
const DELETE_MANY: &str = concat!("DELETE FROM images WHERE site_id = $1 AND id IN ", id_rows!("$2"));
const IN_CONVERSATIONS: &str = concat!(
    "SELECT m.image_id FROM conversations AS c CROSS JOIN messages AS m WHERE c.site_id = $1 AND c.id IN ",
    id_rows!("$2"),
    " AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id AND m.image_id IS NOT NULL"
);
const SOME: &str = "SELECT id FROM images WHERE site_id = $1 ORDER BY id LIMIT $2";
const ORPHAN_FILE: &str =
    "INSERT INTO leftover_files (folder, name) VALUES ($1, $2) ON CONFLICT (folder, name) DO NOTHING";
const ORPHANED_FILES: &str = "SELECT folder, name FROM leftover_files ORDER BY folder, name LIMIT $1";
const FORGET_ORPHANED_FILE: &str = "DELETE FROM leftover_files WHERE folder = $1 AND name = $2";

/// All statements of this file, for the test that prepares them.
pub const SQL: &[&str] = &[
    INSERT,
    ATTACH,
    OWN,
    OF_NAMES,
    WHAT_IT_IS,
    UNATTACHED,
    ORPHAN_FILES_OF_ONE,
    DELETE_ONE,
    ORPHAN_FILES_OF_MANY,
    DELETE_MANY,
    IN_CONVERSATIONS,
    SOME,
    ORPHAN_FILE,
    ORPHANED_FILES,
    FORGET_ORPHANED_FILE,
];

/// Length and hash of a file, to detect damage.
pub struct File {
    /// Length in bytes.
    pub bytes: usize,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

struct ImageRow {
    id: ImageId,
    name: String,
    thumb_name: String,
    width: i64,
    height: i64,
    animated: bool,
}
record!(ImageRow { id, name, thumb_name, width, height, animated });

impl TryFrom<ImageRow> for Image {
    type Error = Error;
    fn try_from(row: ImageRow) -> Result<Image> {
        let damaged = || Error::Internal("an image row is damaged".into());
        Ok(Image {
            id: row.id,
            name: ImageName::parse(&row.name).ok_or_else(damaged)?,
            thumb: ImageName::parse(&row.thumb_name).ok_or_else(damaged)?,
            width: u32::try_from(row.width).map_err(|_| damaged())?,
            height: u32::try_from(row.height).map_err(|_| damaged())?,
            animated: row.animated,
        })
    }
}

/// A stored image's row, as needed to verify its file.
pub(super) struct KnownImage {
    /// Its site.
    pub site_id: SiteId,
    /// Its number.
    pub id: ImageId,
    /// SHA-256 of its content.
    pub sha256: Vec<u8>,
}
record!(KnownImage { site_id, id, sha256 });

/// Finds an image by name; `None` when no site has it.
pub(super) async fn find(store: &Store, name: &str) -> Result<Option<KnownImage>> {
    store.one(WHAT_IT_IS, values![name]).await
}

/// Writes a new image that belongs to no message yet.
pub(super) fn insert(tx: &mut Tx, site: SiteId, image: &Image, uploader: Uploader, file: &File) -> Result<()> {
    let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
    let (width, height, now) = (i64::from(image.width), i64::from(image.height), tx.now());
    let values = values![
        site,
        image.id,
        image.name.as_str(),
        image.thumb.as_str(),
        width,
        height,
        image.animated,
        bytes,
        file.sha256,
        uploader.kind(),
        uploader.number(),
        now,
    ];
    tx.run(INSERT, values).map(|_| ())
}

/// Marks an image as part of a message, if it is its uploader's, fresh and free.
pub(super) fn attach(tx: &mut Tx, site: SiteId, name: &ImageName, uploader: Uploader) -> Result<Option<Image>> {
    let oldest = tx.now().plus_seconds(-UNATTACHED_SECONDS);
    let values = values![site, name.as_str(), uploader.kind(), uploader.number(), oldest];
    let row: Option<ImageRow> = tx.one(ATTACH, values)?;
    row.map(Image::try_from).transpose()
}

/// Whether this uploader's image is attached already; `None` when there is none.
pub(super) fn is_attached(tx: &mut Tx, site: SiteId, name: &ImageName, uploader: Uploader) -> Result<Option<bool>> {
    let oldest = tx.now().plus_seconds(-UNATTACHED_SECONDS);
    let values = values![site, name.as_str(), uploader.kind(), uploader.number(), oldest];
    let row: Option<(bool,)> = tx.one(OWN, values)?;
    Ok(row.map(|(attached,)| attached))
}

/// Images of a site by name, in no particular order.
pub async fn of_names(store: &Store, site: SiteId, names: &[&str]) -> Result<Vec<Image>> {
    let names = serde_json::to_string(names).map_err(|error| Error::Internal(error.to_string()))?;
    let rows: Vec<ImageRow> = store.all(OF_NAMES, values![site, names]).await?;
    rows.into_iter().map(Image::try_from).collect()
}

/// Unattached images created before `before`.
pub(super) async fn unattached(store: &Store, before: Millis, limit: i64) -> Result<Vec<(SiteId, ImageId)>> {
    store.all(UNATTACHED, values![before, limit]).await
}

/// Deletes an unattached image and marks its files as orphaned.
pub(super) fn delete_unattached(tx: &mut Tx, site: SiteId, image: ImageId) -> Result<()> {
    tx.run(ORPHAN_FILES_OF_ONE, values![site, image])?;
    tx.run(DELETE_ONE, values![site, image]).map(|_| ())
}

/// Deletes up to `limit` images of a site, marks their files as orphaned, and returns how many.
pub(super) fn delete_some(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    let rows: Vec<(ImageId,)> = tx.all(SOME, values![site, limit])?;
    let images: Vec<ImageId> = rows.into_iter().map(|(image,)| image).collect();
    if !images.is_empty() {
        delete_these(tx, site, &images)?;
    }
    Ok(images.len() as i64)
}

fn delete_these(tx: &mut Tx, site: SiteId, images: &[ImageId]) -> Result<()> {
    tx.run(ORPHAN_FILES_OF_MANY, values![site, Value::ids(images)])?;
    tx.run(DELETE_MANY, values![site, Value::ids(images)]).map(|_| ())
}

/// Deletes the images in conversations and marks their files as orphaned.
pub(super) fn delete_of(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) -> Result<()> {
    let rows: Vec<(ImageId,)> = tx.all(IN_CONVERSATIONS, values![site, Value::ids(conversations)])?;
    let images: Vec<ImageId> = rows.into_iter().map(|(image,)| image).collect();
    delete_these(tx, site, &images)
}

/// Marks one file as orphaned.
pub(super) fn orphan_file(tx: &mut Tx, key: &BlobKey) -> Result<()> {
    tx.run(ORPHAN_FILE, values![key.folder(), key.name()]).map(|_| ())
}

/// Orphaned files: folder and name.
pub(super) async fn orphaned_files(store: &Store, limit: i64) -> Result<Vec<(String, String)>> {
    store.all(ORPHANED_FILES, values![limit]).await
}

/// Removes the row of a deleted orphaned file.
pub(super) fn forget_orphaned_file(tx: &mut Tx, folder: &str, name: &str) -> Result<()> {
    tx.run(FORGET_ORPHANED_FILE, values![folder, name]).map(|_| ())
}
