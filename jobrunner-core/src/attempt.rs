//! Attempts: the starts of a job's command, and how they end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{SessionId, Status, report::Summary, words::words};

/// One start of a job's command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub attempt: u32,
    /// `running`, or how this attempt ended.
    pub status: Status,
    /// The worker that ran it.
    pub worker_id: Option<SessionId>,
    /// The host of that worker, if it is known.
    #[serde(default)]
    pub worker_host: Option<String>,
    /// When the command was started.
    pub started_at: DateTime<Utc>,
    /// When its end was recorded.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub result: Option<JobResult>,
    /// Why it did not pass, in one sentence.
    pub error: Option<String>,
    /// What its reports say; `None` while it runs, and if its job names none.
    #[serde(default)]
    pub report: Option<Summary>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobResult {
    /// What the command returned; `None` if it did not end by itself or was never started. Other
    /// than 0 without a reason, it was skipped.
    pub exit_code: Option<i32>,
    /// The signal that ended it, as `SIGKILL`.
    pub signal: Option<String>,
    /// Why it did not pass; `None` if it did.
    pub reason: Option<Reason>,
    /// How long the command ran, in milliseconds of a clock that is never set.
    pub duration_ms: u64,
    /// What the command wrote, stored or not.
    pub stdout_bytes: u64,
    /// What the command wrote, stored or not.
    pub stderr_bytes: u64,
    /// Whether part of the output was left out of storage.
    pub truncated: bool,
    /// The worker that ran it.
    pub worker_id: Option<SessionId>,
}

words! {
    /// Why an attempt did not pass.
    Reason {
        /// The command returned something other than 0.
        ExitCode = "exit_code",
        /// A signal that JobRunner did not send ended the command.
        Signal = "signal",
        /// It ran longer than it may, and was killed.
        Timeout = "timeout",
        /// It wrote nothing for longer than it may, and was killed.
        Silent = "silent",
        /// It used more memory than it may, and the kernel killed one of its processes for it.
        Oom = "oom",
        /// The program could not be started.
        SpawnFailed = "spawn_failed",
        /// The working directory is missing, unreadable, or not allowed.
        WorkingDir = "working_dir",
        /// One of the inputs is missing or unreadable.
        InputMissing = "input_missing",
        /// The worker went away in the middle.
        WorkerLost = "worker_lost",
        /// Somebody canceled it while it ran.
        Canceled = "canceled",
    }
}

/// How one run of a command ended, as the executor saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it did not pass; `None` if it did.
    pub reason: Option<Reason>,
    /// What the command returned.
    pub exit_code: Option<i32>,
    /// The signal that ended it, as `SIGKILL`.
    pub signal: Option<String>,
    /// Why it did not pass, in one sentence.
    pub error: Option<String>,
    /// How long it ran, by a clock that is never set.
    pub duration: Duration,
}

/// Whether what has this status was skipped: it passed, though the command did not return 0.
pub(crate) fn is_skipped(status: Status, exit_code: Option<i32>) -> bool {
    status == Status::Passed && exit_code.is_some_and(|code| code != 0)
}

impl Outcome {
    /// The status of an attempt that ended so. What follows for its job is another question, which
    /// [`retry::next`](crate::retry::next) answers.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self.reason {
            None => Status::Passed,
            Some(Reason::Canceled) => Status::Canceled,
            Some(_) => Status::Failed,
        }
    }

    /// The same where these exit codes say that there was nothing to do: with one of them it
    /// passed.
    #[must_use]
    pub fn skipping(self, codes: &[i32]) -> Self {
        let is_skip = self.reason == Some(Reason::ExitCode)
            && self.exit_code.is_some_and(|code| codes.contains(&code));
        if is_skip { Self { reason: None, error: None, ..self } } else { self }
    }

    /// The same of a command that its worker stopped since it was to stop itself: the attempt is
    /// lost, and its signal tells it from one whose worker went away without a word.
    #[must_use]
    pub fn left_behind(self) -> Self {
        let signal = self.signal.or_else(|| Some("SIGTERM".to_owned()));
        let error = Some("was ended before its time: its worker was stopped".to_owned());
        Self { reason: Some(Reason::WorkerLost), exit_code: None, signal, error, ..self }
    }

    /// Whether it passed by an exit code other than 0.
    #[must_use]
    pub fn is_skipped(&self) -> bool {
        is_skipped(self.status(), self.exit_code)
    }
}
