//! Re-encoding of gifs, frame by frame.

use std::io::{Cursor, Read};
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Encoder, Frame, MemoryLimit};
use image::{DynamicImage, Rgba, RgbaImage};

use crate::error::{Error, Result};

use super::Format;
use super::image_header::{ImageHeader, Layout, MAX_MEMORY};
use super::reencode::{Reencoded, damaged, write_limited};

/// The last byte of a gif. Browsers also show files without it.
const TRAILER: &[u8] = b";";

/// Re-encodes frames by their palette indices: animation, timing and colours are kept, comments and application blocks
/// are dropped. A frame may reach beyond the screen; browsers clip it.
pub(super) fn reencode_animation(bytes: &[u8], header: &ImageHeader) -> Result<Reencoded> {
    let Layout::Frames { end, .. } = header.layout else { return Err(damaged()) };
    let (width, height) = (header.width as u16, header.height as u16);
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::new(MAX_MEMORY as u64).unwrap_or(NonZeroU64::MIN)));
    options.allow_unknown_blocks(true);
    let whole = Cursor::new(&bytes[..end]).chain(TRAILER);
    let mut decoder = options.read_info(whole).map_err(|_| damaged())?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut still = None;
    let mut frames = 0;
    let bytes = write_limited(|file| {
        let mut encoder = Encoder::new(file, width, height, &palette)?;
        while let Some(info) = decoder.next_frame_info()? {
            let mut frame = info.clone();
            let mut indices = vec![0; decoder.buffer_size()];
            decoder.read_into_buffer(&mut indices)?;
            frame.interlaced = false;
            frame.buffer = indices.into();
            frames += 1;
            if frames == 1 {
                // Known only after the blocks before the first frame were read.
                encoder.set_repeat(decoder.repeat())?;
                still = Some(paint(&frame, &palette, width, height));
            }
            encoder.write_frame(&frame)?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    });
    // An error here is a read error: the encoder accepts what it is given.
    let bytes = bytes.map_err(|error| if matches!(error, Error::Internal(_)) { damaged() } else { error })?;
    let still = DynamicImage::ImageRgba8(still.ok_or_else(damaged)?);
    Ok(Reencoded { format: Format::Gif, bytes, still, animated: frames > 1 })
}

/// A frame drawn on an empty screen.
fn paint(frame: &Frame<'_>, palette: &[u8], width: u16, height: u16) -> RgbaImage {
    let mut screen = RgbaImage::new(u32::from(width), u32::from(height));
    let palette = frame.palette.as_deref().unwrap_or(palette);
    let rows = frame.buffer.chunks_exact(usize::from(frame.width).max(1));
    for (y, row) in (u32::from(frame.top)..u32::from(height)).zip(rows) {
        for (x, index) in (u32::from(frame.left)..u32::from(width)).zip(row) {
            let colour = palette.get(usize::from(*index) * 3..usize::from(*index) * 3 + 3);
            if let Some([red, green, blue]) = colour.filter(|_| frame.transparent != Some(*index)) {
                screen.put_pixel(x, y, Rgba([*red, *green, *blue, 255]));
            }
        }
    }
    screen
}
