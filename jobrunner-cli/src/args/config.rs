use clap::{Args, Subcommand};

use super::Output;

/// Names stand for URLs in --server and JOBRUNNER_SERVER. They are kept in config.toml in your
/// configuration directory.
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// How to show results
    #[arg(short, long, value_enum, default_value_t, global = true)]
    pub(crate) output: Output,
    /// Print names alone instead of tables, and no hints
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Name a server
    Add {
        /// The name: letters, digits, dots, dashes and underscores
        name: String,
        /// Its URL
        url: String,
    },
    /// List the servers, and which one is asked
    #[command(visible_alias = "ls")]
    List,
    /// Forget the name of a server
    #[command(visible_alias = "rm")]
    Remove {
        /// The name
        #[arg(add = crate::complete::servers())]
        name: String,
    },
    /// Choose the server that is asked when none is named
    Use {
        /// Its name or URL
        #[arg(add = crate::complete::servers())]
        server: String,
    },
}
