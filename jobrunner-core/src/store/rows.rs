//! From rows to domain types.

use chrono::{DateTime, TimeZone, Utc};
use serde::de::DeserializeOwned;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    Error, Job, Result, Status, User, UserId,
    batch::{Batch, Counts},
    executor::Containment,
    job::{Attempt, JobResult, Reason},
    lease::{Claimable, QueueState, Worker},
    log::Stream,
    store::Account,
};

/// How a status is stored.
pub(super) const fn code(status: Status) -> i64 {
    match status {
        Status::Waiting => 0,
        Status::Running => 1,
        Status::Passed => 2,
        Status::Failed => 3,
        Status::Canceled => 4,
    }
}

/// How a stream is stored.
pub(super) const fn stream_code(stream: Stream) -> i64 {
    match stream {
        Stream::Stdout => 1,
        Stream::Stderr => 2,
    }
}

/// A row of `job_view`.
#[derive(FromRow)]
pub(super) struct JobRow {
    id: Uuid,
    owner_id: Uuid,
    batch_id: Option<Uuid>,
    spec: String,
    created_at: i64,
    finished_at: Option<i64>,
    status: i64,
    attempt: i64,
    started_at: Option<i64>,
    last_attempt: Option<i64>,
    error: Option<String>,
    flaky: bool,
    #[sqlx(flatten)]
    result: ResultRow,
}

/// How an attempt ended; the columns are null while there is none, or it runs.
#[derive(FromRow)]
struct ResultRow {
    worker_id: Option<Uuid>,
    exit_code: Option<i32>,
    signal: Option<String>,
    reason: Option<String>,
    duration_ms: Option<i64>,
    stdout_bytes: Option<i64>,
    stderr_bytes: Option<i64>,
    truncated: Option<bool>,
}

impl JobRow {
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn into_job(self) -> Result<Job> {
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

#[derive(FromRow)]
pub(super) struct AttemptRow {
    attempt: i64,
    status: i64,
    started_at: i64,
    finished_at: Option<i64>,
    error: Option<String>,
    worker_host: Option<String>,
    #[sqlx(flatten)]
    result: ResultRow,
}

impl AttemptRow {
    pub(super) fn into_attempt(self) -> Result<Attempt> {
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
        })
    }
}

#[derive(Clone, Copy, Debug, Default, FromRow)]
pub(super) struct CountsRow {
    waiting: i64,
    running: i64,
    passed: i64,
    failed: i64,
    canceled: i64,
}

impl CountsRow {
    pub(super) fn into_counts(self) -> Result<Counts> {
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

/// A row of `batch_view`.
#[derive(FromRow)]
pub(super) struct BatchRow {
    id: Uuid,
    owner_id: Uuid,
    name: String,
    description: Option<String>,
    payload: String,
    rerun_of: Option<Uuid>,
    created_at: i64,
    status: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    #[sqlx(flatten)]
    counts: CountsRow,
    flaky: i64,
}

impl BatchRow {
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn into_batch(self) -> Result<Batch> {
        Ok(Batch {
            id: self.id.into(),
            name: self.name,
            description: self.description,
            payload: parse(&self.payload)?,
            owner_id: self.owner_id.into(),
            rerun_of: self.rerun_of.map(Into::into),
            status: status(self.status)?,
            counts: self.counts.into_counts()?,
            flaky: number(self.flaky)?,
            created_at: time(self.created_at)?,
            started_at: self.started_at.map(time).transpose()?,
            finished_at: self.finished_at.map(time).transpose()?,
        })
    }
}

/// A claimable job with its place in the order of claims.
#[derive(FromRow)]
pub(super) struct ClaimableRow {
    lane_id: i64,
    prio: i64,
    job_id: Uuid,
    queue: String,
    owner_id: Uuid,
    weight: f64,
}

impl ClaimableRow {
    /// The lane, the place in it, and the job to go on behind.
    pub(super) const fn place(&self) -> (i64, i64, Uuid) {
        (self.lane_id, self.prio, self.job_id)
    }

    pub(super) fn into_claimable(self) -> Result<Claimable> {
        Ok(Claimable {
            job: self.job_id.into(),
            priority: number(10 - self.prio)?,
            queue: self.queue,
            owner: self.owner_id.into(),
            weight: self.weight,
        })
    }
}

#[derive(FromRow)]
pub(super) struct QueueRow {
    name: String,
    paused: bool,
    weight: f64,
    waiting: i64,
    running: i64,
    oldest_waiting_at: Option<i64>,
}

impl QueueRow {
    pub(super) fn into_state(self) -> Result<QueueState> {
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

#[derive(FromRow)]
pub(super) struct WorkerRow {
    id: Uuid,
    host: String,
    pid: i64,
    slots: i64,
    running: i64,
    queues: String,
    draining: bool,
    containment: String,
    started_at: i64,
    seen_at: i64,
}

impl WorkerRow {
    pub(super) fn into_worker(self) -> Result<Worker> {
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

#[derive(FromRow)]
pub(super) struct AccountRow {
    id: Uuid,
    email: String,
    password_hash: String,
    role: String,
    is_active: bool,
    max_running_jobs: Option<i64>,
    token_version: i64,
    created_at: i64,
}

impl AccountRow {
    pub(super) fn into_account(self) -> Result<Account> {
        Ok(Account {
            user: User {
                id: UserId::from(self.id),
                email: self.email,
                role: self.role.parse().map_err(|e| damaged("a role", e))?,
                is_active: self.is_active,
                max_running_jobs: self.max_running_jobs.map(number).transpose()?,
                created_at: time(self.created_at)?,
            },
            password_hash: self.password_hash,
            token_version: self.token_version,
        })
    }
}

pub(super) fn status(stored: i64) -> Result<Status> {
    let known = Status::ALL.into_iter().find(|status| code(*status) == stored);
    known.ok_or_else(|| damaged("a status", format!("unknown code {stored}")))
}

pub(super) fn reason(stored: &str) -> Result<Reason> {
    let known = Reason::ALL.into_iter().find(|reason| reason.as_str() == stored);
    known.ok_or_else(|| damaged("a reason", format!("unknown word {stored}")))
}

fn containment(stored: &str) -> Result<Containment> {
    let known = Containment::ALL.into_iter().find(|known| known.as_str() == stored);
    known.ok_or_else(|| damaged("a containment", format!("unknown word {stored}")))
}

pub(super) fn time(stored: i64) -> Result<DateTime<Utc>> {
    let time = Utc.timestamp_millis_opt(stored).single();
    time.ok_or_else(|| damaged("a time", format!("{stored} is out of range")))
}

pub(super) fn number<T: TryFrom<i64>>(stored: i64) -> Result<T>
where
    T::Error: std::error::Error + Send + Sync + 'static,
{
    T::try_from(stored).map_err(|e| damaged("a number", e))
}

/// A count of bytes or milliseconds as it is stored; what is beyond the largest is as good as it.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A duration in whole milliseconds, as it is stored.
pub(super) fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| damaged("stored JSON", e))
}

pub(super) fn render<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::internal("writing JSON", e))
}

/// Ids as a JSON array, for statements that take many.
pub(super) fn id_list(ids: impl IntoIterator<Item = Uuid>) -> Result<String> {
    render(&ids.into_iter().map(|id| id.simple().to_string()).collect::<Vec<_>>())
}

fn damaged(
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::internal(what, source)
}
