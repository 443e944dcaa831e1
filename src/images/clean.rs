//! Decoding under limits and encoding anew. Runs on a worker thread: a picture can take a second.

use std::io::Cursor;
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, MemoryLimit};
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::error::{Error, Result};

use super::Format;

/// Largest width and height.
pub const SIDE: u32 = 8_000;
/// Most pixels in one frame.
pub const FRAME_PIXELS: u64 = 30_000_000;
/// Most bytes that decoding may ask for.
const ALLOCATION: u64 = 128 * 1024 * 1024;
/// Most frames of an animation.
pub const FRAMES: usize = 500;
/// Most pixels over all frames of an animation: about 500 frames of 630 × 630.
const ALL_PIXELS: u64 = 200_000_000;
const JPEG_QUALITY: u8 = 85;

/// A cleaned picture.
pub struct Cleaned {
    /// What it is made of: what it was made of before.
    pub format: Format,
    /// The new file.
    pub bytes: Vec<u8>,
    /// The picture, or the first frame, upright: thumbnails are made from it.
    pub still: DynamicImage,
    /// More than one frame.
    pub animated: bool,
}

/// Takes a picture apart and puts it together again.
///
/// # Errors
/// `InvalidImage` for anything that is not a png, jpg or gif within the limits.
pub fn clean(bytes: &[u8]) -> Result<Cleaned> {
    let format = Format::of(bytes).ok_or(Error::InvalidImage("only png, jpg and gif are taken"))?;
    match format {
        Format::Gif => clean_gif(bytes),
        Format::Png => clean_still(bytes, format, image::ImageFormat::Png),
        Format::Jpeg => clean_still(bytes, format, image::ImageFormat::Jpeg),
    }
}

fn clean_still(bytes: &[u8], format: Format, kind: image::ImageFormat) -> Result<Cleaned> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(|_| damaged())?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    // A broken orientation tag is no reason to refuse a picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut still = DynamicImage::from_decoder(decoder).map_err(|_| damaged())?;
    still.apply_orientation(orientation);
    let still = eight_bit(still, format);
    Ok(Cleaned { format, bytes: encode(&still, format)?, still, animated: false })
}

/// The three layouts that our encoders and the resizer share.
fn eight_bit(image: DynamicImage, format: Format) -> DynamicImage {
    match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) => image,
        DynamicImage::ImageLuma16(_) => DynamicImage::ImageLuma8(image.into_luma8()),
        other if other.color().has_alpha() && format == Format::Png => DynamicImage::ImageRgba8(other.into_rgba8()),
        other => DynamicImage::ImageRgb8(other.into_rgb8()),
    }
}

/// Writes a still picture as jpg (quality 85) or png.
pub fn encode(still: &DynamicImage, format: Format) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let done = match format {
        Format::Jpeg => still.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)),
        Format::Png | Format::Gif => {
            let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
            still.write_with_encoder(encoder)
        }
    };
    done.map_err(|error| Error::Internal(format!("an image could not be encoded: {error}")))?;
    Ok(bytes)
}

/// Frame by frame through the palette indices: animation, timing and colours stay as they were, while comments and
/// application blocks are left behind.
fn clean_gif(bytes: &[u8]) -> Result<Cleaned> {
    let still = first_frame(bytes)?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::new(ALLOCATION).unwrap_or(NonZeroU64::MIN)));
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(|_| damaged())?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut encoder =
        gif::Encoder::new(Vec::new(), decoder.width(), decoder.height(), &palette).map_err(|_| damaged())?;
    let (mut frames, mut pixels) = (0, 0);
    while let Some(info) = decoder.next_frame_info().map_err(|_| damaged())? {
        let mut frame = info.clone();
        frames += 1;
        pixels += u64::from(frame.width) * u64::from(frame.height);
        if frames > FRAMES || pixels > ALL_PIXELS {
            return Err(Error::InvalidImage("the animation is too long; 500 frames are allowed"));
        }
        let mut indices = vec![0; decoder.buffer_size()];
        decoder.read_into_buffer(&mut indices).map_err(|_| damaged())?;
        if frames == 1 {
            // Known only once the blocks before the first frame are read.
            encoder.set_repeat(decoder.repeat()).map_err(|_| damaged())?;
        }
        frame.interlaced = false;
        frame.buffer = indices.into();
        encoder.write_frame(&frame).map_err(|_| damaged())?;
    }
    let bytes = encoder.into_inner().map_err(|_| damaged())?;
    Ok(Cleaned { format: Format::Gif, bytes, still, animated: frames > 1 })
}

fn first_frame(bytes: &[u8]) -> Result<DynamicImage> {
    let mut decoder = GifDecoder::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    decoder.set_limits(limits()).map_err(|_| too_big())?;
    let still = DynamicImage::from_decoder(decoder).map_err(|_| damaged())?;
    Ok(DynamicImage::ImageRgba8(still.into_rgba8()))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(ALLOCATION);
    limits
}

fn check_size(width: u32, height: u32) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(damaged());
    }
    let too_many = u64::from(width) * u64::from(height) > FRAME_PIXELS;
    if width > SIDE || height > SIDE || too_many { Err(too_big()) } else { Ok(()) }
}

fn too_big() -> Error {
    Error::InvalidImage("it is too large to show; 8,000 pixels a side and 30 million in all are allowed")
}

fn damaged() -> Error {
    Error::InvalidImage("the file is damaged")
}
