//! The words of a text as searching compares them: in small letters, without accents, one form of each character.
//!
//! Scripts that are written without spaces are read character by character, and every two neighbours make a term: so a
//! word is found in the middle of a line without a dictionary that knows where it begins.

use std::collections::BTreeSet;
use std::ops::Range;

use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use unicode_segmentation::UnicodeSegmentation;

/// Longest word, in bytes of its folded form. A longer one is known by its beginning.
const LONGEST: usize = 64;

/// A word, or one character of a script without spaces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it stands in the text, in bytes.
    pub at: Range<usize>,
    /// As it is compared.
    pub folded: String,
    /// It is one character of a script without spaces.
    pub dense: bool,
    /// It is such a character, and the next word is its neighbour.
    pub joined: bool,
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut folded, mut end) = (String::new(), 0);
    while let Some(character) = character(&text[end..]) {
        let start = end;
        end += character.len();
        folded.clear();
        fold(character, &mut folded);
        let Some(first) = folded.chars().next() else { continue };
        let dense = is_dense(first);
        match words.last_mut().filter(|word| word.at.end == start && word.dense == dense) {
            Some(word) if !dense => word.grow(&folded, end),
            neighbour => {
                neighbour.into_iter().for_each(|word| word.joined = true);
                words.push(Word { at: start..end, folded: folded.clone(), dense, joined: false });
            }
        }
    }
    words
}

/// The first character of a text, as people see them. Plain ones need no rules for that.
fn character(text: &str) -> Option<&str> {
    match text.as_bytes() {
        [first] | [first, 0..=127, ..] if first.is_ascii() => Some(&text[..1]),
        _ => text.graphemes(true).next(),
    }
}

impl Word {
    fn grow(&mut self, folded: &str, end: usize) {
        self.at.end = end;
        if self.folded.len() + folded.len() <= LONGEST {
            self.folded.push_str(folded);
        }
    }
}

/// The terms under which a text is found, each once.
pub(super) fn terms(text: &str) -> BTreeSet<String> {
    let words = words(text);
    let next = words.iter().skip(1).map(Some).chain([None]);
    let term = |(word, next): (&Word, Option<&Word>)| match next.filter(|_| word.joined) {
        Some(next) => pair(&word.folded, &next.folded),
        None => word.folded.clone(),
    };
    words.iter().zip(next).map(term).collect()
}

/// The term of two neighbours. A character without a neighbour is a term by itself: so every character of a script
/// without spaces begins a term.
pub(super) fn pair(first: &str, second: &str) -> String {
    format!("{first}{second}")
}

/// Appends a character as it is compared; nothing, where it is no part of a word.
fn fold(character: &str, into: &mut String) {
    if let [byte] = character.as_bytes() {
        into.extend(byte.is_ascii_alphanumeric().then(|| char::from(byte.to_ascii_lowercase())));
        return;
    }
    let parts = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(character.chars());
    let small = parts.filter(|c| !is_accent(*c)).flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    // Composed again: a Korean syllable is one character, and a Japanese one keeps its sound.
    let whole = ComposingNormalizerBorrowed::new_nfc().normalize_iter(small);
    whole.filter(|c| c.is_alphanumeric()).for_each(|c| match c {
        // Letters that have no accent to lose and are typed without one all the same.
        'ø' => into.push('o'),
        'ł' => into.push('l'),
        'đ' => into.push('d'),
        'æ' => into.push_str("ae"),
        'œ' => into.push_str("oe"),
        c => into.push(c),
    });
}

/// Accents above, below and through a letter, and the points of Hebrew and Arabic. The signs of Indian scripts, the tones
/// of Thai and the sounds of Japanese have classes of their own and stay: they tell words apart.
fn is_accent(c: char) -> bool {
    c == '\u{640}' || matches!(CanonicalCombiningClassMapBorrowed::new().get_u8(c), 1 | 10..=36 | 200..)
}

/// Chinese, Japanese and Korean, Thai, Lao, Burmese and Khmer. Korean has spaces, but none between a noun and what is
/// said of it.
fn is_dense(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
            | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        terms(text).into_iter().collect()
    }

    #[test]
    fn words_lose_case_accents_and_width() {
        assert_eq!(of("Crème BRÛLÉE, Straße ＡＢＣ１"), ["abc1", "brulee", "creme", "strasse"]);
        assert_eq!(of("Łódź Ærø Ελλάδα Ёлка İstanbul"), ["aero", "istanbul", "lodz", "ελλαδα", "елка"]);
        assert_eq!(of("don't vera@shop.example 3.14"), ["14", "3", "don", "example", "shop", "t", "vera"]);
        assert_eq!(of("مُحَمَّد שָׁלוֹם"), ["שלום", "محمد"]);
        assert_eq!(of("e\u{301}te\u{301}"), of("été"), "however it was typed");
        assert_eq!(of("\u{0}\u{202e}…!?* \"' 💥"), Vec::<String>::new());
    }

    #[test]
    fn scripts_without_spaces_are_read_in_pairs() {
        assert_eq!(of("退货政策"), ["政策", "策", "货政", "退货"]);
        assert_eq!(of("ガラス"), ["ガラ", "ス", "ラス"]);
        assert_eq!(of("ｶﾞﾗｽ"), of("ガラス"), "half as wide");
        assert_ne!(of("バス"), of("ハス"), "another sound is another word");
        assert_eq!(of("배송은"), ["배송", "송은", "은"]);
        assert_eq!(of("iPhone手机壳 好"), ["iphone", "壳", "好", "手机", "机壳"]);
        assert_eq!(of("手 机"), ["手", "机"], "no neighbours");
    }

    #[test]
    fn a_very_long_word_is_known_by_its_beginning() {
        let long = "é".repeat(4_000);
        assert_eq!(of(&long), ["e".repeat(LONGEST)]);
        assert_eq!(words(&long)[0].at, 0..8_000);
    }
}
