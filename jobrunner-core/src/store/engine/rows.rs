//! Rows as the lists of columns in `queries` give them, and what becomes of them.
//!
//! Times are milliseconds since 1970 UTC, statuses their [codes](super::values::code), and what has
//! a structure is JSON; a null is what the field of the same name says where it is `None`.

#![expect(
    missing_docs,
    reason = "a field is the column of its name, and means what that of what the row becomes does"
)]

mod accounts;
mod case;
mod known_issues;
mod notifications;
mod projects;

use sqlx_macros::FromRow;
use uuid::Uuid;

pub use self::{
    accounts::{AccountRow, EventRow, TokenRow},
    case::CaseRow,
    known_issues::KnownIssueRow,
    notifications::{DeliveryRow, SubscriptionRow, state, stored_channel},
    projects::{MemberRow, MembershipRow, ProjectRow},
};
use super::{
    values::{containment, gate, number, parse, project, reason, status, time},
    verdict,
};
use crate::{
    Job, Result, Status,
    attempt::is_skipped,
    batch::{Batch, Counts},
    executor::Run,
    job::{Attempt, JobResult, Reason},
    lease::{Claimable, LeaseRef, LeaseToken, Leased, QueueState, Worker},
    verdict::ShortVerdict,
};

/// A job and how it stands.
#[derive(Debug, FromRow)]
pub struct JobRow {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub batch_id: Option<Uuid>,
    pub spec: String,
    pub created_at: i64,
    pub finished_at: Option<i64>,
    pub status: i64,
    pub attempt: i64,
    pub started_at: Option<i64>,
    pub last_attempt: Option<i64>,
    pub error: Option<String>,
    pub flaky: bool,
    pub report: Option<String>,
    #[sqlx(flatten)]
    pub result: ResultRow,
}

/// How an attempt ended; the columns are null while there is none, or it runs.
#[derive(Debug, FromRow)]
pub struct ResultRow {
    pub worker_id: Option<Uuid>,
    pub exit_code: Option<i32>,
    pub signal: Option<String>,
    pub reason: Option<String>,
    pub duration_ms: Option<i64>,
    pub stdout_bytes: Option<i64>,
    pub stderr_bytes: Option<i64>,
    pub truncated: Option<bool>,
}

impl JobRow {
    /// What a page goes on after.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_job(self) -> Result<Job> {
        let status = status(self.status)?;
        let ended = status.is_terminal();
        // A job that is taken back between two attempts did not end by its last attempt.
        let by_attempt = self.result.reason.as_deref() == Some(Reason::Canceled.as_str());
        let error = match status {
            Status::Canceled if self.last_attempt.is_none() => {
                Some("was canceled before it was started".to_owned())
            }
            Status::Canceled if !by_attempt => {
                Some("was canceled before it was started again".to_owned())
            }
            _ => self.error.filter(|_| ended),
        };
        let skipped = is_skipped(status, self.result.exit_code);
        let result = match self.last_attempt {
            Some(_) if ended => Some(self.result.into_result()?),
            _ => None,
        };
        Ok(Job {
            id: self.id.into(),
            owner_id: self.owner_id.into(),
            batch_id: self.batch_id.map(Into::into),
            spec: parse(&self.spec)?,
            status,
            attempt: number(self.attempt)?,
            created_at: time(self.created_at)?,
            started_at: self.started_at.map(time).transpose()?,
            finished_at: self.finished_at.map(time).transpose()?,
            result,
            error,
            flaky: self.flaky,
            skipped,
            report: self.report.filter(|_| ended).as_deref().map(parse).transpose()?,
        })
    }
}

impl ResultRow {
    fn into_result(self) -> Result<JobResult> {
        let reason = self.reason.as_deref().map(reason).transpose()?;
        Ok(JobResult {
            exit_code: self.exit_code,
            signal: self.signal,
            reason,
            duration_ms: number(self.duration_ms.unwrap_or(0))?,
            stdout_bytes: number(self.stdout_bytes.unwrap_or(0))?,
            stderr_bytes: number(self.stderr_bytes.unwrap_or(0))?,
            truncated: self.truncated.unwrap_or(false),
            worker_id: self.worker_id.map(Into::into),
        })
    }
}

/// An attempt, the running one included.
#[derive(Debug, FromRow)]
pub struct AttemptRow {
    pub attempt: i64,
    pub status: i64,
    pub started_at: i64,
    pub finished_at: Option<i64>,
    pub error: Option<String>,
    pub worker_host: Option<String>,
    pub report: Option<String>,
    #[sqlx(flatten)]
    pub result: ResultRow,
}

impl AttemptRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_attempt(self) -> Result<Attempt> {
        let finished_at = self.finished_at.map(time).transpose()?;
        let worker_id = self.result.worker_id.map(Into::into);
        let result = match finished_at {
            Some(_) => Some(self.result.into_result()?),
            None => None,
        };
        Ok(Attempt {
            attempt: number(self.attempt)?,
            status: status(self.status)?,
            worker_id,
            worker_host: self.worker_host,
            started_at: time(self.started_at)?,
            finished_at,
            result,
            error: self.error,
            report: self.report.as_deref().map(parse).transpose()?,
        })
    }
}

/// How many jobs stand where.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub struct CountsRow {
    pub waiting: i64,
    pub running: i64,
    pub passed: i64,
    pub failed: i64,
    pub canceled: i64,
}

