//! `ocs user add`, `ocs user password`, `ocs user reset`, `ocs user totp-off`, `ocs user list`.

use std::io::Read;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::accounts::Account;
use crate::clock::Millis;
use crate::id::AccountId;
use crate::output::outln;

use super::ConfigArgs;
use super::command::{Command, Output, send, unexpected};

#[derive(Subcommand)]
pub(super) enum User {
    /// Add an account, also where sign-up is closed
    Add(Add),
    /// Change the password of an account; it is signed out everywhere
    Password(Password),
    /// Print a link with which somebody who forgot the password sets a new one; it works once, for a day
    Reset(Reset),
    /// Turn off two-factor authentication for an owner who lost the device and the recovery codes
    TotpOff(TotpOff),
    /// List all accounts
    List(List),
}

#[derive(Args)]
pub(super) struct Add {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// E-mail address to sign in with
    #[arg(long)]
    email: String,
    /// Name that visitors see [default: the address up to the @]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Args)]
pub(super) struct Password {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// E-mail address of the account
    #[arg(long)]
    email: String,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Args)]
pub(super) struct Reset {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// E-mail address of the account
    #[arg(long)]
    email: String,
    /// Print one JSON object with email and link
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct TotpOff {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// E-mail address of the account
    #[arg(long)]
    email: String,
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct PasswordSource {
    /// Read the password (10 to 256 characters) from standard input
    #[arg(long)]
    password_stdin: bool,
}

/// An account in the output.
#[derive(Serialize, Deserialize)]
pub(super) struct UserOutput {
    pub id: AccountId,
    pub email: String,
    pub name: String,
    pub created_at: Millis,
}

/// A link that sets a new password, in the output.
#[derive(Serialize, Deserialize)]
pub(super) struct ResetOutput {
    pub email: String,
    pub link: String,
}

impl From<Account> for UserOutput {
    fn from(Account { id, email, name, photo: _, created_at }: Account) -> UserOutput {
        UserOutput { id, email, name, created_at }
    }
}

impl User {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            User::Add(add) => add.run().await,
            User::Password(password) => password.run().await,
            User::Reset(reset) => reset.run().await,
            User::TotpOff(off) => off.run().await,
            User::List(list) => list.run().await,
        }
    }
}

impl Reset {
    async fn run(self) -> anyhow::Result<()> {
        let answer = send(self.config_args.read()?, Command::CreateReset { email: self.email }).await?;
        let Output::ResetCreated(reset) = answer else { return Err(unexpected()) };
        if self.json {
            outln!("{}", serde_json::to_string(&reset)?);
            return Ok(());
        }
        outln!("{} can set a new password with this link; it works once, for a day:\n", reset.email);
        outln!("{}", reset.link);
        Ok(())
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let command = Command::AddUser { email: self.email, password: self.password.read()?, name: self.name };
        let Output::User(user) = send(self.config_args.read()?, command).await? else { return Err(unexpected()) };
        outln!("{} can sign in now (account {}, name \"{}\")", user.email, user.id, user.name);
        Ok(())
    }
}

impl Password {
    async fn run(self) -> anyhow::Result<()> {
        let command = Command::SetPassword { email: self.email, password: self.password.read()? };
        let Output::User(user) = send(self.config_args.read()?, command).await? else { return Err(unexpected()) };
        outln!("{} has a new password and is signed out everywhere", user.email);
        Ok(())
    }
}

impl TotpOff {
    async fn run(self) -> anyhow::Result<()> {
        let command = Command::EndSecondFactor { email: self.email };
        let Output::User(user) = send(self.config_args.read()?, command).await? else { return Err(unexpected()) };
        outln!(
            "{} now signs in with the password alone; two-factor authentication can be set up again on the account page",
            user.email
        );
        Ok(())
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let Output::Users(users) = send(self.config_args.read()?, Command::ListUsers).await? else {
            return Err(unexpected());
        };
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&users)?);
            return Ok(());
        }
        for user in users {
            outln!("{:>6}  {}  {}  {}", user.id, user.created_at.to_api_text(), user.email, user.name);
        }
        Ok(())
    }
}

impl PasswordSource {
    /// Passwords are never arguments: those are visible to everybody on the machine and stay in the shell's history.
    fn read(&self) -> anyhow::Result<String> {
        if !self.password_stdin {
            bail!(
                "add --password-stdin and give the password on standard input, such as: ocs user add … < password.txt"
            );
        }
        let mut text = String::new();
        std::io::stdin().take(10_000).read_to_string(&mut text).context("the password could not be read")?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        if password.contains('\n') {
            bail!("the password on standard input has more than one line");
        }
        Ok(password.to_owned())
    }
}
