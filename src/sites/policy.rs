//! What the owner allows, judged on each use: by the site as it stands now, whatever stood when a session began.

use crate::error::{Error, Result};

use super::{ConfigureSite, IdentityMode, Site};

impl Site {
    /// Would this change let in more than the site does: a weaker identity mode, or every page where domains are named? Naming
    /// one more domain is everyday work and does not count.
    pub fn is_weakened_by(&self, change: &ConfigureSite) -> bool {
        let strictness = |mode| match mode {
            IdentityMode::Shared => 0,
            IdentityMode::SameBrowser => 1,
            IdentityMode::SignedOnly => 2,
        };
        change.identity_mode.is_some_and(|mode| strictness(mode) < strictness(self.identity_mode))
            || change.allowed_domains.as_ref().is_some_and(Vec::is_empty) && !self.allowed_domains.is_empty()
    }

    /// May the widget be used now, by a page of this origin? None: a page of ours, or a script.
    ///
    /// # Errors
    /// `SitePaused`, `ForbiddenOrigin`.
    pub fn check_page(&self, origin: Option<&str>) -> Result<()> {
        if self.paused {
            return Err(Error::SitePaused);
        }
        if origin.is_some_and(|origin| !self.allows_origin(origin)) { Err(Error::ForbiddenOrigin) } else { Ok(()) }
    }
}
