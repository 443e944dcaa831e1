//! Decoding of pngs, and re-encoding of animated ones frame by frame.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Filter, Limits, Reader, Transformations};

use crate::error::{Error, Result};

use super::Format;
use super::colour::{self, ToSrgb};
use super::image_header::{ImageHeader, Layout};
use super::reencode::{Decoded, Reencoded, damaged, shared_layout, write_limited};

/// Memory that a decoder may allocate besides the pixels, in bytes: rows, and a compressed profile.
const MAX_DECODER_EXTRA_BYTES: usize = 8 * 1024 * 1024;

type PngReader<'a> = Reader<Cursor<&'a [u8]>>;

fn open(bytes: &[u8]) -> Option<PngReader<'_>> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MAX_DECODER_EXTRA_BYTES });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.read_info().ok()
}

/// Decodes a still png; `None` when it is damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Decoded> {
    let mut reader = open(bytes)?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    reader.next_frame(&mut pixels).ok()?;
    let info = reader.info();
    let orientation = info.exif_metadata.as_deref().and_then(Orientation::from_exif_chunk);
    let profile = colour::profile_of_png(info);
    let picture = picture(pixels, reader.output_color_type().0, info.width, info.height)?;
    Some(Decoded::of(picture, orientation, profile))
}

/// Re-encodes every frame. The animation, its timing and how frames are blended are kept; everything else is dropped.
pub(super) fn reencode_animation(bytes: &[u8], header: &ImageHeader) -> Result<Reencoded> {
    let Layout::Frames { separate_default, .. } = header.layout else { return Err(damaged()) };
    let mut reader = open(bytes).ok_or_else(damaged)?;
    let (width, height) = (header.width, header.height);
    let (colours, channels) = (reader.output_color_type().0, reader.output_color_type().0.samples());
    let to_srgb = colour::profile_of_png(reader.info()).and_then(|profile| ToSrgb::of(&profile));
    let control = *reader.info().animation_control().ok_or_else(damaged)?;
    // A file that announces more frames than it has is limited to those it has.
    let frames = header.frames.min(control.num_frames as usize);

    let mut still = None;
    let bytes = write_limited(|file| {
        let mut encoder = Encoder::new(file, width, height);
        encoder.set_color(colours);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Balanced);
        encoder.set_filter(Filter::Adaptive);
        encoder.set_animated(frames as u32, control.num_plays)?;
        encoder.set_sep_def_img(separate_default)?;
        let mut writer = encoder.write_header()?;
        let mut buffer = vec![0; reader.output_buffer_size().unwrap_or_default()];
        for index in 0..frames + usize::from(separate_default) {
            let raw = reader.next_frame(&mut buffer)?;
            let row = raw.width as usize * channels;
            if reader.info().interlaced {
                // Rows of an interlaced frame use the stride of the whole image.
                let apart = width as usize * channels;
                (1..raw.height as usize).for_each(|y| buffer.copy_within(y * apart..y * apart + row, y * row));
            }
            let pixels = &mut buffer[..row * raw.height as usize];
            if let Some(conversion) = &to_srgb {
                conversion.apply(pixels, channels);
            }
            if let Some(frame) = reader.info().frame_control().filter(|_| index > 0 || !separate_default) {
                writer.set_frame_delay(frame.delay_num, frame.delay_den)?;
                writer.set_frame_position(0, 0)?;
                writer.set_frame_dimension(frame.width, frame.height)?;
                writer.set_frame_position(frame.x_offset, frame.y_offset)?;
                writer.set_blend_op(frame.blend_op)?;
                writer.set_dispose_op(frame.dispose_op)?;
            }
            writer.write_image_data(pixels)?;
            if index == 0 {
                still = picture(pixels.to_vec(), colours, raw.width, raw.height);
            }
        }
        writer.finish()?;
        Ok::<_, Box<dyn std::error::Error>>(())
    });
    // An error here is a read error: the encoder accepts what it is given.
    let bytes = bytes.map_err(|error| if matches!(error, Error::Internal(_)) { damaged() } else { error })?;
    let still = still.map(shared_layout).ok_or_else(damaged)?;
    Ok(Reencoded { format: Format::Png, bytes, still, animated: true })
}

fn picture(pixels: Vec<u8>, colours: ColorType, width: u32, height: u32) -> Option<DynamicImage> {
    match colours {
        ColorType::Grayscale => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        ColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::ImageLumaA8),
        ColorType::Rgb | ColorType::Indexed => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
        ColorType::Rgba => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
    }
}
