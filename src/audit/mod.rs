//! Audit log of accounts, sites and keys: entries are added and never changed, for owners and for the operator of the
//! machine.

use std::net::IpAddr;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{AccountId, AuditId, SiteId, WorkspaceId};
use crate::record;
use crate::storage::{Kind, Store, Tx};
use crate::text;

pub mod store;
pub mod trim;
pub mod view;

pub use store::SQL;
pub use trim::trim;

/// Days for which an entry is kept.
pub const DAYS: i64 = 365;
/// Longest subject, in graphemes.
const SUBJECT_GRAPHEMES: usize = 120;

/// The actor of an entry: the account concerned, and the client's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    account: Option<AccountId>,
    workspace: Option<WorkspaceId>,
    network: String,
}

impl By {
    /// The same actor, in the affairs of a workspace: its members may read the entries.
    pub fn in_workspace(self, workspace: WorkspaceId) -> By {
        By { workspace: Some(workspace), ..self }
    }

    /// The same actor, in affairs of their own.
    pub fn in_no_workspace(self) -> By {
        By { workspace: None, ..self }
    }

    /// An actor at this client address. Only the network is stored: enough to see "not from my office", too little to
    /// follow a person.
    pub fn at(account: AccountId, address: &str) -> By {
        By { account: Some(account), workspace: None, network: network_of(address) }
    }

    /// The operator of the machine, on the command line, for this account.
    pub fn on_machine(account: AccountId) -> By {
        By { account: Some(account), workspace: None, network: String::new() }
    }

    /// The operator of the machine, for no particular account.
    pub fn machine() -> By {
        By { account: None, workspace: None, network: String::new() }
    }
}

/// The audited actions. Their names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    AccountMade,
    SignedIn,
    SignedOut,
    SessionEnded,
    SessionConfirmed,
    PasswordChanged,
    SecondFactorOn,
    SecondFactorOff,
    SecondFactorFailed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    AccountDeleted,
    EmailChanged,
    PasswordResetCreated,
    WorkspaceCreated,
    WorkspaceRenamed,
    WorkspaceDeleted,
    MemberInvited,
    InvitationWithdrawn,
    MemberAdded,
    MemberJoined,
    MemberChanged,
    MemberRemoved,
    MemberLeft,
    OwnershipTransferred,
    SiteMade,
    SiteChanged,
    SiteDeleted,
    ChatKeyMade,
    ChatKeyRevoked,
    WidgetKeyMade,
    IdentitySecretMade,
    IdentitySecretDeleted,
    BackupMade,
    AttackCleanedUp,
    AttackSettled,
}

impl Action {
    /// The name, as stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::AccountMade => "account_made",
            Action::SignedIn => "signed_in",
            Action::SignedOut => "signed_out",
            Action::SessionEnded => "session_ended",
            Action::SessionConfirmed => "session_confirmed",
            Action::PasswordChanged => "password_changed",
            Action::SecondFactorOn => "second_factor_on",
            Action::SecondFactorOff => "second_factor_off",
            Action::SecondFactorFailed => "second_factor_failed",
            Action::RecoveryCodesMade => "recovery_codes_made",
            Action::RecoveryCodeUsed => "recovery_code_used",
            Action::AccountDeleted => "account_deleted",
            Action::EmailChanged => "email_changed",
            Action::PasswordResetCreated => "password_reset_created",
            Action::WorkspaceCreated => "workspace_created",
            Action::WorkspaceRenamed => "workspace_renamed",
            Action::WorkspaceDeleted => "workspace_deleted",
            Action::MemberInvited => "member_invited",
            Action::InvitationWithdrawn => "invitation_withdrawn",
            Action::MemberAdded => "member_added",
            Action::MemberJoined => "member_joined",
            Action::MemberChanged => "member_changed",
            Action::MemberRemoved => "member_removed",
            Action::MemberLeft => "member_left",
            Action::OwnershipTransferred => "ownership_transferred",
            Action::SiteMade => "site_made",
            Action::SiteChanged => "site_changed",
            Action::SiteDeleted => "site_deleted",
            Action::ChatKeyMade => "chat_key_made",
            Action::ChatKeyRevoked => "chat_key_revoked",
            Action::WidgetKeyMade => "widget_key_made",
            Action::IdentitySecretMade => "identity_secret_made",
            Action::IdentitySecretDeleted => "identity_secret_deleted",
            Action::BackupMade => "backup_made",
            Action::AttackCleanedUp => "attack_cleaned_up",
            Action::AttackSettled => "attack_settled",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Id; later entries have higher ids.
    pub id: AuditId,
    /// The account concerned; `None` for the whole server.
    pub account_id: Option<AccountId>,
    /// The workspace whose affair it is; `None`: the account's own.
    pub workspace_id: Option<WorkspaceId>,
    /// The site concerned.
    pub site_id: Option<SiteId>,
    /// Name of an [`Action`].
    pub action: String,
    /// The object: a name, or the last characters of a key. Never a secret.
    pub subject: String,
    /// The client's network; empty for the command line.
    pub network: String,
    /// Time.
    pub at: Millis,
}
record!(Entry { id, account_id, workspace_id, site_id, action, subject, network, at });

/// Adds an entry in the transaction of the audited change, so that both commit or neither.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &mut Tx, by: &By, action: Action, site: Option<SiteId>, subject: &str) -> Result<()> {
    let entry = Entry {
        id: tx.next_id(Kind::Audit, AuditId)?,
        account_id: by.account,
        workspace_id: by.workspace,
        site_id: site,
        action: action.as_str().to_owned(),
        subject: text::cut(&text::line(subject), SUBJECT_GRAPHEMES),
        network: by.network.clone(),
        at: tx.now(),
    };
    store::insert(tx, &entry)
}

/// Adds an entry in a transaction of its own, for actions outside the database.
///
/// # Errors
/// The database fails.
pub async fn note(store: &Store, by: &By, action: Action, subject: &str) -> Result<()> {
    let (by, subject) = (by.clone(), subject.to_owned());
    store.write(move |tx| record(tx, &by, action, None, &subject)).await
}

/// The network of an address, such as `203.0.113.0/24` or `2001:db8:7::/48`; empty if it cannot be parsed.
fn network_of(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_network_of_an_address_is_kept() {
        assert_eq!(network_of("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network_of("::ffff:203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network_of("2001:db8:7:1:2:3:4:5"), "2001:db8:7::/48");
        assert_eq!(network_of("not an address"), "");
    }
}
