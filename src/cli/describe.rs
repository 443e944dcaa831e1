//! `ocs describe`.

use clap::Args;

use crate::output::outln;

#[derive(Args)]
pub(super) struct Describe {
    /// Print the table of roles instead, as a page of Markdown
    #[arg(long)]
    roles: bool,
}

impl Describe {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.roles {
            outln!("{}", crate::routes::roles_page());
        } else {
            outln!("{:#}", crate::openapi::describe());
        }
        Ok(())
    }
}
