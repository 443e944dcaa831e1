//! Proof of work: a browser finds a number that, appended to the challenge, gives a SHA-256 with leading zero bits.
//! Verification costs one hash. The server stores only spent challenges.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::clock::Millis;
use crate::id::SiteId;
use crate::secret::random_text;

/// Lifetime of a challenge: a slow phone's hardest work takes a tenth of it.
const VALID_SECONDS: i64 = 120;
/// Bytes of the authentication tag (truncated HMAC) of a challenge.
const TAG_BYTES: usize = 12;
/// Spent challenges held in memory. When all are still valid, further answers are refused; the admission limit of a
/// site is far lower.
const MAX_SPENT: usize = 200_000;
/// Longest answer in bytes: a challenge, a colon and a number. It fits into one block of SHA-256.
const MAX_ANSWER_BYTES: usize = 55;

/// A challenge and its difficulty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// `bits.until.random.tag`; the answer is this, a colon and a number.
    pub challenge: String,
    /// Leading zero bits required of the hash of the answer.
    pub bits: u32,
}

/// Issues challenges and verifies answers. The key is lost on restart: answers to old challenges are then refused, and
/// a new challenge is issued.
pub struct ProofOfWork {
    key: [u8; 32],
    spent: Mutex<HashMap<String, Millis>>,
}

impl Default for ProofOfWork {
    fn default() -> ProofOfWork {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system provides random bytes");
        ProofOfWork { key, spent: Mutex::default() }
    }
}

impl ProofOfWork {
    /// A challenge for one new visitor of one site.
    pub fn challenge(&self, site: SiteId, bits: u32, now: Millis) -> Challenge {
        let until = now.plus_seconds(VALID_SECONDS).0 / 1000;
        let plain = format!("{bits}.{until}.{}", random_text(6));
        let tag = URL_SAFE_NO_PAD.encode(self.tag(site, &plain));
        Challenge { challenge: format!("{plain}.{tag}"), bits }
    }

    /// Verifies an answer: for this site, in time, hard enough, and used once.
    pub fn verify(&self, site: SiteId, answer: &str, now: Millis) -> bool {
        let Some((challenge, bits, until)) = self.parse(site, answer) else { return false };
        now <= until && zero_bits(answer) >= bits && self.mark_spent(challenge, until, now)
    }

    fn parse<'a>(&self, site: SiteId, answer: &'a str) -> Option<(&'a str, u32, Millis)> {
        if answer.len() > MAX_ANSWER_BYTES {
            return None;
        }
        let (challenge, number) = answer.split_once(':')?;
        number.parse::<u64>().ok()?;
        let (plain, tag) = challenge.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&self.tag(site, plain)[..], &tag[..])) {
            return None;
        }
        let mut parts = plain.split('.');
        let (bits, until) = (parts.next()?.parse().ok()?, parts.next()?.parse::<i64>().ok()?);
        Some((challenge, bits, Millis(until.saturating_mul(1000))))
    }

    fn mark_spent(&self, challenge: &str, until: Millis, now: Millis) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= MAX_SPENT {
            spent.retain(|_, until| *until >= now);
        }
        spent.len() < MAX_SPENT && spent.insert(challenge.to_owned(), until).is_none()
    }

    fn tag(&self, site: SiteId, plain: &str) -> [u8; TAG_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.update(format!("{site} {plain}").as_bytes());
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        std::array::from_fn(|i| whole[i])
    }
}

fn zero_bits(text: &str) -> u32 {
    let hash = Sha256::digest(text.as_bytes());
    let mut bits = 0;
    for byte in hash {
        bits += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: SiteId = SiteId(7);
    const NOW: Millis = Millis(1_700_000_000_000);

    fn done(challenge: &Challenge) -> String {
        let answers = (0_u64..).map(|number| format!("{}:{number}", challenge.challenge));
        answers.into_iter().find(|answer| zero_bits(answer) >= challenge.bits).expect("an answer exists")
    }

    #[test]
    fn an_answer_is_valid_once_on_its_site_and_in_time() {
        let work = ProofOfWork::default();
        let challenge = work.challenge(SITE, 8, NOW);
        let answer = done(&challenge);
        assert!(answer.len() < MAX_ANSWER_BYTES - 8, "room for the numbers of the hardest work");
        assert!(!work.verify(SiteId(8), &answer, NOW), "another site");
        assert!(!work.verify(SITE, &answer, NOW.plus_seconds(VALID_SECONDS + 1)), "too late");
        assert!(!ProofOfWork::default().verify(SITE, &answer, NOW), "another server's");
        assert!(work.verify(SITE, &answer, NOW));
        assert!(!work.verify(SITE, &answer, NOW), "a second time");
        let other = (0_u64..).map(|number| format!("{}:0{number}", challenge.challenge));
        let other = other.into_iter().find(|answer| zero_bits(answer) >= 8).expect("an answer exists");
        assert!(!work.verify(SITE, &other, NOW), "another number for the same challenge");
    }

    #[test]
    fn insufficient_or_modified_answers_are_refused() {
        let work = ProofOfWork::default();
        let challenge = work.challenge(SITE, 12, NOW);
        let lazy = (0_u64..).map(|number| format!("{}:{number}", challenge.challenge));
        let lazy = lazy.into_iter().find(|answer| zero_bits(answer) < 12).expect("most are");
        assert!(!work.verify(SITE, &lazy, NOW));
        let easier = challenge.challenge.replacen("12.", "1.", 1);
        assert!((0..50).all(|number| !work.verify(SITE, &format!("{easier}:{number}"), NOW)));
        for broken in
            ["", ":", "1", "1.2:3", "1.2.3.4:5", "....:1", &"x".repeat(200), &format!("{}:x", challenge.challenge)]
        {
            assert!(!work.verify(SITE, broken, NOW), "{broken}");
        }
    }
}
