//! Ids are types: a number that names a site can never be passed where a conversation is meant.

use serde::{Deserialize, Serialize};

/// A numeric id: positive, unique within its kind, never above 2^53 so that JavaScript can hold it.
pub trait Id: Copy {
    /// The number as the database keeps it.
    fn number(self) -> i64;
    /// The id of this number, which the database gave.
    fn from_number(number: i64) -> Self;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl Id for $name {
            fn number(self) -> i64 { self.0 }
            fn from_number(number: i64) -> $name { $name(number) }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
    )* };
}

ids! {
    /// An operator's account.
    AccountId,
    /// A signed-in session of an account.
    SessionId,
    /// A website with a chat of its own: the tenant.
    SiteId,
    /// A chat API key, widget key or identity secret of a site.
    KeyId,
    /// A visitor of one site.
    VisitorId,
    /// A visitor as one proof shows it.
    PersonId,
    /// A visitor's token: one browser.
    TokenId,
    /// A conversation; the number is public in the compatible API.
    ConversationId,
    /// A stored message.
    MessageId,
    /// An event that is not a message.
    EventId,
    /// A stored image.
    ImageId,
    /// A line of the audit log.
    AuditId,
}
