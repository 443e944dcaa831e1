//! Decoding of still webps.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage, RgbaImage};
use image_webp::WebPDecoder;

use super::Format;
use super::colour;
use super::image_header::MAX_MEMORY;
use super::reencode::Decoded;

/// Decodes a webp and chooses its stored format; `None` when it is damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<(Decoded, Format)> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).ok()?;
    decoder.set_memory_limit(MAX_MEMORY);
    let (width, height) = decoder.dimensions();
    let mut pixels = vec![0; decoder.output_buffer_size()?];
    let profile = decoder.icc_profile().ok().flatten().and_then(|icc| colour::profile(&icc));
    let orientation = decoder.exif_metadata().ok().flatten().and_then(|exif| Orientation::from_exif_chunk(&exif));
    decoder.read_image(&mut pixels).ok()?;
    let format = if decoder.has_alpha() || !decoder.is_lossy() { Format::Png } else { Format::Jpeg };
    let picture = match decoder.has_alpha() {
        true => DynamicImage::ImageRgba8(RgbaImage::from_raw(width, height, pixels)?),
        false => DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, pixels)?),
    };
    Some((Decoded::of(picture, orientation, profile), format))
}
