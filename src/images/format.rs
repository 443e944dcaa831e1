//! Image formats, detected by magic bytes and never by what the client claims: four are accepted, three are served.

/// Format of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum InputFormat {
    Png,
    Jpeg,
    Gif,
    Webp,
}

impl InputFormat {
    /// Detects the format; `None` if it is not accepted.
    pub fn of(bytes: &[u8]) -> Option<InputFormat> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(InputFormat::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(InputFormat::Jpeg)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(InputFormat::Gif)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(InputFormat::Webp)
        } else {
            None
        }
    }
}

/// Format of a stored image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Png,
    Jpeg,
    Gif,
}

impl Format {
    /// File name extension.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Jpeg => "jpg",
            Format::Gif => "gif",
        }
    }

    /// The format of a file name extension.
    pub fn from_extension(extension: &str) -> Option<Format> {
        [Format::Png, Format::Jpeg, Format::Gif].into_iter().find(|format| format.extension() == extension)
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Png => "image/png",
            Format::Jpeg => "image/jpeg",
            Format::Gif => "image/gif",
        }
    }
}
