use async_trait::async_trait;
use futures_util::StreamExt;
use jobrunner_core::{
    Batch, BatchId, Job, JobId, Status,
    batch::RerunOnly,
    history::Comparison,
    insight::{Cause, Moment},
    job::Order,
    page::Page,
    verdict::{Class, ClassifiedTest, Verdict},
};
use reqwest::Response;

use super::{
    BATCH_LIMIT, Client, Key, NOTHING, NewBatchWithJobs, routes, stream,
    wire::{Items, Logs, Rerun},
};
use crate::{
    exit::Failure,
    junit::Document,
    results::{Results, TAIL_BYTES, Tail},
};

impl Client {
    pub(crate) async fn submit_batch(
        &self,
        batch: &NewBatchWithJobs<'_>,
        key: Key,
    ) -> Result<Batch, Failure> {
        self.submit(&routes::SUBMIT_BATCH, batch, BATCH_LIMIT, key).await
    }

    pub(crate) async fn cancel_batch(&self, id: BatchId) -> Result<Batch, Failure> {
        self.post(&routes::CANCEL_BATCH, &[&id.to_string()], NOTHING).await
    }

    pub(crate) async fn delete_batch(&self, id: BatchId) -> Result<(), Failure> {
        self.delete(&routes::DELETE_BATCH, &[&id.to_string()]).await
    }

    pub(crate) async fn rerun_batch(&self, id: BatchId, only: RerunOnly) -> Result<Batch, Failure> {
        self.post(&routes::RERUN_BATCH, &[&id.to_string()], Some(&Rerun { only })).await
    }

    pub(crate) async fn causes(&self, id: BatchId) -> Result<Vec<Cause>, Failure> {
        let causes: Items<Cause> = self.get(&routes::CAUSES, &[&id.to_string()], &[]).await?;
        Ok(causes.items)
    }

    pub(crate) async fn verdict(&self, id: BatchId) -> Result<Verdict, Failure> {
        self.get(&routes::VERDICT, &[&id.to_string()], &[]).await
    }

    /// The first tests of a class.
    pub(crate) async fn classified(
        &self,
        id: BatchId,
        class: Class,
        limit: u32,
    ) -> Result<Page<ClassifiedTest>, Failure> {
        let limit = [("limit", limit.to_string())];
        self.get(&routes::CLASSIFIED, &[&id.to_string(), class.as_str()], &limit).await
    }

    pub(crate) async fn compare(&self, id: BatchId, other: BatchId) -> Result<Comparison, Failure> {
        self.get(&routes::COMPARE, &[&id.to_string(), &other.to_string()], &[]).await
    }

    /// The first tests of a class beside another batch.
    pub(crate) async fn compared(
        &self,
        (id, other): (BatchId, BatchId),
        class: Class,
        limit: u32,
    ) -> Result<Page<ClassifiedTest>, Failure> {
        let (id, other) = (id.to_string(), other.to_string());
        let limit = [("limit", limit.to_string())];
        self.get(&routes::COMPARED, &[&id, &other, class.as_str()], &limit).await
    }

    pub(crate) async fn timeline(&self, id: BatchId) -> Result<Vec<Moment>, Failure> {
        let moments: Items<Moment> = self.get(&routes::TIMELINE, &[&id.to_string()], &[]).await?;
        Ok(moments.items)
    }

    /// The snapshots of a batch as they change, as server-sent events.
    pub(crate) async fn batch_events(&self, id: BatchId) -> Result<Response, Failure> {
        self.stream(&routes::BATCH_EVENTS, &id.to_string(), stream::ENDLESS).await
    }

    /// The results of a batch as JUnit XML, as they come.
    pub(crate) async fn junit(&self, id: BatchId) -> Result<Document<'_>, Failure> {
        let response = self.stream(&routes::JUNIT, &id.to_string(), BATCH_LIMIT).await?;
        let parts = response.bytes_stream();
        Ok(parts.map(|part| part.map_err(|error| self.http.cannot_reach(&error))).boxed())
    }
}

#[async_trait]
impl Results for Client {
    async fn batch(&self, id: BatchId) -> Result<Batch, Failure> {
        self.get(&routes::BATCH, &[&id.to_string()], &[]).await
    }

    async fn jobs(
        &self,
        batch: BatchId,
        status: Option<Status>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<Job>, Failure> {
        let mut filters = vec![("limit", limit.to_string())];
        filters.extend(status.map(|status| ("status", status.to_string())));
        filters.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.get(&routes::BATCH_JOBS, &[&batch.to_string()], &filters).await
    }

    async fn slowest(&self, batch: BatchId, limit: u32) -> Result<Vec<Job>, Failure> {
        let sorted = [("sort", Order::Longest.to_string()), ("limit", limit.to_string())];
        let page: Page<Job> = self.get(&routes::BATCH_JOBS, &[&batch.to_string()], &sorted).await?;
        Ok(page.items)
    }

    async fn tail(&self, job: JobId) -> Result<Tail, Failure> {
        let wanted = [("tail_bytes", TAIL_BYTES.to_string())];
        let logs: Logs = self.get(&routes::LOGS, &[&job.to_string()], &wanted).await?;
        Ok(Tail { stdout: logs.stdout, stderr: logs.stderr })
    }
}
