//! Text that people type: stripped of what cannot be seen or would mislead, and counted the way people count.

use unicode_segmentation::UnicodeSegmentation;

/// One line: controls, line breaks and direction overrides removed, spaces at the ends trimmed.
/// Empty when nothing visible is left.
pub fn line(text: &str) -> String {
    let kept: String = text.chars().map(|c| if is_break(c) { ' ' } else { c }).filter(|c| !is_unseen(*c)).collect();
    visible(kept.trim())
}

/// Several lines: like [`line`], with line breaks (as `\n`) and tabs kept.
pub fn lines(text: &str) -> String {
    let joined = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = joined.chars().filter(|c| matches!(c, '\n' | '\t') || !is_unseen(*c)).collect();
    visible(kept.trim())
}

/// One line like [`line`], cut to `limit` code points; what seems empty is kept as it is.
pub fn clip(text: &str, limit: usize) -> String {
    text.chars().filter(|c| !is_unseen(*c)).take(limit).collect::<String>().trim().to_owned()
}

/// Characters as a reader counts them: a flag or a family is one.
pub fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

/// The first `count` characters.
pub fn cut(text: &str, count: usize) -> String {
    text.graphemes(true).take(count).collect()
}

fn visible(text: &str) -> String {
    if is_blank(text) { String::new() } else { text.to_owned() }
}

/// Is there nothing in it that anybody could see?
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_zero_width(c))
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Controls, and the overrides that make a name read backwards.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Joiners and marks that are part of emoji and of some scripts, but make nothing visible alone.
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
    }

    #[test]
    fn a_family_counts_once() {
        assert_eq!(graphemes("👨‍👩‍👧é"), 2);
        assert_eq!(cut("👨‍👩‍👧éx", 1), "👨‍👩‍👧");
    }
}
