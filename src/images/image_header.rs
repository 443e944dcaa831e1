//! Image headers: whether a file is within the limits, and what decoding it costs. Nothing is decoded, so that refusing
//! a file costs only reading its headers.

use std::io::Cursor;

use image_webp::WebPDecoder;

use crate::error::{Error, Result};

use super::format::InputFormat;

/// Largest width and height, in pixels.
pub const MAX_SIDE: u32 = 8_000;
/// Pixels in one frame.
pub const MAX_FRAME_PIXELS: u64 = 30_000_000;
/// Frames of an animation.
pub const MAX_FRAMES: usize = 500;
/// Pixels in all frames of an animation: about 500 frames of 630 × 630.
const MAX_TOTAL_PIXELS: u64 = 200_000_000;
/// Memory of all images being decoded together, and so the most that one may need, in bytes.
pub const MAX_MEMORY: usize = 288 * 1024 * 1024;
/// Longest re-encoded file, in bytes.
pub const MAX_FILE_BYTES: usize = 32 * 1024 * 1024;
/// Memory besides pixels: tables, rows, the thumbnail.
const OVERHEAD_BYTES: usize = 2 * 1024 * 1024;

/// The header of an acceptable image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageHeader {
    /// Format of the file.
    pub source: InputFormat,
    /// Width in pixels, before rotation.
    pub width: u32,
    /// Height in pixels, before rotation.
    pub height: u32,
    /// Frames of an animation; 1 for a still picture.
    pub frames: usize,
    /// Pixels in all frames: the measure of CPU cost.
    pub pixels: u64,
    /// Most memory that re-encoding takes, in bytes.
    pub memory: usize,
    /// Layout that decides the decoder.
    pub(super) layout: Layout,
}

/// Layouts that need a certain decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Nothing special.
    Plain,
    /// A jpg with this many components. `odd` if components are in separate scans without being progressive, or if one
    /// other than the first is subsampled more than once a unit: the fast decoder gets either wrong.
    Components { count: u8, odd: bool },
    /// An animation whose last complete frame ends at `end`. `separate_default`: a png whose default image is not one
    /// of its frames.
    Frames { end: usize, separate_default: bool },
}

impl ImageHeader {
    /// Reads and checks the headers.
    ///
    /// # Errors
    /// `InvalidImage` for an unknown format or a damaged file; `TooManyPixels` and `AnimationTooLong`.
    pub fn of(bytes: &[u8]) -> Result<ImageHeader> {
        let source = InputFormat::of(bytes).ok_or(Error::InvalidImage("png, jpg, gif and webp are taken"))?;
        let raw = match source {
            InputFormat::Png => png(bytes),
            InputFormat::Jpeg => jpeg(bytes),
            InputFormat::Gif => gif(bytes),
            InputFormat::Webp => webp(bytes)?,
        };
        let raw = raw.filter(|raw| raw.width > 0 && raw.height > 0).ok_or_else(damaged)?;
        if raw.frames > MAX_FRAMES || raw.frames > 1 && raw.pixels > MAX_TOTAL_PIXELS {
            return Err(Error::AnimationTooLong);
        }
        let largest = (u64::from(raw.width) * u64::from(raw.height)).max(raw.largest_frame);
        if raw.width > MAX_SIDE || raw.height > MAX_SIDE || largest > MAX_FRAME_PIXELS {
            return Err(Error::TooManyPixels);
        }
        // No overflow: there are at most 30 million pixels.
        let pixels = largest as usize;
        let decoded = pixels * raw.bytes_a_pixel;
        let write_limited = 2 * MAX_FILE_BYTES.min(decoded + decoded / 2);
        // While decoding, rotating or encoding, the pixels exist beside one of these.
        let memory = decoded + decoded.max(write_limited).max(pixels * raw.decoder_bytes_a_pixel) + OVERHEAD_BYTES;
        if memory > MAX_MEMORY {
            return Err(Error::InvalidImage(
                "it takes too much memory to read; save it in a simpler form, such as a plain jpg",
            ));
        }
        let RawHeader { width, height, frames, pixels, layout, .. } = raw;
        Ok(ImageHeader { source, width, height, frames, pixels, memory, layout })
    }
}

fn damaged() -> Error {
    Error::InvalidImage("the file is damaged")
}

/// The parsed header of one format.
struct RawHeader {
    width: u32,
    height: u32,
    frames: usize,
    /// Pixels of the largest frame, which may exceed the screen.
    largest_frame: u64,
    pixels: u64,
    /// Bytes of a decoded pixel.
    bytes_a_pixel: usize,
    /// Bytes a pixel that the decoder needs besides the result.
    decoder_bytes_a_pixel: usize,
    layout: Layout,
}

