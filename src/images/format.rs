//! The formats, told by a file's first bytes and never by what somebody says it is: four are taken, three are given.

/// What an uploaded file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum InputFormat {
    Png,
    Jpeg,
    Gif,
    Webp,
}

impl InputFormat {
    /// Reads the signature. Anything else is none that we take.
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

/// What a stored image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Png,
    Jpeg,
    Gif,
}

impl Format {
    /// The end of a file name.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Jpeg => "jpg",
            Format::Gif => "gif",
        }
    }

    /// The format that a file name's end stands for.
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
