//! The two larger roles of the store, each method handed on to where it is carried out.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use super::{
    Store, cancel, case, claimable, delete, exchange, expiry, insight, log, queue, read, reclaim,
    session, submit,
};
use crate::{
    BatchId, JobId, JobSpec, Result, SessionId, UserId,
    batch::{Batch, BatchFilter, Counts, RerunOnly},
    insight::{Cause, Part},
    job::{Attempt, Job, JobFilter},
    lease::{
        Claim, Claimable, Exchanged, Finish, LeaseRef, NewSession, QueueState, QueueUpdate,
        Renewal, Rescue, Rescued, Worker,
    },
    log::{LogChunk, LogInfo, LogKey, Stream, Trim},
    page::{Page, PageRequest},
    report::{Case, CaseFilter},
    store::{
        BatchOrder, Canceled, Idempotency, JobStore, LeaseStore, Specs, Submitted,
        engine::rows::WorkerRow,
        intake::{Asked, Outcome},
    },
    user::Scope,
};

#[async_trait]
impl JobStore for Store {
    async fn ping(&self) -> Result<()> {
        self.answers().await
    }

    async fn submit_job(
        &self,
        owner: UserId,
        spec: JobSpec,
        idempotency: Option<Idempotency>,
    ) -> Result<Submitted<JobId>> {
        match self.take_in(Asked::new(owner, spec, idempotency)?).await? {
            Outcome::Settled(settled) => settled,
            Outcome::Alone(asked) => {
                let Asked { owner, spec, idempotency, .. } = *asked;
                self.counted(move |c| Box::pin(submit::submit_job(c, owner, spec, idempotency)))
                    .await
            }
        }
    }

    async fn submit_batch(&self, order: BatchOrder, jobs: Specs) -> Result<Submitted<BatchId>> {
        self.counted(move |c| Box::pin(submit::submit_batch(c, order, jobs))).await
    }

    async fn rerun_batch(&self, owner: UserId, batch: BatchId, only: RerunOnly) -> Result<BatchId> {
        self.counted(move |c| Box::pin(submit::rerun_batch(c, owner, batch, only))).await
    }

    async fn job(&self, id: JobId, scope: Scope) -> Result<Option<Job>> {
        read::job(self.reads(), id, scope).await
    }

    async fn jobs(&self, scope: Scope, filter: &JobFilter, page: PageRequest) -> Result<Page<Job>> {
        read::jobs(self.reads(), scope, filter, page).await
    }

    async fn causes(&self, batch: BatchId) -> Result<Vec<Cause>> {
        insight::causes(self.reads(), batch).await
    }

    async fn timeline(
        &self,
        batch: BatchId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        parts: u32,
    ) -> Result<Vec<Part>> {
        insight::timeline(self.reads(), batch, from, to, parts).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>> {
        read::attempts(self.reads(), job).await
    }

    async fn cases(
        &self,
        job: JobId,
        filter: &CaseFilter,
        page: PageRequest,
    ) -> Result<Page<Case>> {
        case::list(self.reads(), job, filter, page).await
    }

    async fn batch(&self, id: BatchId, scope: Scope) -> Result<Option<Batch>> {
        read::batch(self.reads(), id, scope).await
    }

    async fn batch_names(&self, ids: &[BatchId], scope: Scope) -> Result<HashMap<BatchId, String>> {
        read::batch_names(self.reads(), ids, scope).await
    }

    async fn batches(
        &self,
        scope: Scope,
        filter: &BatchFilter,
        page: PageRequest,
    ) -> Result<Page<Batch>> {
        read::batches(self.reads(), scope, filter, page).await
    }

    async fn counts(&self, scope: Scope, owner: Option<UserId>) -> Result<Counts> {
        read::counts(self.reads(), scope, owner).await
    }

    async fn cancel_job(&self, job: JobId) -> Result<Canceled> {
        cancel::cancel_job(self, job).await
    }

    async fn cancel_batch(&self, batch: BatchId) -> Result<Canceled> {
        cancel::cancel_batch(self, batch).await
    }

    async fn cancel_all(&self, owner: Option<UserId>) -> Result<Canceled> {
        cancel::cancel_all(self, owner).await
    }

    async fn delete_job(&self, job: JobId) -> Result<()> {
        self.counted(move |c| Box::pin(delete::delete_job(c, job))).await
    }

    async fn delete_batch(&self, batch: BatchId) -> Result<()> {
        self.counted(move |c| Box::pin(delete::delete_batch(c, batch))).await
    }

    async fn log_info(&self, job: JobId, attempt: Option<u32>) -> Result<LogInfo> {
        log::info(self.reads(), job, attempt).await
    }

    async fn read_log(
        &self,
        key: LogKey,
        stream: Stream,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<LogChunk>> {
        log::read(self.reads(), key, stream, from, max_bytes).await
    }
}

#[async_trait]
impl LeaseStore for Store {
    async fn open_session(&self, session: NewSession) -> Result<()> {
        expiry::open(self, session).await
    }

    async fn renew(&self, session: SessionId, held: &[LeaseRef]) -> Result<Renewal> {
        session::renew(self, session, held).await
    }

    async fn close_session(&self, session: SessionId) -> Result<Vec<Rescued>> {
        session::close(self, session).await
    }

    async fn queue(&self, name: &str) -> Result<Option<QueueState>> {
        Ok(queue::list(self.reads(), Some(name), "", 1).await?.pop())
    }

    async fn queues(&self, after: Option<&str>, limit: u32) -> Result<Vec<QueueState>> {
        queue::list(self.reads(), None, after.unwrap_or_default(), limit).await
    }

    async fn update_queue(&self, name: &str, update: QueueUpdate) -> Result<()> {
        queue::update(self, name.to_owned(), update).await
    }

    async fn weigh_owner(&self, owner: UserId, weight: f64) -> Result<()> {
        queue::weigh_owner(self, owner, weight).await
    }

    async fn forget_queues(&self, unused: Duration) -> Result<u64> {
        queue::forget(self, unused).await
    }

    async fn workers(&self) -> Result<Vec<Worker>> {
        expiry::workers(self).await?.into_iter().map(WorkerRow::into_worker).collect()
    }

    async fn drain(&self, session: SessionId) -> Result<()> {
        session::drain(self, session).await
    }

    async fn exchange(&self, reports: &[Finish], next: Option<Claim>) -> Result<Exchanged> {
        let reports = reports.to_vec();
        self.counted(move |c| Box::pin(exchange::exchange(c, reports, next))).await
    }

    fn claimable(&self, of: Option<BatchId>) -> BoxStream<'_, Result<Vec<Claimable>>> {
        claimable::pages(self.hot(), of)
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
