use std::time::Duration;

use clap::{Args, Subcommand};
use jobrunner_core::user::TokenScope;

use super::Remote;
use crate::find::TokenRef;

#[derive(Debug, Args)]
pub(crate) struct Tokens {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: TokensCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// List your access tokens
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        owner: OfService,
    },
    /// Make an access token for a program
    ///
    /// Prints its secret, once: give it to the program as JOBRUNNER_TOKEN. It never allows more
    /// than you may do yourself.
    Create {
        /// What to call it
        name: String,
        /// What it is good for: read, submit, control, admin
        #[arg(long = "scope", value_name = "A,B", value_delimiter = ',', default_value = "read", value_parser = scope)]
        scopes: Vec<TokenScope>,
        /// How long it is good, as in 90days [default: until it is deleted]
        #[arg(long, value_name = "DURATION", value_parser = super::duration)]
        expires_in: Option<Duration>,
        #[command(flatten)]
        owner: OfService,
    },
    /// Delete access tokens: what uses them stops working at once
    #[command(visible_alias = "rm")]
    Delete {
        /// Which tokens, by id or four or more digits of one
        #[arg(required = true)]
        tokens: Vec<TokenRef>,
        #[command(flatten)]
        owner: OfService,
    },
}

/// Whose tokens.
#[derive(Clone, Debug, Args)]
pub(crate) struct OfService {
    /// Those of this service account, by its address; for admins
    #[arg(long = "for", value_name = "EMAIL")]
    pub(crate) email: Option<String>,
}

fn scope(text: &str) -> Result<TokenScope, String> {
    text.parse().map_err(|_| "must be read, submit, control or admin".to_owned())
}
