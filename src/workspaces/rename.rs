//! Renaming a workspace.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::WorkspaceId;
use crate::storage::{Store, Tx};
use crate::text;

use super::{NAME_GRAPHEMES, store};

/// Changes the name, which only members see.
///
/// # Errors
/// A name that is empty or too long; `NotFound`.
pub async fn rename(store: &Store, by: &By, workspace: WorkspaceId, asked: &str) -> Result<()> {
    let (by, name) = (by.clone(), name(asked)?);
    let act = move |tx: &mut Tx| {
        if !store::set_name(tx, workspace, &name)? {
            return Err(Error::NotFound);
        }
        audit::record(tx, &by, Action::WorkspaceRenamed, None, &name)
    };
    store.write(act).await
}

/// A workspace's name as it is kept.
///
/// # Errors
/// When it is empty or too long.
pub fn name(asked: &str) -> Result<String> {
    let name = text::line(asked);
    match text::graphemes(&name) {
        0 => Err(Error::invalid("name", "give the workspace a name")),
        1..=NAME_GRAPHEMES => Ok(name),
        _ => Err(Error::invalid("name", format!("at most {NAME_GRAPHEMES} characters"))),
    }
}
