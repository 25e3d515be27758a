//! Fills the lanes from the store, behind the backs of those who wait for answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::TryStreamExt;
use redis::aio::MultiplexedConnection;
use tokio::{
    select,
    sync::{
        Notify,
        mpsc::{self, Receiver, Sender},
    },
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{
    lanes::{Entry, Lanes},
    wire::Wire,
};
use crate::{BatchId, Store, lease::Claimable, queue::Wakeup, queue::relay::Relay};

/// How many batches may wait to be put into the lanes.
const BACKLOG: usize = 64;

/// How long Redis may take for a group of jobs.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// When to try again what did not work.
const PAUSE: Duration = Duration::from_secs(1);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the filler is to do. Nobody waits for it.
pub(super) struct Orders {
    /// Whose filler it is that may rebuild.
    who: Uuid,
    batches: Sender<BatchId>,
    /// There are jobs that should be in the lanes and are not.
    missing: AtomicBool,
    wake: Notify,
}

impl Orders {
    pub(super) fn new() -> (Self, Receiver<BatchId>) {
        let (batches, incoming) = mpsc::channel(BACKLOG);
        let (missing, wake) = (AtomicBool::new(false), Notify::new());
        (Self { who: Uuid::new_v4(), batches, missing, wake }, incoming)
    }

    /// The jobs of a batch are to be put into the lanes.
    pub(super) fn fill(&self, batch: BatchId) {
        if self.batches.try_send(batch).is_err() {
            self.miss();
        }
    }

    /// Some jobs did not get into the lanes: they are to be rebuilt.
    pub(super) fn miss(&self) {
        self.missing.store(true, Ordering::Release);
        self.look();
    }

    /// The lanes may be incomplete.
    pub(super) fn look(&self) {
        self.wake.notify_one();
    }
}

/// The one who fills, in one task.
pub(super) struct Filler {
    pub(super) store: Arc<dyn Store>,
    pub(super) wire: Arc<Wire>,
    pub(super) lanes: Arc<Lanes>,
    pub(super) relay: Arc<Relay>,
    pub(super) orders: Arc<Orders>,
    pub(super) batches: Receiver<BatchId>,
}

impl Filler {
    /// Follows orders, for ever.
    pub(super) async fn run(mut self) {
        let mut redis = None;
        // When to look whether the lanes are complete, without being told to.
        let mut due = Some(Instant::now());
        loop {
            let done = select! {
                biased;
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.settle(&mut redis).await
                }
                () = self.orders.wake.notified(), if due.is_none() => self.settle(&mut redis).await,
                Some(batch) = self.batches.recv() => {
                    self.fill_or_miss(&mut redis, batch).await;
                    continue;
                }
            };
            let settled = done.unwrap_or_else(|error| {
                tracing::debug!(error = &*error as &dyn std::error::Error, "cannot fill the lanes");
                redis = None;
                false
            });
            due = (!settled).then(|| Instant::now() + PAUSE);
        }
    }

    /// The connection, made if there is none.
    async fn connected<'a>(
        &self,
        redis: &'a mut Option<MultiplexedConnection>,
    ) -> Result<&'a mut MultiplexedConnection, Failure> {
        let connection = match redis.take() {
            Some(connection) => connection,
            None => self.wire.dial(ANSWER_LIMIT).await?,
        };
        Ok(redis.insert(connection))
    }

    /// Puts a batch into the lanes, or remembers that it is not there.
    async fn fill_or_miss(&self, redis: &mut Option<MultiplexedConnection>, batch: BatchId) {
        // The second time on a fresh connection: the one at hand may have been idle for too long.
        for _ in 0..2 {
            if !self.wire.is_up() {
                break;
            }
            let filled = match self.connected(redis).await {
                Ok(connection) => self.fill(connection, batch).await,
                Err(error) => Err(error),
            };
            let Err(error) = filled else { return };
            let error = &*error as &dyn std::error::Error;
            tracing::debug!(error, batch.id = %batch, "a batch is not in the lanes");
            *redis = None;
        }
        self.orders.miss();
    }

    async fn fill(&self, redis: &mut MultiplexedConnection, batch: BatchId) -> Result<(), Failure> {
        let mut pages = self.store.claimable(Some(batch));
        while let Some(page) = pages.try_next().await? {
            self.push(redis, &page).await?;
        }
        Ok(())
    }

    async fn push(
        &self,
        redis: &mut MultiplexedConnection,
        page: &[Claimable],
    ) -> Result<(), Failure> {
        let entries: Vec<Entry<'_>> = page.iter().map(Entry::from).collect();
        self.lanes.push(redis, &entries).await?;
        self.relay.announce(Wakeup::Work);
        Ok(())
    }

    /// Sees to it that the lanes are complete. `false` when they are not yet.
    async fn settle(&mut self, redis: &mut Option<MultiplexedConnection>) -> Result<bool, Failure> {
        if !self.wire.is_up() {
            // The order to look comes again when it is.
            return Ok(true);
        }
        let redis = self.connected(redis).await?;
        if self.orders.missing.swap(false, Ordering::AcqRel)
            && let Err(error) = self.lanes.forget(redis).await
        {
            self.orders.missing.store(true, Ordering::Release);
            return Err(error.into());
        }
        Ok(self.lanes.are_complete(redis).await? || self.rebuild(redis).await?)
    }

    /// Fills the lanes with all that can be claimed. `false` when somebody else does it, or it must
    /// be begun again.
    async fn rebuild(&mut self, redis: &mut MultiplexedConnection) -> Result<bool, Failure> {
        let who = self.orders.who.to_string();
        if !self.lanes.begin(redis, &who).await? {
            return Ok(false);
        }
        tracing::info!("the lanes in Redis are rebuilt from the store");
        let store = Arc::clone(&self.store);
        let mut pages = store.claimable(None);
        let mut count = 0;
        while let Some(page) = pages.try_next().await? {
            if !self.lanes.hold(redis, &who).await? {
                return Ok(false);
            }
            self.push(redis, &page).await?;
            count += page.len();
            // A rebuild takes long if much waits; the batches that come meanwhile do not.
            if let Ok(batch) = self.batches.try_recv() {
                self.fill(redis, batch).await.inspect_err(|_| self.orders.miss())?;
            }
        }
        let complete = self.lanes.complete(redis, &who).await?;
        if complete {
            tracing::info!(jobs = count, "the lanes in Redis are complete");
            self.relay.announce(Wakeup::Work);
        }
        Ok(complete)
    }
}
