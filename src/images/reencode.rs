//! Decoding within limits and re-encoding. Runs on the CPU pool: an image can take a second.

use std::io::{self, Write};

use image::DynamicImage;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use moxcms::ColorProfile;

use crate::error::{Error, Result};

use super::colour::ToSrgb;
use super::format::{Format, InputFormat};
use super::image_header::{ImageHeader, Layout, MAX_FILE_BYTES};
use super::{gif, jpeg, png, webp};

const JPEG_QUALITY: u8 = 85;

/// A re-encoded image.
pub struct Reencoded {
    /// Format of the new file.
    pub format: Format,
    /// The new file.
    pub bytes: Vec<u8>,
    /// The image, or its first frame, upright: the source of thumbnails.
    pub still: DynamicImage,
    /// More than one frame.
    pub animated: bool,
}

/// Decodes an image and encodes it again, in sRGB. A webp becomes a jpg, or a png if it was lossless or is transparent.
///
/// # Errors
/// Those of [`ImageHeader::read`]; `InvalidImage` for a file damaged behind its headers; `ImageTooLarge` when the new
/// file is too long.
pub fn reencode(bytes: &[u8]) -> Result<Reencoded> {
    let header = ImageHeader::of(bytes)?;
    let decoded = match (header.source, header.layout) {
        (InputFormat::Gif, _) => return gif::reencode_animation(bytes, &header),
        (InputFormat::Png, Layout::Frames { .. }) => return png::reencode_animation(bytes, &header),
        (InputFormat::Png, _) => png::decode(bytes).map(|decoded| (decoded, Format::Png)),
        (InputFormat::Jpeg, _) => jpeg::decode(bytes, &header).map(|decoded| (decoded, Format::Jpeg)),
        (InputFormat::Webp, _) => webp::decode(bytes),
    };
    let (decoded, format) = decoded.ok_or_else(damaged)?;
    let still = decoded.into_upright_srgb();
    Ok(Reencoded { format, bytes: encode(&still, format)?, still, animated: false })
}

/// Decoded pixels with their orientation and colour profile.
pub(super) struct Decoded {
    picture: DynamicImage,
    orientation: Orientation,
    profile: Option<ColorProfile>,
}

impl Decoded {
    /// An unreadable orientation or profile is ignored: it is no reason to refuse an image.
    pub(super) fn of(
        picture: DynamicImage,
        orientation: Option<Orientation>,
        profile: Option<ColorProfile>,
    ) -> Decoded {
        Decoded { picture, orientation: orientation.unwrap_or(Orientation::NoTransforms), profile }
    }

    /// Converts to sRGB, upright, in a layout that the encoders and the resizer support.
    fn into_upright_srgb(self) -> DynamicImage {
        let mut picture = self.picture;
        if let Some(conversion) = self.profile.and_then(|profile| ToSrgb::of(&profile)) {
            match &mut picture {
                DynamicImage::ImageLuma8(pixels) => conversion.apply(pixels, 1),
                DynamicImage::ImageLumaA8(pixels) => conversion.apply(pixels, 2),
                DynamicImage::ImageRgb8(pixels) => conversion.apply(pixels, 3),
                DynamicImage::ImageRgba8(pixels) => conversion.apply(pixels, 4),
                // Our decoders return no other layout.
                _ => {}
            }
        }
        picture.apply_orientation(self.orientation);
        shared_layout(picture)
    }
}

/// Converts to one of the three layouts that our encoders and the resizer support.
pub(super) fn shared_layout(picture: DynamicImage) -> DynamicImage {
    match picture {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => picture,
        other => DynamicImage::ImageRgba8(other.into_rgba8()),
    }
}

/// Encodes a still image as jpg (quality 85) or png.
pub fn encode(still: &DynamicImage, format: Format) -> Result<Vec<u8>> {
    write_limited(|file| match format {
        Format::Jpeg => still.write_with_encoder(JpegEncoder::new_with_quality(file, JPEG_QUALITY)),
        Format::Png | Format::Gif => {
            let encoder = PngEncoder::new_with_quality(file, CompressionType::Default, FilterType::Adaptive);
            still.write_with_encoder(encoder)
        }
    })
}

