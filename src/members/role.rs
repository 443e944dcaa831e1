//! What a member may do.

use serde::{Deserialize, Serialize};

/// A member's role. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads conversations.
    Viewer,
    /// Answers visitors.
    Operator,
    /// Changes settings and manages members below owners.
    Admin,
    /// Everything, also deleting the workspace and handing it over.
    Owner,
}

impl Role {
    /// The form in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }

    /// Parses the output of [`Self::as_str`]. Anything else, which a newer version wrote, may do the least.
    pub fn parse(text: &str) -> Role {
        match text {
            "owner" => Role::Owner,
            "admin" => Role::Admin,
            "operator" => Role::Operator,
            _ => Role::Viewer,
        }
    }
}
