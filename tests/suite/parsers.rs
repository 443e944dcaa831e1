//! Everything that reads what strangers send, given what nobody foresaw: it refuses, or reads what it can write again.
//! The bytes are the same in each run, so that what fails once fails again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ocs::clock::Millis;
use ocs::config::Config;
use ocs::conversations::InboxPoint;
use ocs::events::Cursor;
use ocs::images::{FileName, ImageName};
use ocs::messages::{ClientId, Text};
use ocs::realtime::{OperatorHello, OperatorHint, VisitorHello, VisitorHint};
use ocs::secret::Secret;
use ocs::sites::{Colour, ConfigureSite, Look};
use ocs::visitors::verify;
use ocs::widget::Command;

const ROUNDS: usize = 20_000;

/// Chance with a beginning (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }

    /// One of the seeds with some of it changed, cut, doubled or replaced by what parsers dislike.
    fn text(&mut self, seeds: &[&str]) -> String {
        const SPICE: &[&str] = &[
            "\u{0}",
            "\u{202e}",
            "é",
            "💥",
            "\"",
            "\\",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            ".",
            "-",
            "_",
            "/",
            "..",
            "%00",
            "9223372036854775807",
            "-9223372036854775808",
            "99999999999999999999",
            "1e999",
            "null",
            "true",
            "\n",
            "=",
            "'",
            "#",
            "AAAA",
            " ",
            "\u{feff}",
            "e30",
            "\\ud800",
            "0",
            "00",
            "+1",
        ];
        let mut letters: Vec<char> = seeds[self.next(seeds.len())].chars().collect();
        for _ in 0..=self.next(5) {
            let at = self.next(letters.len() + 1);
            match self.next(5) {
                0 => letters.truncate(at),
                1 => letters.splice(at..at, SPICE[self.next(SPICE.len())].chars()).for_each(drop),
                2 if at < letters.len() => drop(letters.remove(at)),
                3 if at < letters.len() => letters[at] = char::from(self.next(128) as u8),
                _ => {
                    let (from, to) = (at.min(letters.len()), (at + self.next(8)).min(letters.len()));
                    let again = letters[from..to].to_vec();
                    letters.extend(again);
                }
            }
        }
        letters.into_iter().collect()
    }
}

/// Calls `read` with thousands of broken forms of the seeds; says how many of them were taken.
#[track_caller]
fn never_panics(seeds: &[&str], read: impl Fn(&str) -> bool) -> usize {
    assert!(seeds.iter().all(|seed| read(seed)), "the seeds themselves are good");
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut taken = 0;
    for _ in 0..ROUNDS {
        let text = chance.text(seeds);
        let outcome = catch_unwind(AssertUnwindSafe(|| read(&text)));
        taken += usize::from(outcome.unwrap_or_else(|_| panic!("{text:?}")));
    }
    taken
}

#[test]
fn cursors_and_points_are_read_back_as_they_were_written() {
    let cursor = Cursor::new("epoch-1", [(ocs::id::SiteId(1), 7), (ocs::id::SiteId(20), 9_000)]).to_text();
    never_panics(&[&cursor], |text| match Cursor::parse(text) {
        Some(read) => Cursor::parse(&read.to_text()).is_some_and(|again| again.to_text() == read.to_text()),
        None => false,
    });
    let point = InboxPoint::parse("1700000000000.1.2").map(InboxPoint::to_text);
    let seed = point.unwrap_or_else(|_| "1700000000000-1-2".to_owned());
    let mut chance = Chance(7);
    for _ in 0..ROUNDS {
        let text = chance.text(&[&seed, "1_2_3", "1,2,3", "1:2:3"]);
        if let Ok(read) = InboxPoint::parse(&text) {
            let written = read.to_text();
            assert_eq!(InboxPoint::parse(&written).expect("its own words").to_text(), written, "{text:?}");
        }
    }
}

