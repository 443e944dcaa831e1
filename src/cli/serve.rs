//! `ocs serve`: runs the server.

use clap::Args;

use super::ConfigArgs;

#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Address and port to listen on [setting: listen; default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let flags = self.listen.map(|listen| ("listen", listen));
        let config = self.config_args.read_with(flags.into_iter().collect())?;
        crate::logging::start(&config)?;
        crate::serve::run(config, super::socket::listen).await
    }
}
