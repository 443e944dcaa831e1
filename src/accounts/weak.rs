//! Passwords that are guessed first: common ones, the account's own names, runs and repeats, each also with something added
//! before or after it or with digits for letters (NIST SP 800-63B, 3.1.1.2).

use std::sync::LazyLock;

/// The words of the most common passwords, sorted, in small letters, one a line. Words of four letters or more from the twenty
/// thousand passwords that Django refuses (BSD-3-Clause), without what stands before and after them.
const COMMON: &str = include_str!("common_passwords.txt");
/// Fewest characters of an own word that counts: shorter ones are in strong passwords by chance.
const OWN_WORD_CHARS: usize = 4;
/// Fewest characters that a password may repeat from its beginning to its end.
const REPEATED_CHARS: usize = 4;
/// What a chat's own pages suggest.
const OURS: &[&str] = &["chat", "livechat", "widget", "console", "operator"];

static COMMON_WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| COMMON.lines().collect());

/// Is this one that is guessed first? `about` is what is known of its owner: an address, a name.
pub(super) fn is_weak(password: &str, about: &[&str]) -> bool {
    let lower = password.to_lowercase();
    let (core_spelled, all_spelled) = (spelled(core(&lower)), spelled(&lower));
    let candidates = [&lower, core(&lower), &core_spelled, &all_spelled, core(&all_spelled)];
    let own: Vec<String> = about.iter().flat_map(|text| words(text)).collect();
    let is_known = |word: &str| {
        COMMON_WORDS.binary_search(&word).is_ok() || OURS.contains(&word) || own.iter().any(|own| own == word)
    };
    is_run(&lower)
        || repeated(&lower).chars().count() < REPEATED_CHARS
        || candidates.into_iter().any(|word| is_known(word) || is_known(repeated(word)))
}

/// Without what is no letter at both ends: `password123!` is `password`. All of it where there is no letter.
fn core(text: &str) -> &str {
    let core = text.trim_matches(|c: char| !c.is_alphabetic());
    if core.is_empty() { text } else { core }
}

/// With letters for the digits and signs that look like them.
fn spelled(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// The part that a text repeats from its beginning to its end: `abcabcab` is `abc`. Itself where nothing repeats.
fn repeated(text: &str) -> &str {
    let mut ends = text.char_indices().map(|(at, _)| at).skip(1).take_while(|end| *end <= text.len() / 2);
    let end = ends.find(|end| text.bytes().skip(*end).eq(text.bytes().take(text.len() - end)));
    end.map_or(text, |end| &text[..end])
}

/// One step after the other: `1234567890`, `zyxwvutsrq`.
fn is_run(text: &str) -> bool {
    let letters: Vec<u32> = text.chars().map(u32::from).collect();
    let mut steps = letters.windows(2).map(|pair| i64::from(pair[1]) - i64::from(pair[0]));
    // From 9 the row of digits goes on with 0.
    let step = |step: i64| matches!(step, 0 | 1 | -9);
    let back = |step: i64| matches!(step, 0 | -1 | 9);
    steps.clone().all(step) || steps.all(back)
}

/// The words of an address or a name.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric()).chain(lower.split('@')).chain([lower.as_str()]);
    parts.map(core).filter(|word| word.chars().count() >= OWN_WORD_CHARS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: [&str; 2] = ["otto.meier@shop-example.org", "Ottilie Meier"];

    #[test]
    fn what_is_guessed_first_is_weak() {
        for password in [
            "password123",
            "Password123!",
            "P4$$w0rd2026",
            "1234567890",
            "9876543210",
            "abcdefghij",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "passwordpassword",
            "qwertyuiop",
            "Welcome2026!",
            "!!dragon!!!!",
            "0000000000",
            "ottilie2026",
            "Meier123456",
            "otto.meier@shop-example.org",
            "livechat2026",
        ] {
            assert!(is_weak(password, &ABOUT), "{password}");
        }
    }

    #[test]
    fn a_name_that_is_one_letter_and_digits_refuses_no_strong_password() {
        assert!(!is_weak("8261-93o77#24", &["o2026@x.example"]));
        assert!(is_weak("x.example2026", &["o2026@x.example"]));
    }

    #[test]
    fn a_sentence_and_what_a_machine_made_up_are_not() {
        for password in [
            "correct horse",
            "correct horse battery",
            "an even better one",
            "a long sentence is easier to keep",
            "kX9#vLq2Tz",
            "7f3a91c0de44b2",
            "пароль из пяти слов",
            "ottos garden has nine trees",
        ] {
            assert!(!is_weak(password, &ABOUT), "{password}");
        }
    }
}