impl RawHeader {
    fn still(width: u32, height: u32, bytes_a_pixel: usize) -> RawHeader {
        let pixels = u64::from(width) * u64::from(height);
        RawHeader {
            width,
            height,
            frames: 1,
            largest_frame: pixels,
            pixels,
            bytes_a_pixel,
            decoder_bytes_a_pixel: 0,
            layout: Layout::Plain,
        }
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

/// Walks the chunks, up to the end or to where the file is truncated.
fn png(bytes: &[u8]) -> Option<RawHeader> {
    let (mut at, mut end) = (8, 8);
    let chunk = bytes.get(at + 8..at + 21).filter(|_| bytes.get(at + 4..at + 8) == Some(b"IHDR"))?;
    let (width, height) = (be32(chunk, 0)?, be32(chunk, 4)?);
    let (mut animated, mut transparent, mut data) = (false, false, false);
    let (mut frames, mut largest, mut pixels, mut separate_default) = (0, 0, 0, false);
    while let (Some(length), Some(kind)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        let body = bytes.get(at + 8..)?;
        match kind {
            b"acTL" if !data => animated = true,
            b"tRNS" => transparent = true,
            b"IDAT" => (data, end) = (true, at),
            b"fcTL" => {
                separate_default |= frames == 0 && data;
                let frame = u64::from(be32(body, 4)?) * u64::from(be32(body, 8)?);
                (frames, largest, pixels) = (frames + 1, frame.max(largest), frame.saturating_add(pixels));
            }
            b"IEND" => break,
            _ => {}
        }
        at = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
    }
    let bytes_a_pixel = match (chunk[9], transparent) {
        (0, false) => 1,
        (2 | 3, false) => 3,
        _ => 4,
    };
    let mut raw = RawHeader::still(width, height, bytes_a_pixel);
    if animated && frames > usize::from(!separate_default) {
        raw.pixels = if separate_default { pixels.saturating_add(raw.pixels) } else { pixels };
        raw.frames = frames;
        raw.largest_frame = largest;
        // The first image is kept for the thumbnail while the others are processed.
        raw.decoder_bytes_a_pixel = bytes_a_pixel * 2 + 2;
        raw.layout = Layout::Frames { end, separate_default };
    }
    Some(raw)
}

/// Walks the segments up to the first scan.
fn jpeg(bytes: &[u8]) -> Option<RawHeader> {
    let mut at = 2;
    let (mut raw, mut progressive) = (None::<RawHeader>, false);
    loop {
        // Bytes between segments are skipped, as decoders do.
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        at += bytes.get(at..)?.iter().position(|byte| *byte != 0xff)?;
        let marker = *bytes.get(at)?;
        at += 1;
        if matches!(marker, 0x00 | 0x01 | 0xd0..=0xd8) {
            continue;
        }
        let length = usize::try_from(be16(bytes, at)?).ok()?.checked_sub(2)?;
        let segment = bytes.get(at + 2..at + 2 + length)?;
        match marker {
            0xc0..=0xc2 if raw.is_none() => {
                progressive = marker == 0xc2;
                raw = Some(jpeg_frame(segment, progressive)?);
            }
            // End of image; or lossless, arithmetic and hierarchical coding, which only laboratories use; or a second
            // frame.
            0xd9 | 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return None,
            0xda => {
                let mut raw = raw?;
                if let Layout::Components { count, odd } = &mut raw.layout {
                    *odd |= !progressive && *segment.first()? < *count;
                }
                return Some(raw);
            }
            _ => {}
        }
        at += 2 + length;
    }
}

fn jpeg_frame(segment: &[u8], progressive: bool) -> Option<RawHeader> {
    let (height, width, count) = (be16(segment, 1)?, be16(segment, 3)?, *segment.get(5)?);
    let parts = segment.get(6..6 + 3 * usize::from(count))?.chunks_exact(3);
    let sampling = parts.map(|part| (usize::from(part[1] >> 4), usize::from(part[1] & 15)));
    let (across, down) = sampling.clone().fold((1, 1), |(across, down), (h, v)| (h.max(across), v.max(down)));
    // Samples of all components for each pixel; a progressive decoder holds two bytes for each.
    let samples = sampling.clone().map(|(h, v)| h * v).sum::<usize>().div_ceil(across * down);
    if !matches!(count, 1 | 3 | 4) {
        return None;
    }
    let mut raw = RawHeader::still(width, height, usize::from(count));
    raw.decoder_bytes_a_pixel = if progressive { samples * 2 } else { samples };
    raw.layout = Layout::Components { count, odd: sampling.skip(1).any(|(h, v)| h * v != 1) };
    Some(raw)
}

/// Walks the blocks up to the last complete frame: browsers show files without a trailer, and ignore what follows it.
fn gif(bytes: &[u8]) -> Option<RawHeader> {
    let (mut width, mut height) = (le16(bytes, 6)?, le16(bytes, 8)?);
    let mut at = 13 + palette_bytes(*bytes.get(10)?);
    let (mut end, mut frames, mut largest, mut pixels) = (0, 0, 0, 0);
    loop {
        match bytes.get(at) {
            Some(0x21) => match blocks_end(bytes, at + 2) {
                Some(next) => at = next,
                None => break,
            },
            Some(0x2c) => {
                let (wide, high) = (le16(bytes, at + 5)?, le16(bytes, at + 7)?);
                // A truncated frame: the upload is incomplete.
                at = blocks_end(bytes, at + 11 + palette_bytes(*bytes.get(at + 9)?))?;
                let frame = u64::from(wide) * u64::from(high);
                if frames == 0 && (width == 0 || height == 0) {
                    (width, height) = (wide, high);
                }
                (end, frames, largest, pixels) = (at, frames + 1, frame.max(largest), pixels + frame);
            }
            _ => break,
        }
    }
    let mut raw = RawHeader::still(width, height, 4);
    raw.frames = frames;
    (raw.largest_frame, raw.pixels) = (largest, pixels.max(raw.pixels));
    raw.layout = Layout::Frames { end, separate_default: false };
    (frames > 0).then_some(raw)
}

fn palette_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// The end of a chain of sub-blocks that starts at `at`.
fn blocks_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

fn webp(bytes: &[u8]) -> Result<Option<RawHeader>> {
    let Ok(decoder) = WebPDecoder::new(Cursor::new(bytes)) else { return Ok(None) };
    if decoder.is_animated() {
        return Err(Error::InvalidImage("an animated webp is not taken; send the animation as a gif"));
    }
    let (width, height) = decoder.dimensions();
    let mut raw = RawHeader::still(width, height, if decoder.has_alpha() { 4 } else { 3 });
    // Lossless: four bytes. Lossy: 1.5 samples a pixel, and alpha as an image of its own.
    raw.decoder_bytes_a_pixel = 6;
    Ok(Some(raw))
}
