//! Making a site.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{SiteId, WorkspaceId};
use crate::secret::random_text;
use crate::storage::{Kind, Store, Tx};

use super::key::WIDGET_KEY_PREFIX;
use super::{IdentityMode, Limits, Look, Site, configure, store};

/// Makes a site with its widget key, ready for the snippet. Its chat API is closed until a key is asked for: most sites
/// never need one, and a secret that nobody wanted is only a risk.
///
/// # Errors
/// A name that is empty or too long; `Conflict` when the workspace has `most` sites already.
pub async fn create(store: &Store, by: &By, workspace: WorkspaceId, name: &str, most: usize) -> Result<Site> {
    let (by, name) = (by.clone(), configure::name(name)?);
    let act = move |tx: &mut Tx| {
        if usize::try_from(store::count_of_workspace(tx, workspace)?).unwrap_or(usize::MAX) >= most {
            return Err(Error::Conflict(
                "this workspace has as many sites as this server allows; delete one that is not used any more",
            ));
        }
        create_in(tx, &by, workspace, &name)
    };
    store.write(act).await
}

fn create_in(tx: &mut Tx, by: &By, workspace: WorkspaceId, name: &str) -> Result<Site> {
    let site = Site {
        id: tx.next_id(Kind::Site, SiteId)?,
        workspace_id: workspace,
        name: name.to_owned(),
        paused: false,
        widget_key: format!("{WIDGET_KEY_PREFIX}{}", random_text(16)),
        look: Look::default(),
        welcome: Default::default(),
        logo: None,
        limits: Limits::default(),
        allowed_domains: Vec::new(),
        identity_mode: IdentityMode::default(),
        identity_secrets: Vec::new(),
        opaque_agent_ids: false,
        seen_page: None,
        created_at: tx.now(),
    };
    store::insert(tx, &site)?;
    audit::record(tx, by, Action::SiteMade, Some(site.id), &site.name)?;
    super::changed(tx, site.id)?;
    Ok(site)
}
