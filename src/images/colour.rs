//! Colour management: converts pixels to sRGB, which viewers assume for images without a profile. Stored images carry
//! no profile, so that viewers parse nothing but pixels.

use std::sync::Arc;

use moxcms::{
    Chromaticity, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout, ParsingOptions,
    Transform8BitExecutor, TransformOptions, curve_from_gamma,
};

/// Longest colour profile that is read, in bytes; profiles of printers have about 2 MB. A longer one is ignored.
const MAX_PROFILE_BYTES: usize = 4 * 1024 * 1024;
/// A profile whose colours differ from sRGB by at most this much is treated as sRGB, and pixels stay unchanged.
const MAX_DIFFERENCE: u8 = 2;
/// Pixels converted at once.
const CHUNK_PIXELS: usize = 4_096;
/// The gamma by which pngs declare sRGB, and its tolerance.
const SRGB_GAMMA: f32 = 0.454_55;
const GAMMA_TOLERANCE: f32 = 0.005;

/// Parses an ICC profile. An unreadable one is ignored, as browsers do.
pub(super) fn profile(icc: &[u8]) -> Option<ColorProfile> {
    let limits = ParsingOptions { max_profile_size: MAX_PROFILE_BYTES, ..ParsingOptions::default() };
    ColorProfile::new_from_slice_with_options(icc, limits).ok()
}

/// The profile of a png, in the order of precedence of its specification.
pub(super) fn profile_of_png(info: &png::Info<'_>) -> Option<ColorProfile> {
    if let Some(code) = &info.coding_independent_code_points {
        let code = CicpProfile {
            color_primaries: code.color_primaries.try_into().ok()?,
            transfer_characteristics: code.transfer_function.try_into().ok()?,
            matrix_coefficients: code.matrix_coefficients.try_into().ok()?,
            full_range: code.is_video_full_range_image,
        };
        return Some(ColorProfile::new_from_cicp(code));
    }
    if let Some(icc) = &info.icc_profile {
        return profile(icc);
    }
    if info.srgb.is_some() {
        return None;
    }
    let gamma = info.gama_chunk.map(png::ScaledFloat::into_value);
    let gamma = gamma.filter(|gamma| (0.1..=10.0).contains(gamma) && (gamma - SRGB_GAMMA).abs() > GAMMA_TOLERANCE);
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    if let Some(gamma) = gamma {
        let curve = curve_from_gamma(1.0 / gamma);
        (profile.red_trc, profile.green_trc, profile.blue_trc) =
            (Some(curve.clone()), Some(curve.clone()), Some(curve));
    }
    if let Some(chromaticities) = info.chrm_chunk {
        let point = |(x, y): (png::ScaledFloat, png::ScaledFloat)| Chromaticity::new(x.into_value(), y.into_value());
        let primaries = ColorPrimaries {
            red: point(chromaticities.red),
            green: point(chromaticities.green),
            blue: point(chromaticities.blue),
        };
        profile.update_rgb_colorimetry(point(chromaticities.white).to_xyyb(), primaries);
    } else {
        gamma?;
    }
    Some(profile)
}

/// Converts pixels to sRGB.
pub(super) struct ToSrgb {
    greys: [u8; 256],
    /// `None` for a greyscale profile.
    colours: Option<[Arc<Transform8BitExecutor>; 2]>,
}

impl ToSrgb {
    /// A conversion from `profile`; `None` if it is sRGB already or not supported.
    pub(super) fn of(profile: &ColorProfile) -> Option<ToSrgb> {
        let srgb = ColorProfile::new_srgb();
        let from = |layout, to| profile.create_transform_8bit(layout, &srgb, to, TransformOptions::default()).ok();
        let mut greys = [0; 256];
        let colours = match profile.color_space {
            DataColorSpace::Gray => {
                let every: Vec<u8> = (0..=255).collect();
                let mut shown = [0; 256 * 3];
                from(Layout::Gray, Layout::Rgb)?.transform(&every, &mut shown).ok()?;
                greys.iter_mut().zip(shown.chunks_exact(3)).for_each(|(grey, shown)| *grey = shown[1]);
                None
            }
            DataColorSpace::Rgb => {
                let every: Vec<u8> = (0..=255).flat_map(|grey| [grey; 3]).collect();
                let mut shown = [0; 256 * 3];
                let colours = [from(Layout::Rgb, Layout::Rgb)?, from(Layout::Rgba, Layout::Rgba)?];
                colours[0].transform(&every, &mut shown).ok()?;
                greys.iter_mut().zip(shown.chunks_exact(3)).for_each(|(grey, shown)| *grey = shown[1]);
                Some(colours)
            }
            _ => return None,
        };
        let transform = ToSrgb { greys, colours };
        (!transform.changes_nothing()).then_some(transform)
    }

    fn changes_nothing(&self) -> bool {
        let steps = || (0..=255).step_by(15);
        let mut grid: Vec<u8> =
            steps().flat_map(|r| steps().flat_map(move |g| steps().flat_map(move |b| [r, g, b]))).collect();
        let before = grid.clone();
        self.apply(&mut grid, 3);
        let same = grid.iter().zip(&before).all(|(now, before)| now.abs_diff(*before) <= MAX_DIFFERENCE);
        same && self.greys.iter().zip(0..=255).all(|(grey, before)| grey.abs_diff(before) <= MAX_DIFFERENCE)
    }

    /// Converts pixels with this many channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    pub(super) fn apply(&self, pixels: &mut [u8], channels: usize) {
        let (transform, channels) = match (&self.colours, channels) {
            (_, 1 | 2) => {
                pixels.iter_mut().step_by(channels).for_each(|grey| *grey = self.greys[usize::from(*grey)]);
                return;
            }
            (Some([rgb, _]), 3) => (rgb, 3),
            (Some([_, rgba]), _) => (rgba, 4),
            // Colour pixels with a greyscale profile: their meaning is unknown, so they stay.
            (None, _) => return,
        };
        let mut turned = vec![0; CHUNK_PIXELS * channels];
        for chunk in pixels.chunks_mut(CHUNK_PIXELS * channels) {
            let turned = &mut turned[..chunk.len()];
            // Slices hold whole pixels, which is all that it checks.
            if transform.transform(chunk, turned).is_ok() {
                chunk.copy_from_slice(turned);
            }
        }
    }
}

/// Converts CMYK (255 is full ink) to RGB.
pub(super) fn cmyk_to_srgb(cmyk: &[u8], profile: Option<&ColorProfile>) -> Vec<u8> {
    let mut seen = vec![0; cmyk.len() / 4 * 3];
    let by_profile = profile.filter(|profile| profile.color_space == DataColorSpace::Cmyk).and_then(|profile| {
        // The four-channel layout also stands for CMYK.
        let srgb = ColorProfile::new_srgb();
        profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, TransformOptions::default()).ok()
    });
    if by_profile.is_some_and(|transform| transform.transform(cmyk, &mut seen).is_ok()) {
        return seen;
    }
    for (ink, seen) in cmyk.chunks_exact(4).zip(seen.chunks_exact_mut(3)) {
        let light = |ink: u8, black: u8| (u16::from(255 - ink) * u16::from(255 - black) + 127) / 255;
        seen.iter_mut().zip(ink).for_each(|(seen, colour)| *seen = light(*colour, ink[3]) as u8);
    }
    seen
}
