use clap::{Args, Subcommand};
use jobrunner_core::verdict::Outcome;

use super::{Remote, count};
use crate::find::{SeriesRef, TestRef};

#[derive(Debug, Args)]
pub(crate) struct Series {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: SeriesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SeriesCommand {
    /// List series, newest first
    #[command(visible_alias = "ls")]
    List {
        /// Only those of this name; * stands for any text
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        part: Part,
    },
    /// Show a series and its last runs
    Show {
        /// Which series, by its name or its id
        series: SeriesRef,
        /// Only the runs of this branch
        #[arg(long)]
        branch: Option<String>,
        #[command(flatten)]
        part: Part,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Tests {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: TestsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TestsCommand {
    /// List the tests of a series' last 50 runs, those that failed last first
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        of: Of,
        /// Only those that ended so the last time: passed, skipped, flaky, not_run, infra or failed
        #[arg(long)]
        status: Option<Outcome>,
        #[command(flatten)]
        part: Part,
    },
    /// Show a test: its results, why and where it failed, and whether it can be relied on
    Show {
        /// Which test, by its id, or by its name with --series
        test: TestRef,
        /// The series that it is of, by its name or its id
        #[arg(long)]
        series: Option<SeriesRef>,
        #[command(flatten)]
        part: Part,
    },
    /// List the tests of a series that can be relied on least, the worst first, with what proves it
    ///
    /// Three numbers tell how far: for how many revisions a test has passed and failed, which
    /// is a proof; how often it turned from run to run, which is a suspicion; and how far a
    /// host explains its failures.
    Flaky {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
}

/// Of which series, and which of its tests.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// Which series, by its name or its id
    pub(crate) series: SeriesRef,
    /// Only those of this name; * stands for any text
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only in the runs of this branch
    #[arg(long)]
    pub(crate) branch: Option<String>,
}

/// How much is shown.
#[derive(Debug, Args)]
pub(crate) struct Part {
    /// How many to show
    #[arg(short = 'n', long, default_value_t = 50, value_parser = count)]
    pub(crate) limit: u32,
    /// Show all of them
    #[arg(short, long, conflicts_with = "limit")]
    pub(crate) all: bool,
    /// Which columns to show; a wrong one makes it tell which there are
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
}
