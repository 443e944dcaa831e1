//! The audience of an event: who hears of it, the side of a conversation, and the visitor's proof.

use serde::Serialize;

use super::Event;

/// Who hears of an event. Decided here and nowhere else; live delivery and resuming both ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The members who look after the site, and the visitor whose conversation it is.
    Conversation,
    /// The members who look after the site.
    Operators,
    /// No client.
    Server,
}

impl Event {
    /// Who hears of it.
    pub fn audience(&self) -> Audience {
        match self {
            Event::MessageSent { .. }
            | Event::ConversationChanged { .. }
            | Event::Delivered { .. }
            | Event::Seen { .. } => Audience::Conversation,
            Event::VisitorChanged { .. } | Event::SiteChanged | Event::HistoryTruncated => Audience::Operators,
            Event::ConversationsRemoved => Audience::Server,
        }
    }
}

/// The two sides of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Side {
    Visitor,
    Agent,
}

/// How a visitor's identity is known. A conversation belongs to (visitor, proof), so that a stranger who types somebody's
/// external id gets a separate conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A signed identity token.
    Signed,
    /// A conversation shared by everybody who names the id (identity mode `shared`).
    Shared,
    /// Only this browser's token; the text is random.
    Browser(String),
}

impl Proof {
    /// A new browser, with a random text.
    pub fn new_browser() -> Proof {
        Proof::Browser(crate::secret::random_text(12))
    }

    /// The form in the database.
    pub fn to_text(&self) -> String {
        match self {
            Proof::Signed => "signed".into(),
            Proof::Shared => "shared".into(),
            Proof::Browser(browser) => format!("browser:{browser}"),
        }
    }

    /// Parses the output of [`Self::to_text`]. Anything else becomes a browser that no token has, which proves nothing.
    pub fn parse(text: &str) -> Proof {
        match text {
            "signed" => Proof::Signed,
            "shared" => Proof::Shared,
            other => Proof::Browser(other.strip_prefix("browser:").unwrap_or_default().to_owned()),
        }
    }
}

/// The same form on the wire. It grants no access; only a token does.
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
