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

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

pub use cgroup::ControlGroups;
pub use kill::signal_name;
pub use process::{ProcessExecutor, ProcessSettings};
pub use reaper::Reaper;

use crate::{BatchId, JobId, JobSpec, UserId, attempt::Outcome, log::Stream, words::words};

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
}
