//! Handing a workspace over.

use crate::accounts::{self, Account, Accounts, Shown};
use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::AccountId;
use crate::storage::Tx;

use super::actor::pair;
use super::change::withdraw_what_is_too_much;
use super::{Member, Role, SiteScope, store};

/// Makes another active member the owner, and the present one, who shows who they are, an admin.
///
/// # Errors
/// `NotFound` for nobody's number or one's own; `RoleRequired`; see [`accounts::write_confirmed`].
pub async fn transfer(
    accounts: &Accounts,
    by: &By,
    (person, actor): (&Account, &Member),
    shown: Shown<'_>,
    account: AccountId,
) -> Result<()> {
    let (writer, workspace, actor) = (by.clone(), actor.workspace_id, actor.account_id);
    let act = move |tx: &mut Tx| {
        let (mut before, mut next) = pair(tx, workspace, actor, account)?;
        before.check_role(Role::Owner)?;
        if actor == account {
            return Err(Error::NotFound);
        }
        if !next.active {
            return Err(Error::Conflict("this member is deactivated; activate them first"));
        }
        let owner = before.clone();
        (before.role, next.role, next.sites) = (Role::Admin, Role::Owner, SiteScope::All);
        withdraw_what_is_too_much(tx, &owner, &before)?;
        for mut member in [before, next] {
            member.version += 1;
            store::put(tx, &member)?;
            events::effect(tx, Effect::MemberChanged(workspace, member.account_id));
        }
        let email = store::email(tx, account)?;
        audit::record(tx, &writer, Action::OwnershipTransferred, None, &email)
    };
    accounts::write_confirmed(accounts, by, person, shown, act).await
}
