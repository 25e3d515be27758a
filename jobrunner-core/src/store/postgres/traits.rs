//! The two larger roles of the store, each method handed on to where it is carried out.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use super::{
    PostgresStore, cancel, cancel_all, change, claimable, delete, exchange, insight, log, queue,
    read, reclaim, rows::WorkerRow, session, sql, store_error, submit,
};
use crate::{
    BatchId, JobId, JobSpec, Result, SessionId, UserId,
    authz::Scope,
    batch::{Batch, BatchFilter, Counts, RerunOnly},
    insight::{Cause, Part},
    job::{Attempt, Job, JobFilter},
    lease::{
        Claim, Claimable, Exchanged, Finish, LeaseRef, NewSession, QueueState, QueueUpdate,
        Renewal, Rescue, Rescued, Worker,
    },
    log::{LogChunk, LogInfo, LogKey, Stream, Trim},
    page::{Page, PageRequest},
    store::{
        BatchOrder, Canceled, Idempotency, JobStore, LeaseStore, Specs, Submitted,
        intake::{Asked, Outcome},
    },
};

#[async_trait]
impl JobStore for PostgresStore {
    async fn ping(&self) -> Result<()> {
        change::ping(&self.pools.reads).await
    }

    async fn submit_job(
        &self,
        owner: UserId,
        spec: JobSpec,
        idempotency: Option<Idempotency>,
    ) -> Result<Submitted<JobId>> {
        match self.intake.store(Asked::new(owner, spec, idempotency)?).await? {
            Outcome::Settled(settled) => settled,
            Outcome::Alone(asked) => {
                let slot = self.slot;
                let Asked { owner, spec, idempotency, .. } = *asked;
                self.change(move |c| {
                    Box::pin(submit::submit_job(c, slot, owner, spec, idempotency))
                })
                .await
            }
        }
    }

    async fn submit_batch(&self, order: BatchOrder, jobs: Specs) -> Result<Submitted<BatchId>> {
        let slot = self.slot;
        self.change(move |c| Box::pin(submit::submit_batch(c, slot, order, jobs))).await
    }

    async fn rerun_batch(&self, owner: UserId, batch: BatchId, only: RerunOnly) -> Result<BatchId> {
        let slot = self.slot;
        self.change(move |c| Box::pin(submit::rerun_batch(c, slot, owner, batch, only))).await
    }

    async fn job(&self, id: JobId, scope: Scope) -> Result<Option<Job>> {
        read::job(&self.pools.reads, id, scope).await
    }

    async fn jobs(&self, filter: &JobFilter, page: PageRequest) -> Result<Page<Job>> {
        read::jobs(&self.pools.reads, filter, page).await
    }

    async fn causes(&self, batch: BatchId) -> Result<Vec<Cause>> {
        insight::causes(&self.pools.reads, batch).await
    }

    async fn timeline(
        &self,
        batch: BatchId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        parts: u32,
    ) -> Result<Vec<Part>> {
        insight::timeline(&self.pools.reads, batch, from, to, parts).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>> {
        read::attempts(&self.pools.reads, job).await
    }

    async fn batch(&self, id: BatchId, scope: Scope) -> Result<Option<Batch>> {
        read::batch(&self.pools.reads, id, scope).await
    }

    async fn batch_names(&self, ids: &[BatchId], scope: Scope) -> Result<HashMap<BatchId, String>> {
        read::batch_names(&self.pools.reads, ids, scope).await
    }

    async fn batches(&self, filter: &BatchFilter, page: PageRequest) -> Result<Page<Batch>> {
        read::batches(&self.pools.reads, filter, page).await
    }

    async fn counts(&self, scope: Scope, owner: Option<UserId>) -> Result<Counts> {
        read::counts(&self.pools.reads, scope, owner).await
    }

    async fn cancel_job(&self, job: JobId) -> Result<Canceled> {
        cancel::cancel_job(self, job).await
    }

    async fn cancel_batch(&self, batch: BatchId) -> Result<Canceled> {
        cancel::cancel_batch(self, batch).await
    }

    async fn cancel_all(&self, owner: Option<UserId>) -> Result<Canceled> {
        cancel_all::cancel_all(self, owner).await
    }

    async fn delete_job(&self, job: JobId) -> Result<()> {
        self.counted(move |c| Box::pin(delete::delete_job(c, job))).await
    }

    async fn delete_batch(&self, batch: BatchId) -> Result<()> {
        self.counted(move |c| Box::pin(delete::delete_batch(c, batch))).await
    }

    async fn log_info(&self, job: JobId, attempt: Option<u32>) -> Result<LogInfo> {
        log::info(&self.pools.reads, job, attempt).await
    }

    async fn read_log(
        &self,
        key: LogKey,
        stream: Stream,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<LogChunk>> {
        log::read(&self.pools.reads, key, stream, from, max_bytes).await
    }
}

#[async_trait]
impl LeaseStore for PostgresStore {
    async fn open_session(&self, session: NewSession) -> Result<()> {
        session::open(self, session).await
    }

    async fn renew(&self, session: SessionId, held: &[LeaseRef]) -> Result<Renewal> {
        session::renew(self, session, held).await
    }

    async fn close_session(&self, session: SessionId) -> Result<Vec<Rescued>> {
        session::close(self, session).await
    }

    async fn queues(&self, name: Option<&str>) -> Result<Vec<QueueState>> {
        queue::list(&self.pools.reads, name).await
    }

    async fn update_queue(&self, name: &str, update: QueueUpdate) -> Result<()> {
        queue::update(&self.pools.reads, name, update).await
    }

    async fn workers(&self) -> Result<Vec<Worker>> {
        let rows: Vec<WorkerRow> = sqlx::query_as(sql!("session/list"))
            .fetch_all(&self.pools.reads)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(WorkerRow::into_worker).collect()
    }

    async fn drain(&self, session: SessionId) -> Result<()> {
        session::drain(self, session).await
    }

    async fn exchange(&self, reports: &[Finish], next: Option<Claim>) -> Result<Exchanged> {
        let reports = reports.to_vec();
        self.counted(move |c| Box::pin(exchange::exchange(c, reports, next))).await
    }

    fn claimable(&self, of: Option<BatchId>) -> BoxStream<'_, Result<Vec<Claimable>>> {
        claimable::pages(&self.pools.changes, of)
    }

    async fn release(&self, leases: &[LeaseRef]) -> Result<()> {
        let leases = leases.to_vec();
        self.counted(move |c| Box::pin(reclaim::give_back(c, leases))).await
    }

    async fn append_log(
        &self,
        lease: LeaseRef,
        chunks: &[LogChunk],
        trim: &[Trim],
    ) -> Result<bool> {
        let (chunks, trim) = (chunks.to_vec(), trim.to_vec());
        self.change(move |c| {
            Box::pin(async move { log::append_held(c, lease, &chunks, &trim).await })
        })
        .await
    }

    async fn rescue(&self, which: Rescue) -> Result<Vec<Rescued>> {
        session::rescue(self, which).await
    }
}
