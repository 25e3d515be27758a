//! What passes between a worker and the store: sessions, leases, and how attempts ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use crate::attempt::Outcome;
use crate::{
    BatchId, JobId, SessionId, UserId,
    attempt::Reason,
    executor::{Containment, Run},
    log::LogChunk,
    report::Report,
};

/// Proof of one claim of one job. Never reused: what a worker says with an old token changes
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseToken(pub i64);

/// One claim of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseRef {
    /// Which job.
    pub job: JobId,
    /// Which claim of it.
    pub token: LeaseToken,
}

/// A worker that announces itself.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Fresh for every start of a worker process.
    pub id: SessionId,
    /// The host's name, for people.
    pub host: String,
    /// The worker's process id on that host.
    pub pid: u32,
    /// How many jobs it runs at one time.
    pub slots: u32,
    /// The queues it serves; empty is all.
    pub queues: Vec<String>,
    /// How long its leases hold without a renewal.
    pub ttl: Duration,
    /// How it holds together what commands start.
    pub containment: Containment,
}

/// A worker as others see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// Which life of which worker.
    pub id: SessionId,
    /// The host's name.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// How many jobs it runs at one time.
    pub slots: u32,
    /// How many it runs now.
    pub running: u32,
    /// The queues it serves; empty is all.
    pub queues: Vec<String>,
    /// Whether it takes no new jobs.
    pub draining: bool,
    /// How it holds together what commands start.
    pub containment: Containment,
    /// When it came.
    pub started_at: DateTime<Utc>,
    /// When it was last heard of.
    pub seen_at: DateTime<Utc>,
}

/// A queue as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueState {
    /// What it is called.
    pub name: String,
    /// Whether nothing of it is claimed.
    pub paused: bool,
    /// The lanes of each owner get its turns in proportion to it, above 0.
    pub weight: f64,
    /// How many of its jobs could be claimed now.
    pub waiting: u64,
    /// How many of its jobs are running.
    pub running: u64,
    /// When the oldest of those that could be claimed was accepted.
    pub oldest_waiting_at: Option<DateTime<Utc>>,
}

/// What is to change in a queue; `None` leaves a field as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QueueUpdate {
    /// Claim nothing of it, or go on.
    pub paused: Option<bool>,
    /// A new weight, above 0 and at most 1,000.
    pub weight: Option<f64>,
}

/// Which jobs a worker asks for.
#[derive(Clone, Debug)]
pub enum Pick {
    /// Whatever is next in these queues (empty is all), shared fairly between the owners, and what
    /// each gets between its lanes.
    Fair {
        /// The queues served.
        queues: Vec<String>,
        /// How many at most.
        want: u32,
    },
    /// These, as a queue proposed them; those that cannot be claimed now are left out.
    Ids(Vec<JobId>),
}

/// A request of a worker for jobs.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The session that the leases will belong to.
    pub session: SessionId,
    /// Which jobs.
    pub pick: Pick,
}

/// The outcome of one exchange of reports for work.
#[derive(Clone, Debug, Default)]
pub struct Exchanged {
    /// One for each report, in their order.
    pub finished: Vec<Finished>,
    /// Jobs that may be started at once.
    pub leased: Vec<Leased>,
}

/// A claimed job.
#[derive(Clone, Debug)]
pub struct Leased {
    /// The claim.
    pub lease: LeaseRef,
    /// What to run. The claim charges its attempt; giving the lease back before the command is
    /// started takes the charge away.
    pub run: Run,
}

/// A job that waits in its lane and may be claimed now: what a queue is filled from.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimable {
    /// Which job.
    pub job: JobId,
    /// Its priority, 0 to 10.
    pub priority: u8,
    /// The queue it waits in; with the owner, its lane.
    pub queue: String,
    /// Whose it is.
    pub owner: UserId,
    /// The queue's weight: the lanes of an owner get its turns in proportion to it.
    pub weight: f64,
    /// The owner's weight: owners get turns in proportion to it.
    pub owner_weight: f64,
}

/// What a renewal tells a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Leases that are no longer the worker's: kill the command and report nothing.
    pub lost: Vec<LeaseRef>,
    /// Leases whose job somebody canceled: kill the command and report it canceled.
    pub cancel: Vec<LeaseRef>,
    /// Whether the worker should stop claiming.
    pub drain: bool,
}

/// The report of an attempt's end. Safe to send again when the answer was lost.
#[derive(Clone, Debug)]
pub struct Finish {
    /// Which claim.
    pub lease: LeaseRef,
    /// How it ended.
    pub outcome: Outcome,
    /// What it wrote in all, stored or not.
    pub stdout_bytes: u64,
    /// What it wrote in all, stored or not.
    pub stderr_bytes: u64,
    /// Whether part of the output was left out of storage.
    pub truncated: bool,
    /// Output that was not stored yet.
    pub output: Vec<LogChunk>,
    /// What a command that failed said last; see [`error_line`](crate::error_line).
    pub error_line: Option<String>,
    /// What the reports say that its job names; `None` if it names none, or was not started.
    pub report: Option<Report>,
}

impl Finish {
    /// The record of a lease that was given back after its job had been canceled: no command was
    /// started.
    pub(crate) fn canceled(lease: LeaseRef) -> Self {
        let error = Some("was canceled before its command was started".to_owned());
        Self::without_command(lease, Reason::Canceled, error)
    }

    /// What is recorded of an attempt whose worker went away: it ran for so long, and so much of
    /// its output is stored.
    pub(crate) fn lost(
        lease: LeaseRef,
        ran: Duration,
        stdout_bytes: u64,
        stderr_bytes: u64,
    ) -> Self {
        let error = Some("lost its worker while it ran".to_owned());
        let mut report = Self::without_command(lease, Reason::WorkerLost, error);
        report.outcome.duration = ran;
        Self { stdout_bytes, stderr_bytes, ..report }
    }

    fn without_command(lease: LeaseRef, reason: Reason, error: Option<String>) -> Self {
        let duration = Duration::ZERO;
        Self {
            lease,
            outcome: Outcome {
                reason: Some(reason),
                exit_code: None,
                signal: None,
                error,
                duration,
            },
            stdout_bytes: 0,
            stderr_bytes: 0,
            truncated: false,
            output: Vec::new(),
            error_line: None,
            report: None,
        }
    }
}

/// What became of a [`Finish`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Accepted; this is the attempt's result.
    Won,
    /// It was accepted before: the earlier answer was lost.
    Already,
    /// The lease is no longer the worker's; nothing changed.
    Stale,
}

/// A lease that was taken back from a worker that went away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// The lease that no longer holds.
    pub lease: LeaseRef,
    /// The job's batch.
    pub batch: Option<BatchId>,
    /// Whether the job waits again; otherwise it has ended.
    pub waits: bool,
}

/// Which leases a rescue takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rescue {
    /// Those of sessions that did not renew in time, or no longer exist.
    Expired,
    /// All of them. Only for a caller that knows no worker is alive, as the holder of the lock on
    /// an embedded data directory does.
    All,
}
