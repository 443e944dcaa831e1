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

/// Lets go of the first images of a deleted site, at most so many. Returns how many. The files are removed after the commit;
/// should the server stop in between, the next sweep removes them.
pub fn delete_batch(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    let count = store::delete_some(tx, site, limit)?;
    if count > 0 {
        events::effect(tx, Effect::FilesOrphaned);
    }
    Ok(count)
}

/// Lets go of the images of conversations that are to be removed, before their messages go.
pub fn delete_of_conversations(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) -> Result<()> {
    store::delete_of(tx, site, conversations)?;
    events::effect(tx, Effect::FilesOrphaned);
    Ok(())
}
