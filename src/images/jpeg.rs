//! Decoding of jpgs.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::PixelFormat;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

use super::colour;
use super::image_header::{ImageHeader, Layout, MAX_SIDE};
use super::reencode::Decoded;

/// Decodes a jpg; `None` when it is damaged.
pub(super) fn decode(bytes: &[u8], header: &ImageHeader) -> Option<Decoded> {
    let Layout::Components { count, odd } = header.layout else { return None };
    // The fast decoder does not fully support CMYK.
    if odd || count == 4 { decode_by_parts(bytes, header) } else { decode_fast(bytes, header, count) }
}

fn decode_fast(bytes: &[u8], header: &ImageHeader, count: u8) -> Option<Decoded> {
    let colours = if count == 1 { ColorSpace::Luma } else { ColorSpace::RGB };
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize)
        .jpeg_set_out_colorspace(colours);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    // Memory was reserved for the size in the header.
    if decoder.dimensions()? != (header.width as usize, header.height as usize) || decoder.info()?.components != count {
        return None;
    }
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let profile = decoder.icc_profile().and_then(|icc| colour::profile(&icc));
    let mut pixels = vec![0; header.width as usize * header.height as usize * usize::from(count)];
    decoder.decode_into(&mut pixels).ok()?;
    Some(Decoded::of(picture(pixels, header, count)?, orientation, profile))
}

fn decode_by_parts(bytes: &[u8], header: &ImageHeader) -> Option<Decoded> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    if (u32::from(info.width), u32::from(info.height)) != (header.width, header.height) {
        return None;
    }
    let pixels = decoder.decode().ok()?;
    let orientation = decoder.exif_data().and_then(Orientation::from_exif_chunk);
    let profile = decoder.icc_profile().and_then(|icc| colour::profile(&icc));
    let (picture, profile) = match info.pixel_format {
        PixelFormat::L8 => (picture(pixels, header, 1)?, profile),
        PixelFormat::RGB24 => (picture(pixels, header, 3)?, profile),
        PixelFormat::CMYK32 => (picture(colour::cmyk_to_srgb(&pixels, profile.as_ref()), header, 3)?, None),
        PixelFormat::L16 => return None,
    };
    Some(Decoded::of(picture, orientation, profile))
}

fn picture(pixels: Vec<u8>, header: &ImageHeader, count: u8) -> Option<DynamicImage> {
    let (width, height) = (header.width, header.height);
    match count {
        1 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        _ => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
    }
}
