use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object, Union};
use serde_json::Value;
use uuid::Uuid;

use super::{Reason, Status};

/// A job as it is asked for. Missing fields take the service's defaults.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct NewJob {
    /// What people call it; need not be unique. It has something that can be seen, and is kept as it is sent.
    #[oai(validator(min_length = 1, max_length = 255))]
    name: String,
    /// The program and its arguments, handed over as they are; no shell reads them.
    #[oai(validator(min_items = 1))]
    command: Vec<String>,
    /// The absolute directory to run in.
    working_dir: Option<String>,
    /// Variables added to the clean environment.
    #[oai(default)]
    env: BTreeMap<String, String>,
    /// Anything you want to find again beside the job; at most 64 KiB of JSON.
    #[oai(default)]
    payload: BTreeMap<String, Value>,
    /// The queue to wait in.
    queue: Option<String>,
    /// 10 first, default 5; orders your own jobs within a queue.
    #[oai(validator(minimum(value = "0"), maximum(value = "10")))]
    priority: Option<u8>,
    /// The longest the command may run. Time in the queue does not count.
    #[oai(validator(minimum(value = "1")))]
    timeout_seconds: Option<u64>,
    /// Not before this time.
    scheduled_at: Option<DateTime<Utc>>,
    /// How many times the command may be run until it passes; default 1.
    #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
    max_attempts: Option<u32>,
    /// Which failures are followed by another attempt, and when; all at once, if left out.
    retry: Option<Retry>,
    /// Absolute paths that must be readable before the command is started.
    #[oai(default)]
    inputs: Vec<String>,
    /// The longest the command may write nothing; then it is killed, with the reason `silent`.
    #[oai(validator(minimum(value = "1")))]
    silence_seconds: Option<u64>,
    /// How much of each stream is stored, head and tail, if it is less than what the operator allows.
    #[oai(validator(minimum(value = "1")))]
    max_output_bytes: Option<u64>,
    /// How many MiB of memory all its processes together may use where the worker has control groups
    /// (`containment` is `cgroup_v2`), else each of them as address space.
    #[oai(validator(minimum(value = "1")))]
    max_memory_mb: Option<u64>,
    /// How many descriptors each of its processes may have open.
    #[oai(validator(minimum(value = "16")))]
    max_open_files: Option<u64>,
    /// How much processor time each of its processes may use.
    #[oai(validator(minimum(value = "1")))]
    max_cpu_seconds: Option<u64>,
}

/// Which failures of a command are followed by another attempt, as long as `max_attempts` allows one. The
/// pause before the nth repetition is `delay_seconds × backoff^(n-1)`, one hour at most.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct Retry {
    /// Exit codes, and words for other failures; every failure if left out.
    #[oai(default)]
    on: Vec<RetryOn>,
    #[oai(default, validator(maximum(value = "3600")))]
    delay_seconds: u64,
    #[oai(default = "no_backoff", validator(minimum(value = "1"), maximum(value = "10")))]
    backoff: f64,
}

const fn no_backoff() -> f64 {
    1.0
}

/// An exit code, 1 to 255, or a kind of failure.
#[derive(Clone, Debug, Union)]
pub(crate) enum RetryOn {
    ExitCode(i32),
    Kind(RetryKind),
}

/// A kind of failure.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum RetryKind {
    /// A signal ended the command.
    Signal,
    /// It exceeded its timeout.
    Timeout,
    /// It wrote nothing for too long.
    Silent,
}

/// A job as it stands.
#[derive(Clone, Debug, Object)]
pub(crate) struct Job {
    id: Uuid,
    owner_id: Uuid,
    /// The batch it is a member of.
    batch_id: Option<Uuid>,
    name: String,
    /// The program and its arguments.
    command: Vec<String>,
    working_dir: String,
    env: BTreeMap<String, String>,
    payload: BTreeMap<String, Value>,
    queue: String,
    priority: u8,
    timeout_seconds: u64,
    scheduled_at: Option<DateTime<Utc>>,
    max_attempts: u32,
    retry: Option<Retry>,
    inputs: Vec<String>,
    silence_seconds: Option<u64>,
    max_output_bytes: Option<u64>,
    max_memory_mb: Option<u64>,
    max_open_files: Option<u64>,
    max_cpu_seconds: Option<u64>,
    status: Status,
    /// How many attempts were started, the running one included.
    attempt: u32,
    created_at: DateTime<Utc>,
    /// When the running or last attempt was started; null while it waits.
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    /// How the last attempt ended; null until the job has ended.
    result: Option<JobResult>,
    /// Why it did not pass, in one sentence.
    error: Option<String>,
    /// Whether it passed after an attempt that failed.
    flaky: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug, Object)]
pub(crate) struct JobResult {
    /// What the command returned; null if it did not end by itself or was never started.
    exit_code: Option<i32>,
    /// The signal that ended it, as `SIGKILL`.
    signal: Option<String>,
    /// Why it did not pass; null if it did.
    reason: Option<Reason>,
    duration_ms: u64,
    /// What the command wrote, stored or not.
    stdout_bytes: u64,
    /// What the command wrote, stored or not.
    stderr_bytes: u64,
    /// Whether part of the output was left out of storage.
    truncated: bool,
    /// The worker that ran it.
    worker_id: Option<Uuid>,
}

/// One start of a job's command.
#[derive(Clone, Debug, Object)]
pub(crate) struct Attempt {
    /// 1 for the first.
    attempt: u32,
    /// `running`, or how this attempt ended.
    status: Status,
    /// The worker that ran it.
    worker_id: Option<Uuid>,
    /// The host of that worker, if it is known.
    worker_host: Option<String>,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    result: Option<JobResult>,
    error: Option<String>,
}

/// Why a job that waits is not started yet.
#[derive(Clone, Debug, Object)]
pub(crate) struct Hold {
    reason: HoldReason,
    /// One sentence for people, with what ends it.
    message: String,
    /// When it ends by itself; null if that is not known.
    until: Option<DateTime<Utc>>,
}

/// A kind of reason why a job is not started.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum HoldReason {
    /// The account of its owner is disabled.
    OwnerDisabled,
    /// Its queue is paused.
    QueuePaused,
    /// Its owner has as many jobs running as they may have.
    AccountLimit,
    /// It was submitted for a later time.
    Scheduled,
    /// An attempt failed, and the pause before the next one is not over.
    RetryDelay,
    /// No worker that takes jobs serves its queue.
    NoWorker,
    /// Nothing but its turn: every slot is taken by jobs before it.
    Turn,
}
