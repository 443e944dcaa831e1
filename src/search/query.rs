//! What somebody looks for: words, of which the last may be the beginning of one.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::storage::Term;

use super::terms::{Word, pair, words};

/// Longest query, in characters.
pub const QUERY_CHARACTERS: usize = 200;
/// Terms that the index is asked for. What more is wanted is looked for in the texts that it finds.
const TERMS: usize = 10;

/// What is looked for; a text must have all of it. Nothing in it is a command to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Vec<Wanted>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Word(String),
    Beginning(String),
    /// Neighbours in a script without spaces.
    Run(Vec<String>),
}

impl Query {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// `Invalid` when it is too long. Without a word in it, nothing is looked for.
    pub fn parse(text: &str) -> Result<Query> {
        if text.chars().count() > QUERY_CHARACTERS {
            return Err(Error::invalid("q", format!("must have at most {QUERY_CHARACTERS} characters")));
        }
        let mut wanted = Vec::new();
        let mut run = Vec::new();
        for word in words(text) {
            if !word.dense {
                wanted.push(Wanted::Word(word.folded));
                continue;
            }
            run.push(word.folded);
            if !word.joined {
                wanted.push(Wanted::Run(std::mem::take(&mut run)));
            }
        }
        if let Some(Wanted::Word(word)) = wanted.pop_if(|last| matches!(last, Wanted::Word(_))) {
            wanted.push(Wanted::Beginning(word));
        }
        Ok(Query(wanted))
    }

    /// Reads what somebody typed of a name: each word may be the beginning of one.
    ///
    /// # Errors
    /// As [`Query::parse`].
    pub fn of_name(text: &str) -> Result<Query> {
        let beginning = |wanted| match wanted {
            Wanted::Word(word) => Wanted::Beginning(word),
            other => other,
        };
        Ok(Query(Query::parse(text)?.0.into_iter().map(beginning).collect()))
    }

    /// Is there nothing to look for?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the index is asked for: every text that [`Self::find`] takes has all of it.
    pub(super) fn terms(&self) -> Vec<Term> {
        self.0.iter().flat_map(Wanted::terms).take(TERMS).collect()
    }

    /// Where a text says what is looked for, in order and without overlaps; nothing unless it says all of it.
    pub fn find(&self, text: &str) -> Option<Vec<Range<usize>>> {
        let words = words(text);
        let mut found = Vec::new();
        for wanted in &self.0 {
            let before = found.len();
            found.extend(wanted.places(&words));
            if found.len() == before {
                return None;
            }
        }
        found.sort_by_key(|place| (place.start, place.end));
        Some(merged(found))
    }
}

impl Wanted {
    fn terms(&self) -> Vec<Term> {
        match self {
            Wanted::Word(word) => vec![Term::Whole(word.clone())],
            Wanted::Beginning(word) => vec![Term::Beginning(word.clone())],
            Wanted::Run(run) => match &run[..] {
                [alone] => vec![Term::Beginning(alone.clone())],
                run => run.windows(2).map(|two| Term::Whole(pair(&two[0], &two[1]))).collect(),
            },
        }
    }

    fn places(&self, words: &[Word]) -> Vec<Range<usize>> {
        let spaced = |fits: &dyn Fn(&str) -> bool| {
            words.iter().filter(|word| !word.dense && fits(&word.folded)).map(|word| word.at.clone()).collect()
        };
        match self {
            Wanted::Word(wanted) => spaced(&|word| word == wanted),
            Wanted::Beginning(wanted) => spaced(&|word| word.starts_with(wanted)),
            Wanted::Run(run) => {
                let fits = |place: &&[Word]| {
                    let apart = place.iter().rev().skip(1).any(|word| !word.joined);
                    !apart && place.iter().zip(run).all(|(word, wanted)| word.dense && word.folded == *wanted)
                };
                let ends = |place: &[Word]| Some(place.first()?.at.start..place.last()?.at.end);
                words.windows(run.len()).filter(fits).filter_map(ends).collect()
            }
        }
    }
}

/// Sorted ranges as the fewest that cover the same.
fn merged(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut fewest: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match fewest.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => fewest.push(range),
        }
    }
    fewest
}

#[cfg(test)]
mod tests {
    use super::super::terms::terms;
    use super::*;

