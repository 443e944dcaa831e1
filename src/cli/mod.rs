//! The command line. One file for each command.
//!
//! Commands that change something lock the data folder; if a server holds it, they send the command to that server over
//! a socket in the folder, and print the same output.

mod audit;
mod backup;
mod demo;
mod describe;
mod doctor;
mod harden;
mod member;
mod migrate;
mod command;
mod probe;
mod restore;
mod serve;
mod settings;
mod site;
pub mod socket;
mod user;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use crate::config::Config;
use crate::id::Id;
use crate::output::outln;

/// Live chat for any website, in one binary.
#[derive(Parser)]
#[command(name = "ocs", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Subcommand)]
enum Subcommands {
    /// Serve the chat until stopped
    Serve(serve::Serve),
    /// Add accounts and change their passwords
    #[command(subcommand)]
    User(user::User),
    /// Add, list, rename and remove workspaces: each is a team with its sites
    #[command(subcommand)]
    Workspace(workspace::Workspace),
    /// Add, invite, change and remove the members of a workspace
    #[command(subcommand)]
    Member(member::Member),
    /// Add, list, rename, pause and remove sites, and replace their keys
    #[command(subcommand)]
    Site(site::Site),
    /// Bring the database up to date without serving
    Migrate(migrate::Migrate),
    /// Print who did what to accounts, sites and keys
    Audit(audit::Audit),
    /// Write database and images into one file; works while the server runs
    Backup(backup::Backup),
    /// Unpack a backup into a new data folder
    Restore(restore::Restore),
    /// Diagnose a data folder and its settings
    Doctor(doctor::Doctor),
    /// Fill a data folder with a sample owner, sites and chats
    Demo(demo::Demo),
    /// Measure what this machine can carry: messages, delivery and memory, next to the machine's own limits
    Bench(crate::bench::Bench),
    /// Print all settings, as an example file or as a documentation page
    Settings(settings::Settings),
    /// Print the OpenAPI description of the HTTP API, or who may do what in the console
    Describe(describe::Describe),
}

/// Sources of the settings.
#[derive(Args, Clone)]
struct ConfigArgs {
    /// Folder that holds everything [setting: data, variable: OCS_DATA; default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// File of settings [variable: OCS_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, overrides file and environment; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl ConfigArgs {
    fn read(&self) -> anyhow::Result<Config> {
        self.read_with(Vec::new())
    }

    /// `flags` are settings with a flag of their own.
    fn read_with(&self, mut flags: Vec<(&'static str, String)>) -> anyhow::Result<Config> {
        if let Some(data) = &self.data {
            flags.push(("data", data.to_str().context("--data must be UTF-8")?.to_owned()));
        }
        let mut all: Vec<(&str, String)> = Vec::new();
        for text in &self.set {
            let (key, value) = text.split_once('=').context("--set takes KEY=VALUE, such as --set signup=closed")?;
            all.push((key.trim(), value.to_owned()));
        }
        all.extend(flags);
        let config = Config::of_process(self.config.as_deref(), &all)?;
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for near_miss in Config::near_misses(names) {
            eprintln!("ocs: warning: {near_miss}");
        }
        Ok(config)
    }
}

/// Reads the id of an argument.
fn id<T: Id>(text: &str) -> Result<T, &'static str> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(T::from_number(number)),
        _ => Err("an id is a whole number above 0; the `list` commands print them"),
    }
}

/// Prints one JSON object.
fn print_object(value: &impl Serialize) -> anyhow::Result<()> {
    outln!("{}", serde_json::to_string(value)?);
    Ok(())
}

/// Prints a JSON list.
fn print_list(values: &[impl Serialize]) -> anyhow::Result<()> {
    outln!("{}", serde_json::to_string_pretty(values)?);
    Ok(())
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ocs: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Subcommands) -> anyhow::Result<()> {
    harden::harden();
    match command {
        Subcommands::Settings(settings) => return settings.run(),
        Subcommands::Describe(describe) => return describe.run(),
        _ => {}
    }
    let runtime = tokio::runtime::Runtime::new().context("the program cannot start its threads")?;
    runtime.block_on(async {
        match command {
            Subcommands::Serve(command) => command.run().await,
            Subcommands::User(command) => command.run().await,
            Subcommands::Workspace(command) => command.run().await,
            Subcommands::Member(command) => command.run().await,
            Subcommands::Site(command) => command.run().await,
            Subcommands::Migrate(command) => command.run().await,
            Subcommands::Audit(command) => command.run().await,
            Subcommands::Backup(command) => command.run().await,
            Subcommands::Restore(command) => command.run().await,
            Subcommands::Doctor(command) => command.run().await,
            Subcommands::Demo(command) => command.run().await,
            Subcommands::Bench(command) => command.run().await,
            Subcommands::Settings(command) => command.run(),
            Subcommands::Describe(_) => Ok(()),
        }
    })
}