impl CountsRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_counts(self) -> Result<Counts> {
        let Self { waiting, running, passed, failed, canceled } = self;
        Ok(Counts::new([
            number(waiting)?,
            number(running)?,
            number(passed)?,
            number(failed)?,
            number(canceled)?,
        ]))
    }
}

/// A batch and how it stands.
#[derive(Debug, FromRow)]
pub struct BatchRow {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub payload: String,
    pub project: Option<String>,
    pub rerun_of: Option<Uuid>,
    pub created_at: i64,
    pub status: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    #[sqlx(flatten)]
    pub counts: CountsRow,
    pub flaky: i64,
    pub skipped: i64,
    #[sqlx(flatten)]
    pub run: BatchRunRow,
}

/// A batch as a run; everything is null of one that is none.
#[derive(Debug, Default, FromRow)]
pub struct BatchRunRow {
    pub series_id: Option<Uuid>,
    pub series: Option<String>,
    pub gate: Option<String>,
    pub has_revision: Option<bool>,
    pub sha: Option<String>,
    pub branch: Option<String>,
    pub dirty: Option<bool>,
    pub url: Option<String>,
    pub verdict: Option<String>,
}

impl BatchRow {
    /// What a page goes on after.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_batch(self) -> Result<Batch> {
        let run = self.run;
        let gate = run.gate.as_deref().map(gate).transpose()?;
        let counts = run.verdict.as_deref().map(parse).transpose()?;
        let revision = verdict::Stored {
            has_revision: run.has_revision.unwrap_or(false),
            sha: run.sha,
            branch: run.branch.unwrap_or_default(),
            dirty: run.dirty.unwrap_or(false),
            url: run.url,
        };
        Ok(Batch {
            id: self.id.into(),
            name: self.name,
            description: self.description,
            payload: parse(&self.payload)?,
            owner_id: self.owner_id.into(),
            project: self.project.as_deref().map(project).transpose()?,
            rerun_of: self.rerun_of.map(Into::into),
            status: status(self.status)?,
            counts: self.counts.into_counts()?,
            flaky: number(self.flaky)?,
            skipped: number(self.skipped)?,
            series: run.series,
            series_id: run.series_id.map(Into::into),
            revision: revision.into_revision(),
            gate,
            verdict: gate.map(|gate| ShortVerdict::new(gate, counts)),
            created_at: time(self.created_at)?,
            started_at: self.started_at.map(time).transpose()?,
            finished_at: self.finished_at.map(time).transpose()?,
        })
    }
}

/// A claimable job with its place in the order of claims.
#[derive(Debug, FromRow)]
pub struct ClaimableRow {
    pub lane_id: i64,
    pub prio: i64,
    pub job_id: Uuid,
    pub queue: String,
    pub owner_id: Uuid,
    pub weight: f64,
    pub owner_weight: f64,
}

impl ClaimableRow {
    /// The lane, the place in it, and the job to go on after.
    #[must_use]
    pub const fn place(&self) -> (i64, i64, Uuid) {
        (self.lane_id, self.prio, self.job_id)
    }

    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_claimable(self) -> Result<Claimable> {
        Ok(Claimable {
            job: self.job_id.into(),
            priority: number(10 - self.prio)?,
            queue: self.queue,
            owner: self.owner_id.into(),
            weight: self.weight,
            owner_weight: self.owner_weight,
        })
    }
}

/// A queue, with what waits and runs in it.
#[derive(Debug, FromRow)]
pub struct QueueRow {
    pub name: String,
    pub paused: bool,
    pub weight: f64,
    pub waiting: i64,
    pub running: i64,
    pub oldest_waiting_at: Option<i64>,
}

impl QueueRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_state(self) -> Result<QueueState> {
        Ok(QueueState {
            name: self.name,
            paused: self.paused,
            weight: self.weight,
            waiting: number(self.waiting)?,
            running: number(self.running)?,
            oldest_waiting_at: self.oldest_waiting_at.map(time).transpose()?,
        })
    }
}

/// A worker that is alive.
#[derive(Debug, FromRow)]
pub struct WorkerRow {
    pub id: Uuid,
    pub host: String,
    pub pid: i64,
    pub slots: i64,
    pub running: i64,
    pub queues: String,
    pub draining: bool,
    pub containment: String,
    pub started_at: i64,
    pub seen_at: i64,
}

impl WorkerRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_worker(self) -> Result<Worker> {
        Ok(Worker {
            id: self.id.into(),
            host: self.host,
            pid: number(self.pid)?,
            slots: number(self.slots)?,
            running: number(self.running)?,
            queues: parse(&self.queues)?,
            draining: self.draining,
            containment: containment(&self.containment)?,
            started_at: time(self.started_at)?,
            seen_at: time(self.seen_at)?,
        })
    }
}

/// A job that was just leased.
#[derive(Debug, FromRow)]
pub struct LeasedRow {
    pub token: i64,
    pub job_id: Uuid,
    pub owner_id: Uuid,
    pub batch_id: Option<Uuid>,
    pub attempt: i64,
    pub spec: String,
}

impl LeasedRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_leased(self) -> Result<Leased> {
        Ok(Leased {
            lease: LeaseRef { job: self.job_id.into(), token: LeaseToken(self.token) },
            run: Run {
                job: self.job_id.into(),
                owner: self.owner_id.into(),
                batch: self.batch_id.map(Into::into),
                attempt: number(self.attempt)?,
                spec: parse(&self.spec)?,
            },
        })
    }
}
