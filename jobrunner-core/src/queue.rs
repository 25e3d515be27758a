//! Hints about where to look next. A queue may lose, repeat or invent anything, and nothing breaks:
//! the store decides what may run, and workers ask it by themselves from time to time.

#[cfg(any(feature = "postgres", feature = "redis"))]
mod backoff;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod letter;
mod local;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod relay;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

pub use local::LocalQueue;
#[cfg(feature = "postgres")]
pub use postgres::PostgresQueue;
#[cfg(feature = "redis")]
pub use redis::RedisQueue;

use crate::{BatchId, JobId, JobSpec, UserId};

/// What may be claimable now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// One job.
    Job {
        /// Which job.
        job: JobId,
        /// Its priority, 0 to 10.
        priority: u8,
        /// The queue it waits in; with the owner, its lane.
        queue: String,
        /// Whose it is.
        owner: UserId,
    },
    /// Members of a batch, too many to be named.
    Batch(BatchId),
}

impl Hint {
    /// A job of this owner that was just stored: what is to be offered once it is committed.
    #[must_use]
    pub fn job(job: JobId, owner: UserId, spec: &JobSpec) -> Self {
        Self::Job { job, priority: spec.priority, queue: spec.queue.clone(), owner }
    }
}

/// What a queue proposes to a worker that has free slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidates {
    /// Try these jobs.
    Ids(Vec<JobId>),
    /// The queue does not know; let the store choose.
    AskStore,
}

/// Something that listeners may want to act on at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// There may be work.
    Work,
    /// Jobs of this kind were canceled; a worker that runs one should ask the store.
    Cancel,
    /// A job or a batch changed.
    Changed {
        /// The job, unless many changed.
        job: Option<JobId>,
        /// The batch of the changed jobs.
        batch: Option<BatchId>,
    },
    /// Wake-ups were missed: anything may have changed.
    Lagged,
}

/// What a queue depends on besides the store, and whether that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Nothing: there is no other part.
    None,
    /// The other part answers.
    Up,
    /// The other part does not answer; workers ask the store meanwhile.
    Down,
}

/// Advisory transport between those who change the store and those who wait for a change.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Proposes jobs to the workers. Best effort: failures are the queue's own affair. `hints` may
    /// be empty when it is not known which jobs became claimable.
    async fn offer(&self, hints: &[Hint]);

    /// What to claim next.
    async fn candidates(&self, queues: &[String], want: u32) -> Candidates;

    /// Tells all listeners, in all processes.
    async fn announce(&self, wakeup: Wakeup);

    /// What is announced from now on. Ends when the queue shuts down. Cancel safe.
    fn wakeups(&self) -> BoxStream<'static, Wakeup>;

    /// Whether the part that the queue depends on answers; never fails, and takes a second at most.
    async fn link(&self) -> Link;
}
