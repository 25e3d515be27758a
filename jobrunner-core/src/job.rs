//! Jobs: what a caller asks for, what is stored once it is checked, and what is shown.

mod check;
mod env;
mod hold;
mod order;

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use check::{Rules, check_queue};
pub(crate) use check::{check_name, check_payload};
pub use env::LoadingVariables;
pub use hold::{Hold, HoldReason};
pub use order::Order;

pub use crate::attempt::{Attempt, JobResult, Reason};

use crate::{
    BatchId, JobId, Status, UserId,
    project::ProjectName,
    report::Summary,
    retry::Retry,
    series::{Seed, Variant},
    strict,
};

/// A job as a caller asks for it, unchecked. Missing fields take the service's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// What people call it: 1 to 255 bytes on one line, of which something can be seen. Names need
    /// not be unique.
    pub name: String,
    /// The program and its arguments, handed over as they are; no shell reads them.
    pub command: Vec<String>,
    /// The absolute directory to run in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Variables added to the clean environment.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "strict::once"
    )]
    pub env: BTreeMap<String, String>,
    /// Anything the caller wants to find again beside the job. JobRunner does not read it.
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "strict::once")]
    pub payload: Map<String, Value>,
    /// The project that it belongs to beside its owner; of a member of a batch that of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The queue to wait in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// 0 to 10, 10 first; orders one owner's jobs within a queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// The longest the command may run, in seconds. Time in the queue does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<DateTime<Utc>>,
    /// How many times the command may be run until it passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// What failures are followed by another attempt, and when.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::object")]
    pub retry: Option<Retry>,
    /// Exit codes, 1 to 255, by which the command says that it had nothing to do here: the job is
    /// passed and skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_exit_codes: Vec<i32>,
    /// Absolute paths that must be readable before the command is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Patterns of paths below the working directory where the command writes JUnit files: `*`
    /// stands for any text of a name, `?` for one character, `**` for any number of directories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub junit: Vec<String>,
    /// How long the command may write nothing, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_seconds: Option<u64>,
    /// How much of each of its streams is stored, in bytes: head and tail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_bytes: Option<u64>,
    /// How much memory it may use, in MiB (1,048,576 bytes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_memory_mb: Option<u64>,
    /// How many descriptors each of its processes may have open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_open_files: Option<u64>,
    /// How much processor time each of its processes may use, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cpu_seconds: Option<u64>,
    /// Which test of its series it is; that of its name, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// In which variant it runs that test: 8 keys at most.
    #[serde(default, skip_serializing_if = "Variant::is_empty", deserialize_with = "strict::once")]
    pub variant: Variant,
    /// What the test draws its random numbers from; no part of what the test is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
}

/// What is to be run: a [`NewJob`] that passed [`Rules::check`], with every default filled in.
/// Immutable once stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// What people call it.
    pub name: String,
    /// The program and its arguments; at least one element, none with a NUL byte.
    pub command: Vec<String>,
    /// The absolute directory to run in.
    pub working_dir: String,
    /// Variables added to the clean environment.
    pub env: BTreeMap<String, String>,
    /// The caller's own data.
    pub payload: Map<String, Value>,
    /// The project that it belongs to beside its owner.
    #[serde(default)]
    pub project: Option<ProjectName>,
    /// The queue it waits in.
    pub queue: String,
    /// 0 to 10, 10 first.
    pub priority: u8,
    /// The longest the command may run, in whole seconds, at least 1.
    pub timeout_seconds: u64,
    /// Not before this time; `None` is at once.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// How many times the command may be run until it passes, at least 1.
    pub max_attempts: u32,
    /// What failures are followed by another attempt, and when; `None` is all, at once.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// Exit codes, 1 to 255, of a job that is passed and skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_exit_codes: Vec<i32>,
    /// Absolute paths that must be readable before the command is started.
    pub inputs: Vec<String>,
    /// Patterns of the JUnit files that the command writes, below the working directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub junit: Vec<String>,
    /// How long the command may write nothing, in whole seconds, at least 1; `None` is for ever.
    #[serde(default)]
    pub silence_seconds: Option<u64>,
    /// How much of each of its streams is stored, in bytes, at least 1; `None` is what the worker
    /// allows, which is the most in any case.
    #[serde(default)]
    pub max_output_bytes: Option<u64>,
    /// How much memory it may use, in MiB, at least 1: all its processes together where the worker
    /// has control groups, else each for itself (`RLIMIT_AS`). `None`, here and below, is what the
    /// worker itself may use.
    #[serde(default)]
    pub max_memory_mb: Option<u64>,
    /// How many descriptors each of its processes may have open (`RLIMIT_NOFILE`), at least 16.
    #[serde(default)]
    pub max_open_files: Option<u64>,
    /// How much processor time each of its processes may use (`RLIMIT_CPU`), in seconds, at least
    /// 1.
    #[serde(default)]
    pub max_cpu_seconds: Option<u64>,
    /// Which test of its series it is; that of its name, if it is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// In which variant it runs that test.
    #[serde(default, skip_serializing_if = "Variant::is_empty")]
    pub variant: Variant,
    /// What the test draws its random numbers from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// The job that it repeats, which may have been deleted since; set by reruns alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<JobId>,
}

