//! E-mail addresses: the names by which people sign in. No mail is sent to them, so little is asked of their form.

use crate::error::{Error, Result};
use crate::text;

/// Longest address, in bytes (RFC 5321, 4.5.3.1).
const LONGEST: usize = 254;

/// An address as it is kept and compared: trimmed, lower-case, at most 254 bytes.
///
/// # Errors
/// `Invalid` for what is no address.
pub fn normalise(asked: &str) -> Result<String> {
    let email = asked.trim().to_lowercase();
    let refuse = || Err(Error::invalid("email", "an e-mail address such as otto@shop.example is needed"));
    if email.len() > LONGEST || email.chars().any(char::is_whitespace) || !text::is_distinct_line(&email) {
        return refuse();
    }
    match email.split_once('@') {
        Some((name, domain)) if !name.is_empty() && name.len() <= 64 && is_domain(domain) => Ok(email),
        _ => refuse(),
    }
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_without_case() {
        assert_eq!(normalise("  Otto@Shop.Example ").expect("valid"), "otto@shop.example");
        assert_eq!(normalise("o+x@localhost").expect("valid"), "o+x@localhost");
        for bad in [
            "",
            "otto",
            "@shop.example",
            "otto@",
            "otto@shop..example",
            "a@b@c",
            "o tto@x.example",
            "o\u{0}@x.example",
            "o\u{202e}@x.example",
        ] {
            assert!(normalise(bad).is_err(), "{bad:?}");
        }
        assert!(normalise(&format!("{}@x.example", "o".repeat(65))).is_err());
    }
}
