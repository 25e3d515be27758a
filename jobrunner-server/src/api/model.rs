//! The shapes of requests and answers for the description. Values are read and written by the types
//! of core; a test holds the two to the same fields.

mod audit;
mod job;
mod order;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use serde_json::Value;
use uuid::Uuid;

pub(crate) use audit::{AuditAction, AuditEvent};
pub(crate) use job::{Attempt, Hold, Job, NewJob};
pub(crate) use order::Order;

/// Where a job or a batch stands.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum Status {
    Waiting,
    Running,
    Passed,
    Failed,
    Canceled,
}

impl From<Status> for jobrunner_core::Status {
    fn from(status: Status) -> Self {
        match status {
            Status::Waiting => Self::Waiting,
            Status::Running => Self::Running,
            Status::Passed => Self::Passed,
            Status::Failed => Self::Failed,
            Status::Canceled => Self::Canceled,
        }
    }
}

/// Why an attempt did not pass.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// The command returned something other than 0.
    ExitCode,
    /// A signal that JobRunner did not send ended the command.
    Signal,
    /// It ran longer than it may, and was killed.
    Timeout,
    /// It wrote nothing for longer than it may, and was killed.
    Silent,
    /// It used more memory than it may, and the kernel killed one of its processes for it.
    Oom,
    /// The program could not be started.
    SpawnFailed,
    /// The working directory is missing, unreadable, or not allowed.
    WorkingDir,
    /// One of the inputs is missing or unreadable.
    InputMissing,
    /// The worker went away in the middle.
    WorkerLost,
    /// Somebody canceled the job.
    Canceled,
}

impl From<Reason> for jobrunner_core::job::Reason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::ExitCode => Self::ExitCode,
            Reason::Signal => Self::Signal,
            Reason::Timeout => Self::Timeout,
            Reason::Silent => Self::Silent,
            Reason::Oom => Self::Oom,
            Reason::SpawnFailed => Self::SpawnFailed,
            Reason::WorkingDir => Self::WorkingDir,
            Reason::InputMissing => Self::InputMissing,
            Reason::WorkerLost => Self::WorkerLost,
            Reason::Canceled => Self::Canceled,
        }
    }
}

/// What an account may do.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Everything.
    Admin,
    /// Submit, and control what is theirs.
    Operator,
    /// Read what is theirs.
    Viewer,
}

/// One of the two streams a command writes.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// How a worker holds together what commands start.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Containment {
    /// By process groups alone.
    ProcessGroup,
    /// By process groups, and by a reaper that is handed what leaves them.
    ProcessTree,
    /// By a control group (cgroup v2) for each command, besides.
    #[oai(rename = "cgroup_v2")]
    CgroupV2,
}

/// Which members a rerun repeats.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum RerunOnly {
    /// Those that failed or were canceled.
    Failed,
    /// Every one.
    All,
}

/// A batch as it is asked for.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct NewBatch {
    /// What people call it; runs of one suite share a name. It has something that can be seen, and is kept as it is sent.
    #[oai(validator(min_length = 1, max_length = 255))]
    name: String,
    /// What it is for.
    #[oai(validator(max_length = 4096))]
    description: Option<String>,
    /// Anything you want to find again beside the batch; at most 64 KiB of JSON.
    #[oai(default)]
    payload: BTreeMap<String, Value>,
    /// Its jobs: all are taken, or none.
    #[oai(validator(min_items = 1, max_items = 100_000))]
    jobs: Vec<NewJob>,
}

/// Whose jobs are canceled.
#[derive(Clone, Debug, Object)]
pub(crate) struct CancelJobs {
    /// `me`, `all` (of everybody whose jobs the caller may control), or the id of an account.
    owner: String,
}

/// What a cancel did.
#[derive(Clone, Debug, Object)]
pub(crate) struct Canceled {
    /// Jobs that ended by it at once, since they were not running.
    ended: u64,
    /// Jobs whose worker was told to kill them.
    stopping: u64,
}

/// How many jobs stand where.
#[derive(Clone, Debug, Object)]
pub(crate) struct Counts {
    /// The sum of the others.
    total: u64,
    waiting: u64,
    running: u64,
    passed: u64,
    failed: u64,
    canceled: u64,
}

/// A batch as it stands. It is `waiting` until one job was started, `running` until all have ended,
/// then `failed` if any failed, else `canceled` if any was canceled, else `passed`.
#[derive(Clone, Debug, Object)]
pub(crate) struct Batch {
    id: Uuid,
    name: String,
    description: Option<String>,
    payload: BTreeMap<String, Value>,
    owner_id: Uuid,
    /// The batch it repeats.
    rerun_of: Option<Uuid>,
    status: Status,
    /// How its jobs stand, all read at one moment.
    counts: Counts,
    /// How many of those that passed did so after an attempt that failed.
    flaky: u64,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

/// Jobs of a batch that failed alike.
#[derive(Clone, Debug, Object)]
pub(crate) struct Cause {
    reason: Option<Reason>,
    exit_code: Option<i32>,
    signal: Option<String>,
    /// What their commands said last, numbers as `#`.
    error_line: Option<String>,
    count: u64,
    /// The newest five of them.
    jobs: Vec<NamedJob>,
}

/// A job by its name.
#[derive(Clone, Debug, Object)]
pub(crate) struct NamedJob {
    id: Uuid,
    name: String,
}

/// Causes of failures, the most frequent first.
#[derive(Clone, Debug, Object)]
pub(crate) struct Causes {
    items: Vec<Cause>,
}

/// How a batch stood at a moment.
#[derive(Clone, Debug, Object)]
pub(crate) struct Moment {
    at: DateTime<Utc>,
    /// How many attempts were running.
    running: u64,
    /// How many attempts had passed.
    passed: u64,
    /// How many attempts had failed, those that were repeated included.
    failed: u64,
}

/// At most 121 moments at equal distances from a batch's start to its end, or until now.
#[derive(Clone, Debug, Object)]
pub(crate) struct Timeline {
    items: Vec<Moment>,
}

/// A rerun as it is asked for.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct Rerun {
    /// `failed` if it is left out.
    only: Option<RerunOnly>,
}