/// A file in memory that fails beyond [`MAX_FILE_BYTES`].
#[derive(Default)]
pub(super) struct LimitedFile {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for LimitedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_FILE_BYTES {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Collects what `write` writes, up to [`MAX_FILE_BYTES`].
///
/// # Errors
/// `ImageTooLarge` when it is longer, `Internal` for any other error of `write`.
pub(super) fn write_limited<E: ToString>(
    write: impl FnOnce(&mut LimitedFile) -> std::result::Result<(), E>,
) -> Result<Vec<u8>> {
    let mut file = LimitedFile::default();
    match write(&mut file) {
        Ok(()) => Ok(file.bytes),
        Err(_) if file.full => Err(Error::ImageTooLarge { limit: MAX_FILE_BYTES }),
        Err(error) => Err(Error::Internal(format!("an image could not be encoded: {}", error.to_string()))),
    }
}

pub(super) fn damaged() -> Error {
    Error::InvalidImage("the file is damaged")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::super::{MAX_FRAMES, MAX_SIDE};
    use super::*;

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, _| Rgb([if x < width / 2 { 250 } else { 5 }, 40, 40]));
        encode(&DynamicImage::ImageRgb8(picture), Format::Jpeg).expect("a jpeg")
    }

    /// Inserts an EXIF block with this orientation and a secret text after the first marker.
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
        let mut encoder = ::gif::Encoder::new(Vec::new(), 40, 30, &[255, 0, 0, 0, 0, 255]).expect("a gif");
        encoder.set_repeat(::gif::Repeat::Infinite).expect("repeats");
        encoder.write_raw_extension(::gif::AnyExtension(0xfe), &[b"a secret comment".as_slice()]).expect("a comment");
        for index in 0..frames {
            let pixels = vec![u8::try_from(index % 2).expect("small"); 40 * 30];
            let mut frame = ::gif::Frame::from_indexed_pixels(40, 30, pixels, None);
            frame.delay = 7;
            encoder.write_frame(&frame).expect("a frame");
        }
        encoder.into_inner().expect("bytes")
    }

    #[test]
    fn a_photo_stands_upright_and_tells_nothing() {
        let shot = with_exif(&jpeg(60, 20), 6);
        let reencoded = reencode(&shot).expect("a good picture");
        assert_eq!((reencoded.still.width(), reencoded.still.height()), (20, 60), "turned by a quarter");
        assert_eq!(reencoded.format, Format::Jpeg);
        assert!(!reencoded.bytes.windows(6).any(|part| part == b"secret" || part == b"Exif\0\0"));
        assert_eq!(reencode(&reencoded.bytes).expect("readable").still.width(), 20);
    }

    #[test]
    fn a_png_keeps_its_transparency_and_loses_its_tail() {
        let picture = RgbaImage::from_pixel(10, 10, Rgba([1, 2, 3, 100]));
        let mut png = encode(&DynamicImage::ImageRgba8(picture), Format::Png).expect("a png");
        png.extend_from_slice(b"<script>alert(1)</script>");
        let reencoded = reencode(&png).expect("a good picture");
        assert_eq!(reencoded.still.as_rgba8().expect("with alpha").get_pixel(3, 3), &Rgba([1, 2, 3, 100]));
        assert!(!reencoded.bytes.windows(7).any(|part| part == b"<script"));
    }

    #[test]
    fn an_animation_stays_one() {
        let reencoded = reencode(&gif(3)).expect("a good animation");
        assert!(reencoded.animated && reencoded.format == Format::Gif);
        assert!(!reencoded.bytes.windows(6).any(|part| part == b"secret"));
        let mut decoder = ::gif::DecodeOptions::new().read_info(Cursor::new(&reencoded.bytes)).expect("a gif");
        let mut delays = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("a frame") {
            delays.push(frame.delay);
        }
        assert_eq!(delays, [7, 7, 7]);
        assert_eq!(decoder.repeat(), ::gif::Repeat::Infinite);
        assert!(!reencode(&gif(1)).expect("a good picture").animated);
    }

    #[test]
    fn limits_hold() {
        assert!(matches!(reencode(&gif(MAX_FRAMES + 1)), Err(Error::AnimationTooLong)));
        reencode(&gif(MAX_FRAMES)).expect("as many as are allowed");
        for (width, height) in [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (6_000, 6_000)] {
            // Only the header claims this size: nothing of that size is ever decoded.
            let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
            png.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
            png.extend([8, 2, 0, 0, 0]);
            png.extend(crc(&png[12..]).to_be_bytes());
            png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
            assert!(matches!(reencode(&png), Err(Error::TooManyPixels)), "{width} x {height}");
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
            assert!(matches!(reencode(&bad), Err(Error::InvalidImage(_))), "{:?}", &bad[..bad.len().min(10)]);
        }
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
        })
    }
}
