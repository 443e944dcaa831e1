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
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    // A broken orientation tag is no reason to refuse a picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut still = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
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

fn unreadable(error: image::ImageError) -> Error {
    if matches!(error, image::ImageError::Limits(_)) { too_big() } else { damaged() }
}

fn too_big() -> Error {
    Error::InvalidImage("it is too large to show; 8,000 pixels a side and 30 million in all are allowed")
}

fn damaged() -> Error {
    Error::InvalidImage("the file is damaged")
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, _| Rgb([if x < width / 2 { 250 } else { 5 }, 40, 40]));
        encode(&DynamicImage::ImageRgb8(picture), Format::Jpeg).expect("a jpeg")
    }

    /// Puts an EXIF block with this orientation and a secret text behind the first marker.
    fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let tiff = [
            b"Exif\0\0II*\0\x08\0\0\0".as_slice(),
            &[1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0],
            b"GPS 48.85 2.35 secret",
        ]
        .concat();
        let length = u16::try_from(tiff.len() + 2).expect("short").to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &tiff, &jpeg[2..]].concat()
    }

    fn gif(frames: usize) -> Vec<u8> {
        let mut encoder = gif::Encoder::new(Vec::new(), 40, 30, &[255, 0, 0, 0, 0, 255]).expect("a gif");
        encoder.set_repeat(gif::Repeat::Infinite).expect("repeats");
        encoder.write_raw_extension(gif::AnyExtension(0xfe), &[b"a secret comment".as_slice()]).expect("a comment");
        for index in 0..frames {
            let pixels = vec![u8::try_from(index % 2).expect("small"); 40 * 30];
            let mut frame = gif::Frame::from_indexed_pixels(40, 30, pixels, None);
            frame.delay = 7;
            encoder.write_frame(&frame).expect("a frame");
        }
        encoder.into_inner().expect("bytes")
    }

    #[test]
    fn a_photo_stands_upright_and_tells_nothing() {
        let shot = with_exif(&jpeg(60, 20), 6);
        let cleaned = clean(&shot).expect("a good picture");
        assert_eq!((cleaned.still.width(), cleaned.still.height()), (20, 60), "turned by a quarter");
        assert_eq!(cleaned.format, Format::Jpeg);
        assert!(!cleaned.bytes.windows(6).any(|part| part == b"secret" || part == b"Exif\0\0"));
        assert_eq!(clean(&cleaned.bytes).expect("readable").still.width(), 20);
    }

    #[test]
    fn a_png_keeps_its_transparency_and_loses_its_tail() {
        let picture = RgbaImage::from_pixel(10, 10, Rgba([1, 2, 3, 100]));
        let mut png = encode(&DynamicImage::ImageRgba8(picture), Format::Png).expect("a png");
        png.extend_from_slice(b"<script>alert(1)</script>");
        let cleaned = clean(&png).expect("a good picture");
        assert_eq!(cleaned.still.as_rgba8().expect("with alpha").get_pixel(3, 3), &Rgba([1, 2, 3, 100]));
        assert!(!cleaned.bytes.windows(7).any(|part| part == b"<script"));
    }

    #[test]
    fn an_animation_stays_one() {
        let cleaned = clean(&gif(3)).expect("a good animation");
        assert!(cleaned.animated && cleaned.format == Format::Gif);
        assert!(!cleaned.bytes.windows(6).any(|part| part == b"secret"));
        let mut decoder = DecodeOptions::new().read_info(Cursor::new(&cleaned.bytes)).expect("a gif");
        let mut delays = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("a frame") {
            delays.push(frame.delay);
        }
        assert_eq!(delays, [7, 7, 7]);
        assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
        assert!(!clean(&gif(1)).expect("a good picture").animated);
    }

    #[test]
    fn limits_hold() {
        assert!(matches!(clean(&gif(FRAMES + 1)), Err(Error::InvalidImage(_))));
        clean(&gif(FRAMES)).expect("as many as are allowed");
        for (width, height) in [(SIDE + 1, 1), (1, SIDE + 1), (6_000, 6_000)] {
            // Only the header says how large it is: nothing of that size is ever decoded.
            let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
            png.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
            png.extend([8, 2, 0, 0, 0]);
            png.extend(crc(&png[12..]).to_be_bytes());
            png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
            assert!(matches!(clean(&png), Err(Error::InvalidImage(_))), "{width} x {height}");
        }
    }

    #[test]
    fn other_files_are_refused() {
        let mut cut = jpeg(300, 300);
        cut.truncate(40);
        let mut broken = gif(3);
        broken.truncate(60);
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec();
        let webp = b"RIFF\x24\0\0\0WEBPVP8 ".to_vec();
        for bad in [cut, broken, svg, webp, Vec::new(), b"GIF89a".to_vec(), b"\x89PNG\r\n\x1a\n".to_vec()] {
            assert!(matches!(clean(&bad), Err(Error::InvalidImage(_))), "{:?}", &bad[..bad.len().min(10)]);
        }
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
        })
    }
}
