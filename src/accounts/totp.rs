//! Codes that change with time (RFC 6238), as every authenticator app makes them: six digits, thirty seconds, SHA-1.

use ring::hmac;
use subtle::ConstantTimeEq;

use crate::clock::Millis;

/// Bytes of a secret: as long as the hash, which RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
const STEP_S: i64 = 30;
/// Steps by which a phone's clock may be off, either way.
const SKEW: i64 = 1;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step in which this secret shows this code about now, later than `after`: a code that was used, and any before
/// it, is over.
pub fn step_of(secret: &[u8], code: &str, now: Millis, after: i64) -> Option<i64> {
    let digits: Vec<u8> = code.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if digits.len() != 6 {
        return None;
    }
    let step = now.0.div_euclid(1000 * STEP_S);
    // All are compared: how long it takes says nothing about which it was.
    (step - SKEW..=step + SKEW)
        .filter(|step| *step >= 0)
        .map(|step| (step, bool::from(code_at(secret, step).as_bytes().ct_eq(&digits))))
        .fold(None, |found, (step, right)| if right && step > after { Some(step) } else { found })
}

/// The code of one step.
pub fn code_at(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[bytes.len() - 1] & 0x0f);
    let number = bytes[offset..offset + 4].iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// Base32 without padding (RFC 4648): how secrets are typed.
pub fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let mut block = [0; 8];
        block[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(block);
        let letters = (group.len() * 8).div_ceil(5);
        text.extend((0..letters).map(|at| char::from(ALPHABET[(bits >> (35 - at * 5) & 31) as usize])));
    }
    text
}

/// Reads what [`to_base32`] wrote.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = bits << 5 | value as u32;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, cut to six digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(SECRET, seconds / 30), code);
            assert_eq!(step_of(SECRET, code, Millis(seconds * 1000), -1), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_works_for_a_neighbouring_step_and_once() {
        let (now, step) = (Millis(1_111_111_111_000), 1_111_111_111 / 30);
        for near in [step - 1, step, step + 1] {
            assert_eq!(step_of(SECRET, &code_at(SECRET, near), now, 0), Some(near));
            assert_eq!(step_of(SECRET, &code_at(SECRET, near), now, near), None, "used");
        }
        for far in [step - 2, step + 2] {
            assert_eq!(step_of(SECRET, &code_at(SECRET, far), now, 0), None);
        }
        assert_eq!(step_of(SECRET, " 050 471 ", now, 0), Some(step), "as apps show it");
        for bad in ["", "05047", "0504711", "O50471", "٠٥٠٤٧١", "-50471"] {
            assert_eq!(step_of(SECRET, bad, now, 0), None, "{bad}");
        }
        assert_eq!(step_of(SECRET, "050471", Millis(-1), 0), None, "a clock before 1970 lets nobody in");
        assert_eq!(step_of(SECRET, "050471", Millis(i64::MAX), 0), None);
    }

    #[test]
    fn base32_is_read_back() {
        assert_eq!(to_base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(to_base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for length in 0..=SECRET_BYTES {
            let bytes: Vec<u8> = (0..length as u8).map(|byte| byte.wrapping_mul(151)).collect();
            assert_eq!(from_base32(&to_base32(&bytes)), Some(bytes));
        }
        assert_eq!(from_base32("M1"), None);
    }
}
