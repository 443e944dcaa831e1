//! Typed ids: a site id cannot be passed as a conversation id.

use serde::{Deserialize, Serialize};

/// A numeric id: positive, unique within its type, at most 2^53 so that JavaScript can represent it.
pub trait Id: Copy {
    /// The id as stored in the database.
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
    /// A customer: it has sites and members. The tenant. Accounts and workspaces share one block of numbers, so that no
    /// number is both's, but for those that were made before there were workspaces.
    WorkspaceId,
    /// An invitation to a workspace.
    InvitationId,
    /// A signed-in session of an account.
    SessionId,
    /// A website with a chat of its own.
    SiteId,
    /// A chat API key, widget key or identity secret of a site.
    KeyId,
    /// A visitor of one site.
    VisitorId,
    /// A visitor as identified by one proof.
    PersonId,
    /// A visitor's session token: one browser.
    TokenId,
    /// A conversation; the number is public in the compatible API.
    ConversationId,
    /// A stored message.
    MessageId,
    /// A stored image.
    ImageId,
    /// An entry of the audit log.
    AuditId,
}
