//! Running commands.

mod activity;
mod brief;
mod cgroup;
mod ending;
mod env;
mod kill;
mod launch;
mod limits;
mod output;
mod process;
pub mod processes;
mod program;
mod reaper;
mod report;
mod search;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use tokio_util::sync::CancellationToken;

pub use cgroup::ControlGroups;
pub use kill::signal_name;
pub use process::{ProcessExecutor, ProcessSettings};
pub use reaper::Reaper;

use crate::{
    BatchId, JobId, JobSpec, UserId, attempt::Outcome, log::Stream, report::Report, words::words,
};

/// How many bytes a sink is handed at one time at most: what a pipe holds by default.
pub const MOST_BYTES: usize = 64 * 1024;

/// Where a command's output goes.
#[async_trait]
pub trait OutputSink: Send + Sync {
    /// Takes bytes that were read from a stream, in order, [`MOST_BYTES`] at most. Waits while the
    /// sink is behind, so that the command is slowed down rather than output lost.
    async fn write(&self, stream: Stream, bytes: Bytes);
}

/// One run of a job's command: everything that an executor needs to know of it, and no lease to
/// report by.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which job.
    pub job: JobId,
    /// Whose it is.
    pub owner: UserId,
    /// The batch it is a member of.
    pub batch: Option<BatchId>,
    /// The number of this attempt, 1 for the first.
    pub attempt: u32,
    /// What to run.
    pub spec: JobSpec,
}

/// What surrounds one run.
#[derive(Clone)]
pub struct RunContext {
    /// When canceled, the command is to be ended: first asked, then killed.
    pub stop: CancellationToken,
    /// Where its output goes.
    pub output: Arc<dyn OutputSink>,
}

words! {
    /// How an executor holds together what a command starts.
    #[derive(Default)]
    Containment {
        /// By process groups alone: what leaves its group is not followed.
        #[default]
        ProcessGroup = "process_group",
        /// By process groups, and by a [`Reaper`] that is handed what leaves them.
        ProcessTree = "process_tree",
        /// By a control group (cgroup v2) for each command, besides.
        CgroupV2 = "cgroup_v2",
    }
}

/// Runs a job's command to its end.
#[async_trait]
pub trait Executor: Send + Sync {
    /// How it holds together what a command starts; shown with the worker.
    fn containment(&self) -> Containment {
        Containment::default()
    }

    /// Runs the command and returns when nothing of it is left: it ended by itself, exceeded its
    /// timeout, or was stopped. All its output was handed to the sink before.
    ///
    /// A run that is stopped through [`RunContext::stop`] ends with the reason `canceled`, unless
    /// the command ended by itself first.
    ///
    /// **Cancel safety**: dropping the future kills the command's process group without grace.
    async fn run(&self, run: &Run, context: RunContext) -> Outcome;

    /// Reads the reports that a job names ([`JobSpec::junit`]), when its command has ended: those
    /// that were written at `since` or later, by the clock of [`file_time`]. Asked for jobs alone
    /// that name some. What cannot be read is told in the report; the outcome of the run stays.
    ///
    /// **Cancel safety**: dropping the future reads nothing more.
    async fn report(&self, run: &Run, since: SystemTime) -> Report {
        let _ = (run, since);
        Report::unread("reports cannot be read by this worker's executor")
    }
}

/// The time of now, as the kernel writes it on files: it is up to some milliseconds behind, and a
/// file that is written from now on has no earlier one.
#[must_use]
pub fn file_time() -> SystemTime {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    let since = Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    );
    SystemTime::UNIX_EPOCH + since
}
