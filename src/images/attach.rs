//! Attaching images to a message, in the message's transaction; and deleting images with their site or conversation.

use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{ConversationId, SiteId};
use crate::storage::Tx;

use super::{Image, ImageName, Uploader, store};

/// Attaches the images and returns them in the given order. Each must be the uploader's own, of this site, at most a
/// day old and unattached. A retried message is recognised by its client id before this.
///
/// # Errors
/// `Invalid` when there is no such image, `Conflict` when it is in a message already.
pub fn attach(tx: &mut Tx, site: SiteId, names: &[ImageName], uploader: Uploader) -> Result<Vec<Image>> {
    let mut images = Vec::with_capacity(names.len());
    for name in names {
        match store::attach(tx, site, name, uploader)? {
            Some(image) => images.push(image),
            None => return Err(refusal(tx, site, name, uploader)?),
        }
    }
    Ok(images)
}

fn refusal(tx: &mut Tx, site: SiteId, name: &ImageName, uploader: Uploader) -> Result<Error> {
    Ok(match store::is_attached(tx, site, name, uploader)? {
        Some(true) => Error::Conflict("this image is in a message already; upload it again to send it again"),
        _ => Error::invalid("image", "there is no such image of yours; upload it first"),
    })
}

/// Deletes up to `limit` images of a deleted site and returns how many. Files are removed after the commit, or by the
/// next sweep if the server stops in between.
pub fn delete_batch(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    let count = store::delete_some(tx, site, limit)?;
    if count > 0 {
        events::effect(tx, Effect::FilesOrphaned);
    }
    Ok(count)
}

/// Deletes the images of conversations; call it before their messages are deleted.
pub fn delete_of_conversations(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) -> Result<()> {
    store::delete_of(tx, site, conversations)?;
    events::effect(tx, Effect::FilesOrphaned);
    Ok(())
}
