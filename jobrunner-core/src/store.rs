//! The truth: jobs, leases and accounts, as transitions rather than rows.
//!
//! A store is one type that implements ten roles: [`JobStore`] for those who submit and look,
//! [`LeaseStore`] for the workers, [`ResultStore`] for what became of tests, [`KnownIssueStore`]
//! for what is known of how they fail, [`HistoryStore`] for their past, [`AccountStore`] for who
//! may do what, [`ProjectStore`] for what they share, [`AuditStore`] for what they did,
//! [`NotificationStore`] for who is told of it. Each method is one transaction: it happens whole or
//!
//! What every store decides in the same way is in [`engine`]. A store of an embedder's own that
//! asks it, and finds, locks and writes rows as the methods say, passes `store_conformance!`
//! (feature `testkit`).
//!
//! **Cancel safety**: a dropped future may or may not take effect, but never half. Submit again
//! with the same idempotency key, or report again with the same lease token, to learn which.

mod account;
pub mod engine;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod feed;
mod history;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod intake;
mod known_issue;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod migrations;
mod notification;
#[cfg(feature = "postgres")]
pub mod postgres;
mod project;
mod result;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use crate::{
    BatchId, Conflict, JobId, JobSpec, Result, SessionId, UserId,
    audit::{AuditEvent, AuditFilter},
    batch::{Batch, BatchFilter, Counts, NewBatch, RerunOnly},
    insight::{Cause, Part},
    job::{Attempt, Job, JobFilter},
    lease::{
        Claim, Claimable, Exchanged, Finish, Finished, LeaseRef, Leased, NewSession, Pick,
        QueueState, QueueUpdate, Renewal, Rescue, Rescued, Worker,
    },
    log::{LogChunk, LogInfo, LogKey, Stream, Trim},
    page::{Page, PageRequest},
    report::{Case, CaseFilter},
    user::Scope,
};

pub use account::{Account, AccountStore, AccountUpdate, KeptSignIn, MOST_TOKENS};
pub use history::HistoryStore;
pub use known_issue::KnownIssueStore;
pub use notification::NotificationStore;
pub use project::{Deleted, ProjectStore};
pub use result::ResultStore;

/// Everything a service needs from its store.
pub trait Store:
    JobStore
    + LeaseStore
    + ResultStore
    + KnownIssueStore
    + HistoryStore
    + AccountStore
    + ProjectStore
    + AuditStore
    + NotificationStore
{
}

impl<S> Store for S where
    S: JobStore
        + LeaseStore
        + ResultStore
        + KnownIssueStore
        + HistoryStore
        + AccountStore
        + ProjectStore
        + AuditStore
        + NotificationStore
{
}

/// A promise that the same request, sent twice, is carried out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Chosen by the caller; names one request of one owner.
    pub key: String,
    /// SHA-256 of the request, to tell a repetition from another request with the same key.
    pub digest: [u8; 32],
}

impl Idempotency {
    /// The answer to this request when its key is known: what the request of this digest made.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when that was another request.
    pub fn repeated<Id: From<uuid::Uuid>>(
        &self,
        digest: &[u8],
        made: uuid::Uuid,
    ) -> Result<Submitted<Id>> {
        if self.digest != digest {
            return Err(Conflict::KeyReused.into());
        }
        Ok(Submitted { id: made.into(), made_at: None })
    }
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted<Id> {
    /// The job or batch, made now or by the same request before.
    pub id: Id,
    /// When it was made, as it is shown; `None` if that was by the same request before.
    pub made_at: Option<DateTime<Utc>>,
}

/// A batch to be stored.
#[derive(Debug)]
pub struct BatchOrder {
    /// Whose it will be.
    pub owner: UserId,
    /// What it is.
    pub batch: NewBatch,
    /// Carry it out once.
    pub idempotency: Option<Idempotency>,
}

/// The members of a batch to be stored, made one by one so that they need not all be in memory. The
/// first `Err` ends the submission, and nothing is stored.
pub type Specs = Box<dyn Iterator<Item = Result<JobSpec>> + Send>;

/// What a cancel did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Canceled {
    /// Jobs that ended by it at once, since they were not running.
    pub ended: u64,
    /// Jobs whose worker was told to kill them.
    pub stopping: u64,
}

