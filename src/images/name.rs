//! File names of images. They are random, because knowing the name grants access to the file.

use std::fmt;

use serde::Serialize;

use crate::clock::Millis;

use super::{Format, Uploader};

/// Random bytes in a name: 128 bits, written as 32 hexadecimal digits.
const RANDOM_BYTES: usize = 16;

/// `<sender>_<YYYYMMDD>_<HHMMSS>_<random>.<ext>`: the name of a chat image or its thumbnail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ImageName(String);

/// Name of any stored file: an [`ImageName`] or `logo_<random>.<ext>`. It contains no path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName(String);

impl ImageName {
    /// A new random name.
    pub(super) fn random(uploader: Uploader, now: Millis, format: Format) -> ImageName {
        ImageName(format!("{}_{}_{}.{}", uploader.side(), now.to_file_text(), random_hex(), format.extension()))
    }

    /// Parses a name; `None` if this server cannot have created it.
    pub fn parse(text: &str) -> Option<ImageName> {
        let (stem, extension) = text.split_once('.')?;
        Format::from_extension(extension)?;
        let mut parts = stem.split('_');
        let sender = matches!(parts.next()?, "visitor" | "agent");
        let date = is_digits(parts.next()?, 8);
        let time = is_digits(parts.next()?, 6);
        let random = is_hex(parts.next()?);
        (sender && date && time && random && parts.next().is_none()).then(|| ImageName(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FileName {
    /// A new random logo name.
    pub(super) fn random_logo(format: Format) -> FileName {
        FileName(format!("logo_{}.{}", random_hex(), format.extension()))
    }

    /// Parses a logo name; `None` if this server cannot have created it.
    pub fn parse_logo(text: &str) -> Option<FileName> {
        let (stem, extension) = text.split_once('.')?;
        Format::from_extension(extension)?;
        is_hex(stem.strip_prefix("logo_")?).then(|| FileName(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The format, by the extension.
    pub(super) fn format(&self) -> Format {
        let extension = self.0.rsplit('.').next().unwrap_or_default();
        Format::from_extension(extension).unwrap_or(Format::Png)
    }

    /// The first two digits of the random part: the name of one of 256 subfolders.
    pub(super) fn shard_folder(&self) -> &str {
        let stem = self.0.split('.').next().unwrap_or_default();
        stem.rsplit('_').next().and_then(|random| random.get(..2)).unwrap_or("00")
    }
}

impl From<&ImageName> for FileName {
    fn from(name: &ImageName) -> FileName {
        FileName(name.0.clone())
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn random_hex() -> String {
    let mut bytes = [0u8; RANDOM_BYTES];
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_hex(text: &str) -> bool {
    text.len() == RANDOM_BYTES * 2 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{KeyId, VisitorId};

    #[test]
    fn a_name_says_who_and_when_and_cannot_be_guessed() {
        let now = Millis(1_705_329_120_000);
        let visitor = ImageName::random(Uploader::Visitor(VisitorId(1)), now, Format::Jpeg);
        assert!(visitor.as_str().starts_with("visitor_20240115_143200_"), "{visitor}");
        assert_eq!(visitor.as_str().len(), "visitor_20240115_143200_.jpg".len() + 32);
        assert_eq!(ImageName::parse(visitor.as_str()), Some(visitor.clone()));
        let agent = ImageName::random(Uploader::Api(KeyId(1)), now, Format::Gif);
        assert!(agent.as_str().starts_with("agent_") && agent.as_str().ends_with(".gif"));
        assert_ne!(visitor, ImageName::random(Uploader::Visitor(VisitorId(1)), now, Format::Jpeg));
    }

    #[test]
    fn foreign_names_are_refused() {
        let hex = "0123456789abcdef0123456789abcdef";
        for bad in [
            "",
            "..",
            "../ocs.db",
            "visitor_20240115_143200.jpg",
            "visitor_20240115_143200_0123.jpg",
            &format!("visitor_20240115_143200_{hex}.svg"),
            &format!("visitor_20240115_143200_{hex}.jpg.png"),
            &format!("visitor_20240115_143200_{hex}_x.jpg"),
            &format!("visitor_20240115_143200_{}.jpg", hex.to_uppercase()),
            &format!("visitor_2024/115_143200_{hex}.jpg"),
            &format!("guest_20240115_143200_{hex}.jpg"),
        ] {
            assert_eq!(ImageName::parse(bad), None, "{bad}");
        }
        assert!(FileName::parse_logo(&format!("logo_{hex}.png")).is_some());
        assert!(FileName::parse_logo(&format!("visitor_20240115_143200_{hex}.png")).is_none());
    }
}
