//! Can a text be read on its background? Contrast as WCAG 2.2 counts it (w3.org/TR/WCAG22, "contrast ratio").

use super::Colour;

/// What WCAG asks of ordinary text.
const READABLE: f64 = 4.5;
/// Steps between black and white when another lightness is looked for: two for each of the 255.
const STEPS: u32 = 510;

pub(super) fn is_readable(text: Colour, background: Colour) -> bool {
    ratio(text, background) >= READABLE
}

/// The readable colour nearest to `text`: lighter or darker than the background as `text` is, of its hue, and as near in
/// lightness as can be. Where that side has none (white on yellow), what the widget itself would write there: white, its
/// ink, or black. There always is one. `contrast.ts` of the console does the same; `tests/fixtures/contrast.json` holds
/// both.
pub(super) fn nearest_readable(text: Colour, background: Colour) -> Colour {
    let [hue, saturation, lightness] = hsl(text);
    let side = if luminance(text) >= luminance(background) { 1.0 } else { -1.0 };
    let steps = (0..=STEPS).map(|step| lightness + side * f64::from(step) / f64::from(STEPS));
    let same_side = steps.map(|lightness| from_hsl([hue, saturation, lightness.clamp(0.0, 1.0)]));
    let mut readable = same_side.chain([WHITE, INK, BLACK]).filter(|colour| is_readable(*colour, background));
    readable.next().unwrap_or(BLACK)
}

/// The widget's dark text.
const INK: Colour = Colour([0x14, 0x18, 0x1f]);
const BLACK: Colour = Colour([0, 0, 0]);
const WHITE: Colour = Colour([255, 255, 255]);

fn ratio(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(Colour(channels): Colour) -> f64 {
    let [red, green, blue] = channels.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// Hue in sixths of the circle, saturation and lightness from 0 to 1.
fn hsl(Colour(channels): Colour) -> [f64; 3] {
    let [red, green, blue] = channels.map(|channel| f64::from(channel) / 255.0);
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let (spread, lightness) = (most - least, f64::midpoint(most, least));
    if spread == 0.0 {
        return [0.0, 0.0, lightness];
    }
    let hue = if most == red {
        ((green - blue) / spread).rem_euclid(6.0)
    } else if most == green {
        (blue - red) / spread + 2.0
    } else {
        (red - green) / spread + 4.0
    };
    [hue, spread / (1.0 - (2.0 * lightness - 1.0).abs()), lightness]
}

fn from_hsl([hue, saturation, lightness]: [f64; 3]) -> Colour {
    let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
    let second = chroma * (1.0 - (hue.rem_euclid(2.0) - 1.0).abs());
    let least = lightness - chroma / 2.0;
    let shares = match hue as u32 {
        0 => [chroma, second, 0.0],
        1 => [second, chroma, 0.0],
        2 => [0.0, chroma, second],
        3 => [0.0, second, chroma],
        4 => [second, 0.0, chroma],
        _ => [chroma, 0.0, second],
    };
    Colour(shares.map(|share| ((share + least) * 255.0).round().clamp(0.0, 255.0) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::try_from(text.to_owned()).expect("a colour")
    }

    #[test]
    fn ratios_are_those_of_the_standard() {
        assert!((ratio(BLACK, WHITE) - 21.0).abs() < 0.001);
        assert!(is_readable(colour("#767676"), WHITE), "the lightest readable grey on white");
        assert!(!is_readable(colour("#777777"), WHITE));
        assert!(is_readable(WHITE, colour("#2563eb")), "the default look");
    }

    #[test]
    fn a_hue_is_kept() {
        let nearest = nearest_readable(colour("#ff8080"), WHITE);
        assert!(is_readable(nearest, WHITE));
        let Colour([red, green, blue]) = nearest;
        assert!(red > green && green.abs_diff(blue) <= 1, "still a red: {nearest:?}");
    }

    #[test]
    fn the_nearest_is_what_the_console_offers() {
        let pairs: Vec<[String; 3]> =
            serde_json::from_str(include_str!("../../tests/fixtures/contrast.json")).expect("rows of three colours");
        for [text, background, nearest] in pairs {
            let found = nearest_readable(colour(&text), colour(&background));
            assert_eq!(String::from(found), nearest, "{text} on {background}");
        }
    }

    #[test]
    fn there_is_a_readable_colour_for_every_pair() {
        const SHADES: [u8; 8] = [0, 51, 102, 119, 128, 153, 204, 255];
        let shade = |place: usize| SHADES[place % SHADES.len()];
        let all = (0..SHADES.len().pow(3)).map(|at| Colour([shade(at), shade(at / 8), shade(at / 64)]));
        for background in all {
            for text in [BLACK, WHITE, Colour([255, 0, 0]), Colour([30, 60, 200]), background] {
                assert!(is_readable(nearest_readable(text, background), background), "{text:?} on {background:?}");
            }
        }
    }

    #[test]
    fn hsl_goes_there_and_back() {
        for text in ["#2563eb", "#ff0000", "#00ff7f", "#123456", "#fedcba", "#808080", "#ff00fe"] {
            assert_eq!(from_hsl(hsl(colour(text))), colour(text));
        }
    }
}