/// Jobs and batches, for those who submit them and look at them.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Whether the store answers.
    ///
    /// # Errors
    /// It does not.
    async fn ping(&self) -> Result<()>;

    /// Stores one job, waiting.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the key was used for another request.
    async fn submit_job(
        &self,
        owner: UserId,
        spec: JobSpec,
        idempotency: Option<Idempotency>,
    ) -> Result<Submitted<JobId>>;

    /// Stores a batch and all its jobs, waiting; all or nothing.
    ///
    /// # Errors
    /// The first error of `jobs`; [`Conflict`](crate::Error::Conflict) when the key was used for
    /// another request; [`Invalid`](crate::Error::Invalid) when `jobs` is empty.
    async fn submit_batch(&self, order: BatchOrder, jobs: Specs) -> Result<Submitted<BatchId>>;

    /// Stores a new batch of `owner` with the chosen members of another one.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound), or [`Conflict`](crate::Error::Conflict) when no member
    /// is to be repeated.
    async fn rerun_batch(&self, owner: UserId, batch: BatchId, only: RerunOnly) -> Result<BatchId>;

    /// One job within the scope.
    async fn job(&self, id: JobId, scope: Scope) -> Result<Option<Job>>;

    /// Jobs within the scope, newest first; members of a batch in the filter's order.
    async fn jobs(&self, scope: Scope, filter: &JobFilter, page: PageRequest) -> Result<Page<Job>>;

    /// The attempts of a job in their order; the running one is the last.
    async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>>;

    /// The cases of a job's reports, in the order of [`Report::cases`](crate::report::Report).
    async fn cases(&self, job: JobId, filter: &CaseFilter, page: PageRequest)
    -> Result<Page<Case>>;

    /// One batch within the scope.
    async fn batch(&self, id: BatchId, scope: Scope) -> Result<Option<Batch>>;

    /// The names of those of these batches that are within the scope.
    async fn batch_names(&self, ids: &[BatchId], scope: Scope) -> Result<HashMap<BatchId, String>>;

    /// Why members of a batch failed, the most frequent cause first: of its newest
    /// [`FAILURES_LOOKED_AT`](crate::insight::FAILURES_LOOKED_AT) failures.
    async fn causes(&self, batch: BatchId) -> Result<Vec<Cause>>;

    /// What happened to the members of a batch in so many equal parts of the time from one moment
    /// to another.
    async fn timeline(
        &self,
        batch: BatchId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        parts: u32,
    ) -> Result<Vec<Part>>;

    /// Batches within the scope, newest first.
    async fn batches(
        &self,
        scope: Scope,
        filter: &BatchFilter,
        page: PageRequest,
    ) -> Result<Page<Batch>>;

    /// How the jobs of an owner, or of everybody within the scope, stand: those of the scope's own
    /// owner if others' are in it by projects alone, of which there are no counts. Takes the same
    /// time however many jobs there are.
    async fn counts(&self, scope: Scope, owner: Option<UserId>) -> Result<Counts>;

    /// Ends a job that waits; marks a running one to be killed by its worker. A job that has ended
    /// is left as it is.
    async fn cancel_job(&self, job: JobId) -> Result<Canceled>;

    /// Cancels every job of a batch that has not ended.
    async fn cancel_batch(&self, batch: BatchId) -> Result<Canceled>;

    /// Cancels every job that has not ended, of an owner or with `None` of everybody. What is
    /// submitted meanwhile may be among them.
    async fn cancel_all(&self, owner: Option<UserId>) -> Result<Canceled>;

    /// Forgets a job that has ended, with its attempts and output.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) while it has not ended.
    async fn delete_job(&self, job: JobId) -> Result<()>;

    /// Forgets a batch that has ended, with its jobs.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) while one of its jobs has not ended.
    async fn delete_batch(&self, batch: BatchId) -> Result<()>;

    /// What is known of the output of an attempt, `None` being the last one.
    async fn log_info(&self, job: JobId, attempt: Option<u32>) -> Result<LogInfo>;

    /// Stored chunks of a stream in order, from the one that holds the byte at `from`, or follows
    /// it, on; as many as fit into `max_bytes`, at least one if there is any.
    async fn read_log(
        &self,
        key: LogKey,
        stream: Stream,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<LogChunk>>;
}