/// A job's output.
#[derive(Clone, Debug, Object)]
pub(crate) struct Logs {
    job_id: Uuid,
    /// Which attempt wrote it; 0 when none was started.
    attempt: u32,
    status: Status,
    /// Bytes that are not UTF-8 are replaced here; the raw stream has them as they were written.
    stdout: String,
    /// Bytes that are not UTF-8 are replaced here; the raw stream has them as they were written.
    stderr: String,
    /// What the command wrote so far, stored or not.
    stdout_bytes: u64,
    /// What the command wrote so far, stored or not.
    stderr_bytes: u64,
    /// Whether part of the output was left out of storage.
    truncated: bool,
    /// Whether nothing will be added any more.
    complete: bool,
}

/// An account.
#[derive(Clone, Debug, Object)]
pub(crate) struct User {
    id: Uuid,
    email: String,
    role: Role,
    /// A disabled account cannot sign in, and its tokens stop working within a second.
    is_active: bool,
    /// How many of its jobs may run at one time; null is no limit.
    max_running_jobs: Option<u32>,
    created_at: DateTime<Utc>,
}

/// An account as it is asked for.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct NewUser {
    email: String,
    #[oai(validator(min_length = 12, max_length = 1024))]
    password: String,
    role: Role,
    /// How many of its jobs may run at one time; no limit if left out.
    max_running_jobs: Option<u32>,
}

/// What is to change; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct UserUpdate {
    /// Tokens given out before stop working.
    #[oai(validator(min_length = 12, max_length = 1024))]
    password: Option<String>,
    role: Option<Role>,
    is_active: Option<bool>,
    /// null removes the limit.
    max_running_jobs: Option<u32>,
}

/// A worker that is alive.
#[derive(Clone, Debug, Object)]
pub(crate) struct Worker {
    /// Fresh for every start of a worker.
    id: Uuid,
    host: String,
    pid: u32,
    /// How many jobs it runs at one time.
    slots: u32,
    running: u32,
    /// The queues it serves; empty is all.
    queues: Vec<String>,
    /// Whether it takes no new jobs.
    draining: bool,
    /// How it holds together what commands start.
    containment: Containment,
    started_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
}

/// A queue as it stands.
#[derive(Clone, Debug, Object)]
pub(crate) struct QueueState {
    name: String,
    /// Whether nothing of it is started.
    paused: bool,
    /// Its owners get turns in proportion to it.
    weight: f64,
    /// How many of its jobs could be started now.
    waiting: u64,
    running: u64,
    /// When the oldest of those that could be started was accepted.
    oldest_waiting_at: Option<DateTime<Utc>>,
}

/// What is to change in a queue; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct QueueUpdate {
    /// Start nothing of it, or go on.
    paused: Option<bool>,
    /// Above 0, at most 1000.
    weight: Option<f64>,
}

/// The data of an event of a job that is followed.
#[derive(Clone, Debug, Object)]
pub(crate) struct LogEvent {
    attempt: u32,
    /// `stdout` or `stderr`, for `output` and `gap`.
    stream: Option<Stream>,
    /// How many bytes had been written to the stream before, for `output` and `gap`.
    offset: Option<u64>,
    /// For `output`.
    text: Option<String>,
    /// For `output` that is not UTF-8: all of its bytes.
    base64: Option<String>,
    /// For `gap`.
    omitted_bytes: Option<u64>,
    /// For `status` and `end`.
    status: Option<Status>,
}

/// An access token, and one to exchange for the next.
#[derive(Clone, Debug, Object)]
pub(crate) struct Token {
    access_token: String,
    /// Always `bearer`.
    token_type: String,
    /// For how many seconds it is good.
    expires_in: u64,
    /// To be sent, once, with the grant `refresh_token`.
    refresh_token: String,
    /// For how many seconds that is good; exchanging it makes it no longer.
    refresh_token_expires_in: u64,
}

/// Whether the parts work.
#[derive(Clone, Debug, Object)]
pub(crate) struct Health {
    /// `ok` or `degraded`.
    status: String,
    /// `ok` or `error`.
    database: String,
    /// `ok`, `error`, or `disabled` where there is none.
    redis: String,
    /// The version of the service.
    version: String,
}

/// Declares a page of a list.
macro_rules! page {
    ($name:ident, $item:ident) => {
        /// Part of a list, newest first.
        #[derive(Clone, Debug, Object)]
        pub(crate) struct $name {
            items: Vec<$item>,
            /// What to send as `cursor` for the next page; null on the last one.
            next_cursor: Option<String>,
        }
    };
}

page!(JobPage, Job);
page!(AttemptPage, Attempt);
page!(HoldPage, Hold);
page!(BatchPage, Batch);
page!(UserPage, User);
page!(WorkerPage, Worker);
page!(QueuePage, QueueState);
page!(AuditEventPage, AuditEvent);