#[test]
fn names_ids_and_colours_are_plain_or_refused() {
    let image = "visitor_20261122_101112_00112233445566778899aabbccddeeff.png";
    never_panics(&[image], |text| match ImageName::parse(text) {
        Some(name) => name.as_str() == text && !text.contains(['/', '\\', '\0']) && text.matches('.').count() == 1,
        None => false,
    });
    never_panics(&["logo_00112233445566778899aabbccddeeff.png"], |text| match FileName::parse_logo(text) {
        Some(name) => name.as_str() == text && !text.contains(['/', '\\', '\0']),
        None => false,
    });
    never_panics(&["c1", "a.b:c-d_E9"], |text| match ClientId::parse(text) {
        Ok(id) => {
            assert!(
                text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(&b)),
                "{text}"
            );
            id.as_str() == text
        }
        Err(_) => false,
    });
    never_panics(&["#12abEF"], |text| match Colour::try_from(text.to_owned()) {
        Ok(colour) => String::from(colour) == text.to_ascii_lowercase(),
        Err(_) => false,
    });
    never_panics(&["Hello", "two\nlines"], |text| match Text::parse(text) {
        Ok(kept) => {
            assert!(!kept.as_str().chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{text:?}");
            Text::parse(kept.as_str()).is_ok_and(|again| again.as_str() == kept.as_str())
        }
        Err(_) => false,
    });
}

#[test]
fn frames_and_commands_are_read_or_refused() {
    let json = |text: &str| serde_json::from_str::<VisitorHello>(text).is_ok();
    never_panics(&[r#"{"type":"hello","token":"abc","cursor":""}"#], json);
    let json = |text: &str| serde_json::from_str::<OperatorHello>(text).is_ok();
    never_panics(&[r#"{"type":"hello","ticket":"abc","cursor":"x"}"#], json);
    let json = |text: &str| serde_json::from_str::<VisitorHint>(text).is_ok();
    never_panics(
        &[
            r#"{"type":"alive"}"#,
            r#"{"type":"seen","conversation":"x","seq":3}"#,
            r#"{"type":"page","page":{"url":"https://x","title":"t","referrer":""}}"#,
        ],
        json,
    );
    let json = |text: &str| serde_json::from_str::<OperatorHint>(text).is_ok();
    never_panics(
        &[
            r#"{"type":"typing","site_id":1,"conversation_id":2}"#,
            r#"{"type":"delivered","site_id":1,"conversation_id":2,"seq":3}"#,
        ],
        json,
    );
    let start = r#"{"do":"start","key":"site_x","external_id":"v","anonymous":false,"nickname":"Vera","attributes":{"plan":"gold"}}"#;
    never_panics(&[start], |text| match serde_json::from_str::<Command>(text) {
        Ok(Command::Start(start)) => start.check(Some(text)).is_ok(),
        other => other.is_ok(),
    });
    let others = [
        r#"{"do":"send","client_id":"c","text":"x"}"#,
        r#"{"do":"history","before":{"conversation":"x","seq":1}}"#,
        r#"{"do":"logout"}"#,
    ];
    never_panics(&others, |text| serde_json::from_str::<Command>(text).is_ok());
    let look = serde_json::to_string(&Look::default()).expect("JSON");
    never_panics(&[&look], |text| serde_json::from_str::<Look>(text).is_ok_and(|look| look.check().is_ok()));
    let change = r##"{"name":"Shop","paused":true,"allowed_domains":["shop.example"],"welcome":{"en":"Hi"}}"##;
    never_panics(&[change], |text| serde_json::from_str::<ConfigureSite>(text).is_ok());
}

#[test]
fn no_broken_identity_token_is_taken() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let secret = Secret::new("ids_secret");
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(r#"{"sub":"vera","exp":1000}"#));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"ids_secret");
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, signed.as_bytes())));
    let good = |text: &str| verify(text, "vera", std::slice::from_ref(&secret), Millis(900_000)).is_ok();
    // Changes may undo each other: what is taken is the token itself.
    never_panics(&[&token], |text| {
        let taken = good(text);
        assert!(!taken || text == token, "{text}");
        taken
    });
}

#[test]
fn settings_and_bodies_are_read_or_refused() {
    for (key, seeds) in [
        ("listen", &["127.0.0.1:8080", "[::1]:80"][..]),
        ("trusted_proxies", &["10.0.0.0/8, ::1", "192.0.2.1"]),
        ("public_url", &["https://chat.example", "http://[::1]:8080"]),
        ("max_connections", &["100"]),
        ("event_days", &["7"]),
        ("signup", &["open", "closed"]),
        ("log_format", &["text", "json"]),
    ] {
        never_panics(seeds, |text| match Config::load(None, std::iter::empty(), &[(key, text.to_owned())]) {
            Ok(config) => {
                let _ = (config.effective(), config.public_url());
                true
            }
            Err(_) => false,
        });
    }
}