/// Leases, for the workers.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Announces a worker.
    async fn open_session(&self, session: NewSession) -> Result<()>;

    /// Keeps a worker's leases for another time to live, counted from now by the store's clock, and
    /// tells what happened to the leases it holds.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when the session is gone: the worker holds no lease any
    /// more and must kill what it runs.
    async fn renew(&self, session: SessionId, held: &[LeaseRef]) -> Result<Renewal>;

    /// Ends a session; the leases that it still has are rescued at once.
    async fn close_session(&self, session: SessionId) -> Result<Vec<Rescued>>;

    /// The queue of this name, if jobs were submitted to it.
    async fn queue(&self, name: &str) -> Result<Option<QueueState>>;

    /// The first queues that jobs were submitted to, in the order of their names, after a name.
    async fn queues(&self, after: Option<&str>, limit: u32) -> Result<Vec<QueueState>>;

    /// Changes a queue.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when no job was ever submitted to it.
    async fn update_queue(&self, name: &str, update: QueueUpdate) -> Result<()>;

    /// Gives an owner a weight among the owners, above 0: they get turns in proportion to it. It is
    /// 1 until then.
    async fn weigh_owner(&self, owner: UserId, weight: f64) -> Result<()>;

    /// Forgets the queues that have had no open job for so long, but for those that were ever
    /// changed; answers how many. That a queue has no open job is noticed by this call, the first
    /// time after it has become so. A queue is there again with the next job that is submitted to
    /// it.
    async fn forget_queues(&self, unused: Duration) -> Result<u64>;

    /// The workers that are alive.
    async fn workers(&self) -> Result<Vec<Worker>>;

    /// Tells a worker to take no new jobs.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    async fn drain(&self, session: SessionId) -> Result<()>;

    /// Records how attempts ended, and leases jobs that may run now, in one transaction: a worker
    /// exchanges its reports for work.
    ///
    /// [`retry::next`](crate::retry::next) decides whether a job waits again. A report that is sent
    /// again after its answer was lost is [`Already`](Finished::Already) recorded. Each lease has a
    /// fresh token and is charged an attempt: its job is running. When the answer is lost, its
    /// leases are given back by a later [`renew`](Self::renew).
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when the session of the claim is gone; no report is
    /// recorded then.
    async fn exchange(&self, reports: &[Finish], next: Option<Claim>) -> Result<Exchanged>;

    /// Leases jobs that may run now: an [`exchange`](Self::exchange) without reports.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when the session is gone.
    async fn claim(&self, session: SessionId, pick: Pick) -> Result<Vec<Leased>> {
        self.exchange(&[], Some(Claim { session, pick })).await.map(|done| done.leased)
    }

    /// Records how attempts ended: an [`exchange`](Self::exchange) without a claim.
    async fn finish(&self, reports: &[Finish]) -> Result<Vec<Finished>> {
        self.exchange(reports, None).await.map(|done| done.finished)
    }

    /// Everything that may be claimed now, or what may be of one batch, in pages of at most 1,000
    /// jobs; those of one lane and priority in the order of their submission. This is how a queue
    /// is filled again that lost its contents.
    fn claimable(&self, of: Option<BatchId>) -> BoxStream<'_, Result<Vec<Claimable>>>;

    /// Gives back leases whose commands were not started: no attempt is charged. A job that was
    /// canceled meanwhile ends. Leases that are no longer held are left out.
    async fn release(&self, leases: &[LeaseRef]) -> Result<()>;

    /// Stores output of a started lease, then forgets the trimmed parts. Chunks that are stored
    /// already are left as they are, so a retry is harmless.
    ///
    /// Answers `false`, storing nothing, when the lease is no longer held.
    async fn append_log(&self, lease: LeaseRef, chunks: &[LogChunk], trim: &[Trim])
    -> Result<bool>;

    /// Reclaims the leases of workers that went away: each is a `worker_lost` attempt.
    async fn rescue(&self, which: Rescue) -> Result<Vec<Rescued>>;
}

/// What was asked for, for those who look into it later.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Stores an event, for good: there is no way to change or delete one.
    async fn record(&self, event: AuditEvent) -> Result<()>;

    /// Events, newest first.
    async fn audit_events(
        &self,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEvent>>;
}
