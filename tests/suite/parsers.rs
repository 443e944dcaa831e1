//! Everything that reads what strangers send, given what nobody foresaw: it refuses, or reads what it can write again.
//! The bytes are the same in each run, so that what fails once fails again. `make fuzz` looks further, from the same seeds.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

#[path = "../../fuzz/src/lib.rs"]
mod inputs;

/// Broken forms of each input's seeds that are tried. Pictures cost more than words.
const ROUNDS: usize = 20_000;
const ROUNDS_OF_PICTURES: usize = 1_000;

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
    fn bytes(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
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
        let mut bytes = seeds[self.next(seeds.len())].clone();
        for _ in 0..=self.next(5) {
            let at = self.next(bytes.len() + 1);
            match self.next(5) {
                0 => bytes.truncate(at),
                1 => bytes.splice(at..at, SPICE[self.next(SPICE.len())].bytes()).for_each(drop),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 if at < bytes.len() => bytes[at] = self.next(256) as u8,
                _ => bytes.extend_from_within(at..(at + self.next(8)).min(bytes.len())),
            }
        }
        bytes
    }
}

/// The seeds of an input, in order: name and bytes.
fn seeds(input: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(input);
    let mut seeds: Vec<_> = fs::read_dir(folder)
        .expect("a folder of seeds")
        .map(|entry| entry.expect("a file"))
        .map(|entry| (entry.file_name().into_string().expect("a name"), fs::read(entry.path()).expect("a seed")))
        .collect();
    seeds.sort();
    seeds
}

/// `good-` seeds are taken, `bad-` ones refused; others, which the fuzzer found, did harm once.
#[test]
fn every_seed_is_taken_or_refused_as_its_name_says() {
    for (input, read) in inputs::ALL {
        for (name, bytes) in seeds(input) {
            let taken = read(&bytes);
            assert!(!name.starts_with("good-") || taken, "{input}/{name} is refused");
            assert!(!name.starts_with("bad-") || !taken, "{input}/{name} is taken");
        }
    }
}

#[test]
fn words_that_nobody_foresaw_are_read_or_refused() {
    for (input, read) in inputs::ALL.iter().filter(|(input, _)| *input != "images") {
        try_broken_forms(input, *read, ROUNDS);
    }
}

#[test]
fn pictures_that_nobody_foresaw_are_cleaned_or_refused() {
    try_broken_forms("images", inputs::images, ROUNDS_OF_PICTURES);
}

#[test]
fn what_is_cut_off_anywhere_is_read_or_refused() {
    for (input, read) in inputs::ALL {
        for (name, bytes) in seeds(input) {
            for end in 0..bytes.len() {
                let outcome = catch_unwind(AssertUnwindSafe(|| read(&bytes[..end])));
                assert!(outcome.is_ok(), "{input}/{name}, the first {end} bytes");
            }
        }
    }
}

fn try_broken_forms(input: &str, read: inputs::Input, rounds: usize) {
    let seeds: Vec<Vec<u8>> = seeds(input).into_iter().map(|(_, bytes)| bytes).collect();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..rounds {
        let bytes = chance.bytes(&seeds);
        let outcome = catch_unwind(AssertUnwindSafe(|| read(&bytes)));
        assert!(outcome.is_ok(), "{input}: {:?} ({})", bytes, String::from_utf8_lossy(&bytes));
    }
}
