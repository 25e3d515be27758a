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
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use cgroup::ControlGroups;
pub use kill::signal_name;
pub use process::{ProcessExecutor, ProcessSettings};
pub use reaper::Reaper;

use crate::{
    lease::{Leased, Outcome},
    log::Stream,
};

/// Where a command's output goes.
#[async_trait]
pub trait OutputSink: Send + Sync {
    /// Takes bytes that were read from a stream, in order. Waits while the sink is behind, so that
    /// the command is slowed down rather than output lost.
    async fn write(&self, stream: Stream, bytes: Bytes);
}

/// What surrounds one run.
#[derive(Clone)]
pub struct RunContext {
    /// When canceled, the command is to be ended: first asked, then killed.
    pub stop: CancellationToken,
    /// Where its output goes.
    pub output: Arc<dyn OutputSink>,
}

/// How an executor holds together what a command starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Containment {
    /// By process groups alone: what leaves its group is not followed.
    #[default]
    ProcessGroup,
    /// By process groups, and by a [`Reaper`] that is handed what leaves them.
    ProcessTree,
    /// By a control group (cgroup v2) for each command, besides.
    #[serde(rename = "cgroup_v2")]
    CgroupV2,
}

impl Containment {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::ProcessGroup, Self::ProcessTree, Self::CgroupV2];

    /// The word, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProcessGroup => "process_group",
            Self::ProcessTree => "process_tree",
            Self::CgroupV2 => "cgroup_v2",
        }
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
    async fn run(&self, job: &Leased, context: RunContext) -> Outcome;
}
