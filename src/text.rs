//! Cleaning of user text: removes invisible and misleading characters, and counts graphemes.

use unicode_segmentation::UnicodeSegmentation;

/// Cleans a single line: line breaks become spaces, misleading characters are removed (see [`cleaned`]), and the ends
/// are trimmed. Empty if nothing visible is left.
pub fn line(text: &str) -> String {
    visible(cleaned(text.chars().map(|c| if is_break(c) { ' ' } else { c })).trim())
}

/// Cleans several lines: like [`line`], but keeps line breaks (as `\n`) and tabs.
pub fn lines(text: &str) -> String {
    let joined = text.replace("\r\n", "\n").replace('\r', "\n");
    visible(cleaned(joined.chars()).trim())
}

/// Whether cleaning would change nothing. For names that must stay as they are.
pub fn is_clean_line(text: &str) -> bool {
    line(text) == text
}

/// Removes control characters (except line feed and tab), direction overrides, and invisible letters: they make a text
/// read otherwise than it is, or hide something in it. Keeps joiners and variation selectors, which emoji and many
/// scripts need, and the tags of a region flag within such a flag.
fn cleaned(text: impl Iterator<Item = char>) -> String {
    let mut in_flag = false;
    text.filter(|c| {
        let is_tag = matches!(c, '\u{e0020}'..='\u{e007f}');
        let stays = if is_tag { in_flag } else { matches!(c, '\n' | '\t') || !is_unseen(*c) };
        in_flag = *c == '\u{1f3f4}' || is_tag && in_flag;
        stays
    })
    .collect()
}

/// The longest prefix of whole graphemes with at most `count` graphemes and `bytes` bytes.
pub fn cut_within(text: &str, count: usize, bytes: usize) -> String {
    let mut end = 0;
    for (at, character) in text.grapheme_indices(true).take(count) {
        if at + character.len() > bytes {
            break;
        }
        end = at + character.len();
    }
    text[..end].trim_end().to_owned()
}

/// Number of graphemes: a flag or a family emoji counts as one.
pub fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

/// The first `count` graphemes.
pub fn cut(text: &str, count: usize) -> String {
    text.graphemes(true).take(count).collect()
}

fn visible(text: &str) -> String {
    if is_blank(text) { String::new() } else { text.to_owned() }
}

/// Whether nothing is visible.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_zero_width(c))
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Control characters, direction overrides and isolates, and characters without a glyph.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e001f}' | '\u{e0080}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}'
        )
}

/// Joiners and marks that are part of emoji and of some scripts, but invisible alone.
fn is_zero_width(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_no_control_and_no_override() {
        assert_eq!(line("  Vera\r\n\u{202e}txe.\u{7} "), "Vera  txe.");
        assert_eq!(line("\u{200b}\u{200d} \u{feff}"), "");
        assert_eq!(line("\u{3164}\u{115f}\u{2800}\u{e0061}"), "", "fillers that look like nothing");
        assert_eq!(lines("a\r\nb\u{0}\tc\n"), "a\nb\tc");
        assert_eq!(lines("pay\u{200b}pal\u{e0068}\u{e0069}\u{2066}\u{ad}"), "paypal", "what nobody sees");
        assert_eq!(cut_within(&line("a\u{202e}b\n\u{2060}c"), 2, 9), "ab");
    }

    #[test]
    fn emoji_flags_and_joined_scripts_stay() {
        let scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        for text in [scotland, "👨‍👩‍👧", "می‌خواهم", "❤️", "\u{200f}שלום"] {
            assert_eq!(lines(text), text);
            assert!(is_clean_line(text), "{text}");
        }
        assert!(!is_clean_line("otto\u{202e}") && !is_clean_line(" otto"));
    }

    #[test]
    fn a_family_counts_once() {
        assert_eq!(graphemes("👨‍👩‍👧é"), 2);
        assert_eq!(cut("👨‍👩‍👧éx", 1), "👨‍👩‍👧");
        assert_eq!(cut_within("ab👨‍👩‍👧", 3, 10), "ab", "a family has 18 bytes");
        assert_eq!(cut_within("ab👨‍👩‍👧c", 3, 100), "ab👨‍👩‍👧");
    }
}
