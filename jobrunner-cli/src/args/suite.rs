use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Output, pair};

#[derive(Debug, Args)]
pub(crate) struct Suite {
    #[command(subcommand)]
    pub(crate) command: SuiteCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SuiteCommand {
    /// Say what is wrong with the jobs of a suite, or else what they run
    ///
    /// Jobs are checked by the rules of a service with this environment's settings, such as
    /// COMMAND_TIMEOUT_SECONDS and JOB_ENV_ALLOW.
    Check {
        /// The suite, a YAML file; - reads it from standard input
        suite: PathBuf,
        /// Give a parameter or variable of the suite a value; can be repeated
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
        set: Vec<(String, String)>,
        /// How to show the jobs
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Print the jobs that a suite makes, as a suite with nothing left to fill in, or as JSON
    Expand {
        /// The suite, a YAML file; - reads it from standard input
        suite: PathBuf,
        /// Give a parameter or variable of the suite a value; can be repeated
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
        set: Vec<(String, String)>,
        /// As what to print them
        #[arg(long, value_enum, default_value_t)]
        output: Expanded,
    },
}

/// How expanded jobs are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Expanded {
    /// A suite
    #[default]
    Yaml,
    /// The body of a request to POST /job-batches
    Json,
}
