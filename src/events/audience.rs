//! Who an event is for: the side of a conversation, and what a visitor has shown of itself.

use serde::Serialize;

/// The two sides of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Side {
    Visitor,
    Agent,
}

/// What a visitor has shown about being who it claims to be. A conversation belongs to (visitor, proof), so that a
/// stranger who types somebody's external id gets a conversation of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A signed identity token.
    Signed,
    /// A conversation that everybody who names the id shares (identity mode `shared`).
    Shared,
    /// This browser's own token; the text is random.
    Browser(String),
}

impl Proof {
    /// A browser that nobody has seen before.
    pub fn new_browser() -> Proof {
        Proof::Browser(crate::secret::random_text(12))
    }

    /// As the database keeps it.
    pub fn to_text(&self) -> String {
        match self {
            Proof::Signed => "signed".into(),
            Proof::Shared => "shared".into(),
            Proof::Browser(browser) => format!("browser:{browser}"),
        }
    }

    /// Reads what [`Self::to_text`] wrote. Anything else proves nothing: a browser that no token has.
    pub fn parse(text: &str) -> Proof {
        match text {
            "signed" => Proof::Signed,
            "shared" => Proof::Shared,
            other => Proof::Browser(other.strip_prefix("browser:").unwrap_or_default().to_owned()),
        }
    }
}

/// On the wire as in the database. It opens nothing: a token does.
impl Serialize for Proof {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl schemars::JsonSchema for Proof {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Proof".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}
