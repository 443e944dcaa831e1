//! The wire form of an image.

use serde::Serialize;

use super::{Image, ImageName};

/// An image on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Image")]
pub struct ImageView {
    /// Random public name; also the handle for `send`.
    pub id: String,
    /// URL path of the image.
    pub url: String,
    /// URL path of the thumbnail.
    pub thumb_url: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// More than one frame.
    pub animated: bool,
}

/// A stored, unattached image.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Uploaded {
    /// The image.
    pub image: ImageView,
}

impl From<&Image> for ImageView {
    fn from(image: &Image) -> ImageView {
        ImageView {
            id: image.name.to_string(),
            url: image.name.url(),
            thumb_url: if image.thumb == image.name { image.name.url() } else { image.thumb.thumb_url() },
            width: image.width,
            height: image.height,
            animated: image.animated,
        }
    }
}

impl ImageName {
    /// URL path of the image.
    pub fn url(&self) -> String {
        format!("/uploads/chat_images/{self}")
    }

    fn thumb_url(&self) -> String {
        format!("/uploads/chat_images/thumbs/{self}")
    }
}