impl JobSpec {
    /// The longest the command may run.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// The same once more, as a rerun of the job that it was: the time it was meant for is over.
    #[must_use]
    pub fn again(self, job: JobId) -> Self {
        Self { scheduled_at: None, rerun_of: Some(job), ..self }
    }

    /// How long the command may write nothing.
    #[must_use]
    pub fn silence(&self) -> Option<Duration> {
        self.silence_seconds.map(Duration::from_secs)
    }
}

impl From<JobSpec> for NewJob {
    /// The request that leads to this job again.
    fn from(spec: JobSpec) -> Self {
        Self {
            name: spec.name,
            command: spec.command,
            working_dir: Some(spec.working_dir),
            env: spec.env,
            payload: spec.payload,
            project: spec.project.map(Into::into),
            queue: Some(spec.queue),
            priority: Some(spec.priority),
            timeout_seconds: Some(spec.timeout_seconds),
            scheduled_at: None,
            max_attempts: Some(spec.max_attempts),
            retry: spec.retry,
            skip_exit_codes: spec.skip_exit_codes,
            inputs: spec.inputs,
            junit: spec.junit,
            silence_seconds: spec.silence_seconds,
            max_output_bytes: spec.max_output_bytes,
            max_memory_mb: spec.max_memory_mb,
            max_open_files: spec.max_open_files,
            max_cpu_seconds: spec.max_cpu_seconds,
            test: spec.test,
            variant: spec.variant,
            seed: spec.seed,
        }
    }
}

/// A job as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Which job.
    pub id: JobId,
    /// Whose it is.
    pub owner_id: UserId,
    /// The batch it is a member of.
    pub batch_id: Option<BatchId>,
    /// What it runs.
    #[serde(flatten)]
    pub spec: JobSpec,
    /// Where it stands.
    pub status: Status,
    /// How many attempts were started, the running one included.
    pub attempt: u32,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When the running or last attempt was started; `None` while it waits.
    pub started_at: Option<DateTime<Utc>>,
    /// When it reached its end.
    pub finished_at: Option<DateTime<Utc>>,
    /// How the last attempt ended; `None` until the job has ended, and for a job canceled before
    /// its first attempt.
    pub result: Option<JobResult>,
    /// Why it did not pass, in one sentence.
    pub error: Option<String>,
    /// Whether it passed after an attempt that failed.
    #[serde(default)]
    pub flaky: bool,
    /// Whether it passed by one of its `skip_exit_codes`; then it is not flaky.
    #[serde(default)]
    pub skipped: bool,
    /// What the reports of the last attempt say; `None` until the job has ended, and for a job that
    /// names none.
    #[serde(default)]
    pub report: Option<Summary>,
}

impl Job {
    /// A single job as it stands when it has just been stored.
    pub(crate) const fn fresh(
        id: JobId,
        owner_id: UserId,
        spec: JobSpec,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            owner_id,
            batch_id: None,
            spec,
            status: Status::Waiting,
            attempt: 0,
            created_at,
            started_at: None,
            finished_at: None,
            result: None,
            error: None,
            flaky: false,
            skipped: false,
            report: None,
        }
    }
}

/// Which jobs a list shows. Every `None` lets everything through.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only jobs that stand so.
    pub status: Option<Status>,
    /// Only members of this batch.
    pub batch: Option<BatchId>,
    /// Only jobs of this queue.
    pub queue: Option<String>,
    /// Only jobs of this owner.
    pub owner: Option<UserId>,
    /// Only jobs of this project.
    pub project: Option<ProjectName>,
    /// Only jobs of exactly this name; `*` in it stands for any text.
    pub name: Option<String>,
    /// Only jobs that ended for this reason.
    pub reason: Option<Reason>,
    /// In which order; another than the usual one needs a batch, all of whose members are then
    /// looked at.
    pub order: Order,
}
