use std::time::Duration;

use clap::{Args, Subcommand};
use jobrunner_core::{
    Status,
    job::{Order, Reason},
    report::CaseStatus,
};

use super::{List, Owner, Remote, count, duration};
use crate::find::{BatchRef, JobRef};

/// Jobs are named by an id, or by four or more digits of one: those that lists show, the first
/// ones, or the last ones.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: JobsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs, newest first
    #[command(visible_alias = "ls")]
    List(JobsList),
    /// Show a job and its attempts
    Show {
        /// Which job
        #[arg(add = crate::complete::jobs())]
        job: JobRef,
    },
    /// Print a job's output: what it wrote to stdout and to stderr, each to the same stream here
    Logs(Logs),
    /// Tell why a job is where it is: what a waiting one waits for, why a failed one failed
    Why {
        /// Which job
        #[arg(add = crate::complete::jobs())]
        job: JobRef,
    },
    /// Show every start of a job's command
    Attempts {
        /// Which job
        #[arg(add = crate::complete::jobs())]
        job: JobRef,
    },
    /// Show the test cases of a job's JUnit files, failed ones first
    Cases(Cases),
    /// Wait until jobs have ended, and exit with the worst of their results
    Wait {
        /// Which jobs
        #[arg(required = true, add = crate::complete::jobs())]
        jobs: Vec<JobRef>,
        /// Give up waiting after so long, as in 90s or 2h; the jobs go on
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        wait_timeout: Option<Duration>,
    },
    /// Cancel jobs
    Cancel {
        /// Which jobs
        #[arg(required = true, add = crate::complete::jobs())]
        jobs: Vec<JobRef>,
    },
    /// Submit jobs again, as new ones
    Rerun {
        /// Which jobs
        #[arg(required = true, add = crate::complete::jobs())]
        jobs: Vec<JobRef>,
    },
    /// Forget jobs that have ended, with their output
    Delete {
        /// Which jobs
        #[arg(required = true, add = crate::complete::jobs())]
        jobs: Vec<JobRef>,
    },
    /// Print a script that does what the job does: its directory, environment and command
    Repro {
        /// Which job
        #[arg(add = crate::complete::jobs())]
        job: JobRef,
        /// Run it here, and exit with its result
        #[arg(long)]
        run: bool,
    },
    /// Count jobs by status: yours; for admins, everybody's
    Stats {
        #[command(flatten)]
        owner: Owner,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Which job
    #[arg(add = crate::complete::jobs())]
    pub(crate) job: JobRef,
    /// Go on until the job has ended
    #[arg(short, long, conflicts_with_all = ["attempt", "tail", "stdout", "stderr"])]
    pub(crate) follow: bool,
    /// Only what this attempt wrote, 1 being the first [default: all attempts]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) attempt: Option<u32>,
    /// Only the last lines of each stream, of the last attempt unless another one is named
    #[arg(short = 'n', long, value_name = "LINES", value_parser = lines)]
    pub(crate) tail: Option<usize>,
    /// Only what was written to stdout
    #[arg(long, conflicts_with = "stderr")]
    pub(crate) stdout: bool,
    /// Only what was written to stderr; it is printed to stdout here
    #[arg(long)]
    pub(crate) stderr: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cases {
    /// Which job
    #[arg(add = crate::complete::jobs())]
    pub(crate) job: JobRef,
    /// Only those that ended so: failed, skipped or passed
    #[arg(long)]
    pub(crate) status: Option<CaseStatus>,
    /// Only those of this name; * stands for any text
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Those of this attempt, 1 being the first [default: the last one that has ended]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) attempt: Option<u32>,
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

#[derive(Clone, Debug, Args)]
pub(crate) struct JobsList {
    /// Only those that stand so: waiting, running, passed, failed or canceled
    #[arg(long)]
    pub(crate) status: Option<Status>,
    /// Only those of this batch
    #[arg(short, long, value_name = "BATCH", add = crate::complete::batches())]
    pub(crate) batch: Option<BatchRef>,
    /// Only those of this queue
    #[arg(long, add = crate::complete::queues())]
    pub(crate) queue: Option<String>,
    /// Only those of this name; * stands for any text
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only those that ended for this reason, such as timeout
    #[arg(long)]
    pub(crate) reason: Option<Reason>,
    /// Those of a batch in this order: created_at, name or duration, with - in front of it from the
    /// largest down, as in --sort=-duration
    #[arg(long, requires = "batch", allow_hyphen_values = true)]
    pub(crate) sort: Option<Order>,
    #[command(flatten)]
    pub(crate) owner: Owner,
    #[command(flatten)]
    pub(crate) list: List,
}

fn lines(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "must be a whole number".to_owned())
}
