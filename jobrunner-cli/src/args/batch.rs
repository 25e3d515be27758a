use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use jobrunner_core::{Status, batch::RerunOnly, series::Gate, verdict::Class};

use super::{List, Owner, Remote, Wait, duration, key, pair};
use crate::find::BatchRef;

/// Batches are named by an id, four or more digits of one, a name (the newest of it) or @last (your
/// newest).
#[derive(Debug, Args)]
pub(crate) struct Batch {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: BatchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Submit a suite as a batch
    Submit(BatchSubmit),
    /// List batches, newest first
    #[command(visible_alias = "ls")]
    List(BatchList),
    /// Show a batch: why jobs of it failed, what its reruns came to, and which jobs failed
    Show {
        /// Which batch
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
    },
    /// Watch a batch until it has ended, and exit with its result
    Watch {
        /// Which batch
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
        /// Give up watching after so long, as in 90s or 2h; the batch goes on
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        wait_timeout: Option<Duration>,
    },
    /// Wait until batches have ended, and exit with the worst of their results
    Wait {
        /// Which batches
        #[arg(required = true, add = crate::complete::batches())]
        batches: Vec<BatchRef>,
        /// What makes it end with 1: failed (whatever failed), new (failures that are new beside
        /// the runs before), or none [default: the gate of each batch]
        #[arg(long)]
        gate: Option<Gate>,
        /// Give up waiting after so long, as in 90s or 2h; the batches go on
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        wait_timeout: Option<Duration>,
    },
    /// Cancel every job of batches that has not ended
    Cancel {
        /// Which batches
        #[arg(required = true, add = crate::complete::batches())]
        batches: Vec<BatchRef>,
    },
    /// Submit jobs of a batch again, as a new batch
    Rerun {
        /// Which batch
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
        /// Which of its jobs: failed (and canceled), or all
        #[arg(long, default_value_t = RerunOnly::Failed)]
        only: RerunOnly,
        #[command(flatten)]
        wait: Wait,
    },
    /// Forget batches that have ended, with their jobs and output
    Delete {
        /// Which batches
        #[arg(required = true, add = crate::complete::batches())]
        batches: Vec<BatchRef>,
    },
    /// Show why jobs of a batch failed, the most frequent cause first
    Causes {
        /// Which batch
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
    },
    /// Show what a batch says beside the runs before it: what is new, still there, fixed
    Verdict {
        /// Which batch
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
        /// Show the tests of a class alone: new, still, known, infra, flaky, fixed, not_run,
        /// missing, slower or passed
        #[arg(long)]
        class: Option<Class>,
        /// How many tests of each class to show
        #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show how the tests of a batch stand beside another batch alone
    ///
    /// What is new failed in BATCH and not in BESIDE; what is missing was in BESIDE and is not in
    /// BATCH.
    Diff {
        /// Whose tests are shown
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
        /// What they are compared with
        #[arg(add = crate::complete::batches())]
        beside: BatchRef,
        /// Show the tests of a class alone: new, still, known, infra, flaky, fixed, not_run,
        /// missing, slower or passed
        #[arg(long)]
        class: Option<Class>,
        /// How many tests of each class to show
        #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show how a batch went over time
    Timeline {
        /// Which batch
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
    },
    /// Print a line whenever the counts of a batch change, until it has ended
    Events {
        /// Which batch
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
    },
    /// Write the results of a batch as JUnit XML
    Junit {
        /// Which batch
        #[arg(add = crate::complete::batches())]
        batch: BatchRef,
        /// Where to [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BatchSubmit {
    /// The suite, a YAML file; - reads it from standard input
    pub(crate) suite: PathBuf,
    /// Give a variable of the suite another value; can be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Show what would be submitted, and submit nothing
    #[arg(long, conflicts_with = "wait")]
    pub(crate) dry_run: bool,
    /// Submit it once, however often this is repeated with the same key and suite
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub(crate) idempotency_key: Option<String>,
    #[command(flatten)]
    pub(crate) wait: Wait,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BatchList {
    /// Only those that stand so: waiting, running, passed, failed or canceled
    #[arg(long)]
    pub(crate) status: Option<Status>,
    /// Only those of this name; * stands for any text
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) owner: Owner,
    #[command(flatten)]
    pub(crate) list: List,
}
