//! Small pictures: what a thread shows before somebody opens the image.

use fast_image_resize::images::Image as Plane;
use fast_image_resize::{PixelType, Resizer};
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use crate::error::{Error, Result};

use super::Format;
use super::clean::encode;

/// Longest side of a thumbnail.
pub const THUMB_SIDE: u32 = 400;

/// A small picture and what it is made of: jpg, or png where something is transparent.
pub struct Small {
    /// What it is made of.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
}

/// A picture of at most `side` pixels a side.
pub fn shrink(still: &DynamicImage, side: u32) -> Result<Small> {
    let small = resize(still, side)?;
    let format = if is_transparent(&small) { Format::Png } else { Format::Jpeg };
    let small = if format == Format::Jpeg { opaque(small) } else { small };
    Ok(Small { format, bytes: encode(&small, format)? })
}

fn resize(still: &DynamicImage, side: u32) -> Result<DynamicImage> {
    let (width, height) = fit(still.width(), still.height(), side);
    if (width, height) == (still.width(), still.height()) {
        return Ok(still.clone());
    }
    let (kind, bytes) = match still {
        DynamicImage::ImageLuma8(image) => (PixelType::U8, image.as_raw()),
        DynamicImage::ImageRgb8(image) => (PixelType::U8x3, image.as_raw()),
        DynamicImage::ImageRgba8(image) => (PixelType::U8x4, image.as_raw()),
        _ => return Err(broken("unexpected pixel layout")),
    };
    let source = fast_image_resize::images::ImageRef::new(still.width(), still.height(), bytes, kind)
        .map_err(|error| broken(&error.to_string()))?;
    let mut target = Plane::new(width, height, kind);
    Resizer::new().resize(&source, &mut target, None).map_err(|error| broken(&error.to_string()))?;
    let pixels = target.into_vec();
    let image = match kind {
        PixelType::U8 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        PixelType::U8x3 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
        _ => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
    };
    image.ok_or_else(|| broken("resized to the wrong size"))
}

/// The largest size of the same shape within `side` × `side`; never larger than it was, never empty.
pub fn fit(width: u32, height: u32, side: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= side {
        return (width, height);
    }
    let scale = |length: u32| {
        let scaled = u64::from(length) * u64::from(side) / u64::from(longest);
        u32::try_from(scaled).unwrap_or(side).max(1)
    };
    (scale(width), scale(height))
}

fn is_transparent(image: &DynamicImage) -> bool {
    image.as_rgba8().is_some_and(|image| image.pixels().any(|pixel| pixel.0[3] < 255))
}

fn opaque(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageRgba8(_) => DynamicImage::ImageRgb8(image.into_rgb8()),
        other => other,
    }
}

fn broken(cause: &str) -> Error {
    Error::Internal(format!("a thumbnail could not be made: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_stays() {
        assert_eq!(fit(4000, 3000, 400), (400, 300));
        assert_eq!(fit(300, 200, 400), (300, 200));
        assert_eq!(fit(8000, 1, 400), (400, 1));
    }
}
