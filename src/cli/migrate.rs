//! `ocs migrate`: migrates the database; `ocs serve` does the same at its start.

use clap::Args;

use crate::app::App;
use crate::clock::Clock;
use crate::output::outln;
use crate::storage::newest_schema;

use super::ConfigArgs;

#[derive(Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    config_args: ConfigArgs,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let app = App::open(self.config_args.read()?, Clock::System).await?;
        app.store.close().await;
        outln!("the database in {} is at schema {}, the newest", app.folder.path().display(), newest_schema());
        Ok(())
    }
}
