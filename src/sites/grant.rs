//! What a chat API key may do, from where, and until when.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::config::Network;
use crate::error::{Error, Result};

/// Addresses and networks that one key may name.
const MOST_NETWORKS: usize = 20;

/// What a chat API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Read messages and reply.
    #[default]
    All,
    /// Read messages.
    Read,
    /// Reply.
    Reply,
}

impl KeyScope {
    /// As the database keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyScope::All => "all",
            KeyScope::Read => "read",
            KeyScope::Reply => "reply",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<KeyScope> {
        [KeyScope::All, KeyScope::Read, KeyScope::Reply].into_iter().find(|scope| scope.as_str() == text)
    }

    /// May it read messages?
    pub fn may_read(self) -> bool {
        matches!(self, KeyScope::All | KeyScope::Read)
    }

    /// May it reply?
    pub fn may_reply(self) -> bool {
        matches!(self, KeyScope::All | KeyScope::Reply)
    }
}

/// What a chat API key opens. By itself: everything, from anywhere, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// What it may do.
    pub scope: KeyScope,
    /// From where; empty: from anywhere.
    pub networks: Vec<Network>,
    /// When it stops working.
    pub expires_at: Option<Millis>,
}

impl Grant {
    /// Checks what an owner chose for a new key.
    ///
    /// # Errors
    /// `Invalid`: an end that is past, too many networks, or what is none.
    pub fn checked(scope: KeyScope, networks: &[String], expires_at: Option<Millis>, now: Millis) -> Result<Grant> {
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid("expires_at", "must be a time to come, in milliseconds since 1970"));
        }
        if networks.len() > MOST_NETWORKS {
            return Err(Error::invalid("networks", format!("must be at most {MOST_NETWORKS}")));
        }
        let read = |text: &String| Network::parse(text).map_err(|reason| Error::invalid("networks", reason));
        Ok(Grant { scope, networks: networks.iter().map(read).collect::<Result<_>>()?, expires_at })
    }

    /// May it be used from this address?
    pub fn admits(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(address))
    }
}
