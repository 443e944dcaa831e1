//! Cleaning of user text: removes invisible and misleading characters, and counts graphemes.

use icu_properties::props::{
    DefaultIgnorableCodePoint, Emoji, ExtendedPictographic, GeneralCategory, Ideographic, NoncharacterCodePoint,
};
use icu_properties::{CodePointMapData, CodePointSetData};
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

/// Whether a clean line cannot be taken for another one. For ids and addresses, which tell people apart: direction marks and
/// variation selectors are refused there, although a text may hold them. Joiners are allowed in scripts that need them.
pub fn is_distinct_line(text: &str) -> bool {
    is_clean_line(text) && text.chars().all(|c| is_joiner(c) || !is_ignorable(c))
}

/// Combining marks kept on one letter: the limit of Unicode's Stream-Safe Text Format (UAX #15, section 13).
const MOST_MARKS: usize = 30;
/// Joiners kept in one emoji. A family of four has three.
const MOST_JOINERS: usize = 10;
/// Tags of a region flag (UTS #51, ED-14a), before its end tag.
const MOST_TAGS: usize = 6;

/// Removes what is invisible: control characters (except line feed and tab), format characters, direction overrides,
/// noncharacters and Unicode's Default_Ignorable_Code_Points. They make a text read otherwise than it is, or hide another
/// text in it. Keeps those that have an effect, where they have it: joiners within emoji and in scripts that need them, one
/// variation selector after a character with variants, one direction mark, the tags of a region flag. Limits the combining
/// marks of a letter. Idempotent.
fn cleaned(text: impl Iterator<Item = char>) -> String {
    let text: Vec<char> = text.collect();
    let mut kept = String::with_capacity(text.len());
    // The last character that stays, and what it is part of.
    let (mut last, mut in_emoji, mut joiners, mut marks) = (' ', false, 0, 0);
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        at += 1;
        let stays = match c {
            '\n' | '\t' | ' '..='~' => true,
            '\u{200c}' | '\u{200d}' => {
                let joins_emoji = in_emoji && c == '\u{200d}' && last != c && joiners < MOST_JOINERS;
                joins_emoji && text.get(at).is_some_and(|next| is_pictographic(*next)) || needs_joiners(last)
            }
            '\u{200e}' | '\u{200f}' => !matches!(last, '\u{200e}' | '\u{200f}'),
            '\u{fe0e}' | '\u{fe0f}' => CodePointSetData::new::<Emoji>().contains(last),
            '\u{fe00}'..='\u{fe0d}' => !last.is_ascii() && !is_mark(last) && !is_unseen(last),
            '\u{e0100}'..='\u{e01ef}' => CodePointSetData::new::<Ideographic>().contains(last),
            '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(last, '\u{1800}'..='\u{180a}' | '\u{1810}'..='\u{18af}'),
            _ if is_mark(c) => marks < MOST_MARKS && !is_unseen(c),
            _ => !is_unseen(c),
        };
        if !stays {
            continue;
        }
        if is_mark(c) {
            marks += 1;
        } else if is_joiner(c) {
            joiners += usize::from(in_emoji);
        } else if !is_ignorable(c) && !matches!(c, '\u{1f3fb}'..='\u{1f3ff}') {
            let goes_on = last == '\u{200d}';
            (in_emoji, marks) = (is_pictographic(c), 0);
            joiners = if goes_on { joiners } else { 0 };
        }
        kept.push(c);
        last = c;
        if c == '\u{1f3f4}' {
            let tags = region_tags(&text[at..]);
            kept.extend(&text[at..at + tags]);
            at += tags;
        }
    }
    kept
}

/// Number of characters after a black flag that make it a region flag: its tags and the end tag, or 0.
fn region_tags(after: &[char]) -> usize {
    let is_tag = |c: &&char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let count = after.iter().take(MOST_TAGS + 1).take_while(is_tag).count();
    if (1..=MOST_TAGS).contains(&count) && after.get(count) == Some(&'\u{e007f}') { count + 1 } else { 0 }
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
    text.chars().all(|c| c.is_whitespace() || is_ignorable(c) || c == '\u{2800}')
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a character is invisible: control, separator or format character (except number signs of Arabic and Syriac,
/// which enclose the digits after them), noncharacter, filler, object replacement, or ignorable.
fn is_unseen(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let is_format = matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    let encloses_digits =
        matches!(c, '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}');
    is_format && !encloses_digits
        || is_ignorable(c)
        || matches!(c, '\u{fffc}' | '\u{16fe4}' | '\u{1d159}')
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
}

/// Whether a character alone shows nothing (Unicode's Default_Ignorable_Code_Point).
fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a character combines with the one before it.
fn is_mark(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark) && !is_ignorable(c)
}

fn is_pictographic(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

/// Whether a character is of a script in which joiners choose forms: Hebrew to Mongolian, and their later blocks.
fn needs_joiners(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{109f}' | '\u{1700}'..='\u{180a}' | '\u{1810}'..='\u{1c4f}' | '\u{1cd0}'..='\u{1cff}'
            | '\u{a840}'..='\u{a95f}' | '\u{a980}'..='\u{aaff}' | '\u{abc0}'..='\u{abff}' | '\u{fb50}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}'
    ) && !is_unseen(c)
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
