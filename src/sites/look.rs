//! How a site's widget looks, and the rule that its text must be readable.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

use super::contrast;

/// The three designs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// The familiar help window.
    #[default]
    Classic,
    /// Part of the page.
    Minimal,
    /// A friendly messenger.
    Bubble,
}

/// The corner of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Position {
    BottomLeft,
    #[default]
    BottomRight,
}

/// Light, dark, or as the page and the visitor's system are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scheme {
    #[default]
    Auto,
    Light,
    Dark,
}

/// Colours, design and place of a site's widget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Design.
    pub variant: Variant,
    /// Corner.
    pub position: Position,
    /// Light or dark.
    pub scheme: Scheme,
    /// Launcher, the visitor's bubbles, buttons.
    pub primary: Colour,
    /// Text on `primary`.
    pub primary_text: Colour,
    /// Header background.
    pub header: Colour,
    /// Text on `header`.
    pub header_text: Colour,
}

impl Look {
    /// Can both texts be read?
    ///
    /// # Errors
    /// `UnreadableColours` with the nearest readable text colour.
    pub fn check(&self) -> Result<()> {
        check_pair("primary_text", self.primary_text, self.primary)?;
        check_pair("header_text", self.header_text, self.header)
    }
}

fn check_pair(field: &'static str, text: Colour, background: Colour) -> Result<()> {
    if contrast::is_readable(text, background) {
        return Ok(());
    }
    Err(Error::UnreadableColours { field, nearest: contrast::nearest_readable(text, background).into() })
}

impl Default for Look {
    fn default() -> Look {
        let (blue, white) = (Colour([0x25, 0x63, 0xeb]), Colour([0xff, 0xff, 0xff]));
        Look {
            variant: Variant::default(),
            position: Position::default(),
            scheme: Scheme::default(),
            primary: blue,
            primary_text: white,
            header: blue,
            header_text: white,
        }
    }
}

/// An sRGB colour, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

impl schemars::JsonSchema for Colour {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Colour".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^#[0-9a-fA-F]{6}$" })
    }
}

impl TryFrom<String> for Colour {
    type Error = &'static str;
    fn try_from(text: String) -> std::result::Result<Colour, &'static str> {
        const WANTED: &str = "a colour is written #rrggbb";
        let digits = text.strip_prefix('#').filter(|rest| rest.len() == 6 && rest.is_ascii()).ok_or(WANTED)?;
        let number = u32::from_str_radix(digits, 16).map_err(|_| WANTED)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Colour([red, green, blue]))
    }
}

impl From<Colour> for String {
    fn from(Colour([red, green, blue]): Colour) -> String {
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}
