//! Thumbnails: shown in a thread until somebody opens the image.

use image::imageops::thumbnail;
use image::{DynamicImage, GenericImageView, Rgba, RgbaImage};

use crate::error::{Error, Result};

use super::Format;
use super::reencode::encode;

/// Longest side of a thumbnail, in pixels.
pub const MAX_THUMBNAIL_SIDE: u32 = 400;

/// A thumbnail: jpg, or png if something is transparent.
pub struct Thumbnail {
    /// Format of the file.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Makes a thumbnail of at most `side` pixels a side.
pub fn make_thumbnail(still: &DynamicImage, side: u32) -> Result<Thumbnail> {
    let small = resize(still, side)?;
    let format = if is_transparent(&small) { Format::Png } else { Format::Jpeg };
    let small = if format == Format::Jpeg { opaque(small) } else { small };
    Ok(Thumbnail { format, bytes: encode(&small, format)? })
}

fn resize(still: &DynamicImage, side: u32) -> Result<DynamicImage> {
    let (width, height) = fit(still.width(), still.height(), side);
    if (width, height) == (still.width(), still.height()) {
        return Ok(still.clone());
    }
    match still {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) => Ok(still.thumbnail_exact(width, height)),
        DynamicImage::ImageRgba8(image) => {
            let mut small = thumbnail(&Premultiplied(image), width, height);
            small.pixels_mut().for_each(unpremultiply);
            Ok(DynamicImage::ImageRgba8(small))
        }
        _ => Err(Error::Internal("a thumbnail could not be made: unexpected pixel layout".into())),
    }
}

/// An image with premultiplied alpha, so that transparent pixels add no colour when resized.
struct Premultiplied<'a>(&'a RgbaImage);

impl GenericImageView for Premultiplied<'_> {
    type Pixel = Rgba<u8>;

    fn dimensions(&self) -> (u32, u32) {
        self.0.dimensions()
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgba<u8> {
        let Rgba([red, green, blue, alpha]) = *self.0.get_pixel(x, y);
        let weighted = |colour: u8| ((u16::from(colour) * u16::from(alpha) + 127) / 255) as u8;
        Rgba([weighted(red), weighted(green), weighted(blue), alpha])
    }
}

fn unpremultiply(pixel: &mut Rgba<u8>) {
    let alpha = u16::from(pixel.0[3]);
    for colour in &mut pixel.0[..3] {
        let whole = u16::from(*colour) * 255 + alpha / 2;
        *colour = whole.checked_div(alpha).unwrap_or(0).min(255) as u8;
    }
}

/// The largest size with the same aspect ratio within `side` × `side`; never enlarged, at least one pixel.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_stays() {
        assert_eq!(fit(4000, 3000, 400), (400, 300));
        assert_eq!(fit(300, 200, 400), (300, 200));
        assert_eq!(fit(8000, 1, 400), (400, 1));
    }

    #[test]
    fn transparent_pixels_add_no_colour() {
        let checks = |x: u32, _| if x.is_multiple_of(2) { Rgba([200, 40, 90, 255]) } else { Rgba([0, 255, 0, 0]) };
        let still = DynamicImage::ImageRgba8(RgbaImage::from_fn(200, 100, checks));
        let small = resize(&still, 50).expect("a small picture").into_rgba8();
        assert_eq!(small.dimensions(), (50, 25));
        for pixel in small.pixels() {
            let near = |seen: u8, wanted: u8| seen.abs_diff(wanted) <= 2;
            let [red, green, blue, alpha] = pixel.0;
            assert!(near(red, 200) && near(green, 40) && near(blue, 90) && near(alpha, 127), "{pixel:?}");
        }
    }
}
