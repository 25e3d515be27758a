use clap::{Args, Subcommand};
use jobrunner_core::Role;

use super::Remote;

#[derive(Debug, Args)]
pub(crate) struct Users {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: UsersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List the accounts
    #[command(visible_alias = "ls")]
    List,
    /// Make an account
    ///
    /// The password is asked for, unless it is given by --password-stdin or JOBRUNNER_PASSWORD.
    Create {
        /// The address to sign in with
        email: String,
        /// What it may do: admin, operator or viewer
        #[arg(long, default_value = "operator", value_parser = role)]
        role: Role,
        /// How many of its jobs may run at one time [default: no limit]
        #[arg(long, value_name = "N")]
        max_running_jobs: Option<u32>,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        /// Make it for a program: it has no password, and uses tokens that you make for it
        #[arg(long, conflicts_with = "password_stdin")]
        service: bool,
    },
    /// Change an account; what is not named stays
    Update {
        /// The address it signs in with
        email: String,
        /// What it may do: admin, operator or viewer
        #[arg(long, value_parser = role)]
        role: Option<Role>,
        /// How many of its jobs may run at one time, or none for no limit
        #[arg(long, value_name = "N|none", value_parser = limit)]
        max_running_jobs: Option<Limit>,
        /// Ask for a new password; tokens given out before stop working
        #[arg(long)]
        password: bool,
        /// Read the new password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        /// Let a disabled account sign in again
        #[arg(long)]
        enable: bool,
    },
    /// Disable an account: it cannot sign in, and its tokens stop working within a second
    Disable {
        /// The address it signs in with
        email: String,
    },
}

/// A limit of running jobs; `None` is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) Option<u32>);

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| "must be admin, operator or viewer".to_owned())
}

fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(Limit(None)),
        number => match number.parse() {
            Ok(number) if number > 0 => Ok(Limit(Some(number))),
            _ => Err("must be a whole number above 0, or none".to_owned()),
        },
    }
}
