use std::{fmt, num::NonZeroUsize, path::PathBuf};

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
    /// Make a suite of another tool's tests, which the tool itself lists and runs
    From(From),
    /// Run a command and write what it prints of tests as JUnit; jobs of suites made by `from` do
    Record(Record),
}

/// Examples:
///   jobrunner suite from pytest --shards 8 --durations last.xml > suite.yaml
///   jobrunner suite from ctest --dir build | jobrunner run -
///   jobrunner suite from junit last.xml -- ./runner --only {name}
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct From {
    /// Whose tests
    #[arg(value_enum)]
    pub(crate) tool: Tool,
    /// What the tool listed before, instead of running it; - reads standard input
    pub(crate) listing: Option<PathBuf>,
    /// Where the tool is run: for ctest and automake, where the project was built
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// How the tool is called, with the options it always needs, as in "python -m pytest"
    #[arg(long, value_name = "COMMAND")]
    pub(crate) program: Option<String>,
    /// Group the tests into N jobs that take about as long [default: a job for each test]
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<NonZeroUsize>,
    /// JUnit of an earlier run, by which jobs are made even; can be repeated
    #[arg(long, value_name = "FILE", requires = "shards")]
    pub(crate) durations: Vec<PathBuf>,
    /// Where jobs write JUnit [default: jobrunner-junit, where the tool is run]
    #[arg(long, value_name = "DIR")]
    pub(crate) junit_dir: Option<PathBuf>,
    /// The name of the suite [default: that of the tool]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Where to write the suite [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// What the tool is told when it lists, as paths and filters; for junit, the command of a job
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

/// A tool that runs tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tool {
    /// pytest --collect-only
    Pytest,
    /// ctest --show-only=json-v1, in a built CMake project
    Ctest,
    /// cargo nextest list
    Nextest,
    /// cargo test, a target at a time
    Cargo,
    /// make check, in a built project
    Automake,
    /// prove --dry: programs that print TAP
    Tap,
    /// Any tool: the results of an earlier run, and a command
    Junit,
}

impl Tool {
    /// How it is called if nobody says otherwise.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Pytest => "pytest",
            Self::Ctest => "ctest",
            Self::Nextest => "cargo nextest",
            Self::Cargo => "cargo",
            Self::Automake => "make",
            Self::Tap => "prove",
            Self::Junit => "",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pytest => "pytest",
            Self::Ctest => "ctest",
            Self::Nextest => "nextest",
            Self::Cargo => "cargo",
            Self::Automake => "automake",
            Self::Tap => "tap",
            Self::Junit => "junit",
        })
    }
}

/// Prints what the command prints, and ends as it does, unless --skip-exit-code says otherwise.
#[derive(Debug, Args)]
pub(crate) struct Record {
    /// What the command prints
    #[arg(value_enum)]
    pub(crate) format: Format,
    /// Where to write the results
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: PathBuf,
    /// The name of the suite in them
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) suite: String,
    /// How to end when every test was skipped; where the command itself ends so, this ends with 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) skip_exit_code: Option<u8>,
    /// The command
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// How results of tests are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// PASS: NAME, as make check does
    Automake,
    /// Nothing that is read: it writes the results as JUnit itself
    Junit,
    /// test NAME ... ok, as Rust's test programs do
    Libtest,
    /// As prove --verbose does
    Prove,
    /// The Test Anything Protocol
    Tap,
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