    fn found<'t>(query: &str, text: &'t str) -> Vec<&'t str> {
        let places = Query::parse(query).expect("a query").find(text).unwrap_or_default();
        places.into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn all_words_must_be_there_and_the_last_may_be_a_beginning() {
        assert_eq!(found("where ord", "Where is my ORDER, and where the invoice?"), ["Where", "ORDER", "where"]);
        assert!(found("ord where", "Where is my order?").is_empty(), "only the last");
        assert!(found("order refund", "Where is my order?").is_empty());
        assert_eq!(found("creme", "Une CRÈME brûlée"), ["CRÈME"]);
        assert_eq!(found("退货", "请问退货政策退货"), ["退货", "退货"]);
        assert!(found("退货", "退 货").is_empty(), "no neighbours");
        assert!(found("货退", "退货政策").is_empty());
        assert_eq!(found("手机 cas", "iPhone手机 Case"), ["手机", "Case"]);
        assert_eq!(found("aab ba", "aab baa"), ["aab", "baa"]);
        assert_eq!(found("政策 货政", "退货政策"), ["货政策"], "overlaps are one");
    }

    #[test]
    fn signs_are_no_commands() {
        for signs in ["\"", "*", "a OR b", "NEAR(a b)", "-", "^", "(", ":", "a AND NOT b", "'; DROP TABLE messages"] {
            let query = Query::parse(signs).expect("a query");
            for term in query.terms() {
                let (Term::Whole(word) | Term::Beginning(word)) = term;
                assert!(word.chars().all(char::is_alphanumeric), "{signs}: {word}");
            }
        }
        assert!(Query::parse("*\"' ()💥").expect("a query").is_empty());
        assert!(Query::parse(&"a".repeat(QUERY_CHARACTERS)).is_ok());
        assert!(Query::parse(&"a".repeat(QUERY_CHARACTERS + 1)).is_err());
    }

    /// Chance with a beginning (xorshift).
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % end as u64) as usize
        }

        fn text(&mut self) -> String {
            const BITS: &[&str] = &[
                "a",
                "b",
                "É",
                "e\u{301}",
                "ß",
                "ﬁ",
                "Ω",
                "ς",
                "3",
                "½",
                " ",
                " ",
                ".",
                "-",
                "\n",
                "\u{200d}",
                "👨‍👩‍👧",
                "退",
                "货",
                "が",
                "か\u{3099}",
                "ｶﾞ",
                "배",
                "ㅂ",
                "\u{1107}\u{1161}",
                "ก",
                "กำ",
                "हि",
                "न्दी",
                "㍿",
                "مُ",
                "\u{0}",
                "İ",
                "ŉ",
                "𠀀",
            ];
            (0..self.below(30)).map(|_| BITS[self.below(BITS.len())]).collect()
        }
    }

    /// What the index leaves out is never looked at: it must not leave out what the text says.
    #[test]
    fn whatever_a_text_says_the_index_knows_and_every_cut_of_it_is_found() {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        for _ in 0..5_000 {
            let text = chance.text();
            let known = terms(&text);
            let clean = |term: &String| !term.is_empty() && term.chars().all(char::is_alphanumeric);
            assert!(known.iter().all(clean), "{text:?}: {known:?}");
            let has = |term: &Term| match term {
                Term::Whole(word) => known.contains(word),
                Term::Beginning(word) => known.iter().any(|term| term.starts_with(word.as_str())),
            };
            let words = words(&text);
            if words.is_empty() {
                continue;
            }
            let (from, to) = (chance.below(words.len()), chance.below(words.len()));
            let part = &text[words[from.min(to)].at.start..words[from.max(to)].at.end];
            let query = Query::parse(part).expect("a query");
            let places = query.find(&text).unwrap_or_else(|| panic!("{part:?} is not found in {text:?}"));
            assert!(places.windows(2).all(|two| two[0].end < two[1].start), "{places:?}");
            assert!(places.iter().all(|place| text.get(place.clone()).is_some()), "{places:?}");
            assert!(query.terms().iter().all(has), "{part:?} in {text:?}: {:?} in {known:?}", query.terms());
            let other = Query::parse(&chance.text()).expect("a query");
            if other.find(&text).is_some() && !other.is_empty() {
                assert!(other.terms().iter().all(has), "{other:?} in {text:?}");
            }
        }
    }
}
