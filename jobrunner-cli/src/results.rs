//! Where results are looked up: the service of this process, or a server.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, stream::BoxStream};
use jobrunner_core::{
    Batch, BatchId, Job, JobId, Principal, Service, Status,
    connect::Embedded,
    job::{JobFilter, Order},
    page::{Page, PageRequest},
    queue::Wakeup,
};
use tokio::sync::Mutex;

use crate::{exit::Failure, follow::PAUSE};

/// The most that is read of the end of a job's output.
pub(crate) const TAIL_BYTES: u64 = 64 * 1024;

/// The end of what a job wrote, as text.
pub(crate) struct Tail {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Results of a batch.
#[async_trait]
pub(crate) trait Results: Send + Sync {
    /// The batch as it stands.
    async fn batch(&self, id: BatchId) -> Result<Batch, Failure>;

    /// A page of its jobs, newest first.
    async fn jobs(
        &self,
        batch: BatchId,
        status: Option<Status>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<Job>, Failure>;

    /// Those of its jobs that took longest, the longest first.
    async fn slowest(&self, batch: BatchId, limit: u32) -> Result<Vec<Job>, Failure>;

    /// The end of a job's output.
    async fn tail(&self, job: JobId) -> Result<Tail, Failure>;

    /// Waits until it makes sense to look again.
    async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }
}

/// How soon a change in this process is looked at, so that many at once cost one look.
const SOON: Duration = Duration::from_millis(10);

/// The service of this process.
pub(crate) struct Local {
    pub(crate) service: Service,
    pub(crate) caller: Principal,
    /// Says that something has changed.
    wakeups: Mutex<BoxStream<'static, Wakeup>>,
}

impl Local {
    pub(crate) fn new(embedded: &Embedded, caller: Principal) -> Self {
        let wakeups = Mutex::new(embedded.queue.wakeups());
        Self { service: embedded.service.clone(), caller, wakeups }
    }
}

#[async_trait]
impl Results for Local {
    async fn batch(&self, id: BatchId) -> Result<Batch, Failure> {
        Ok(self.service.batch(&self.caller, id).await?)
    }

    async fn jobs(
        &self,
        batch: BatchId,
        status: Option<Status>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<Job>, Failure> {
        let page = PageRequest::parse(Some(limit), cursor.as_deref());
        let page = page.map_err(jobrunner_core::Error::from)?;
        let filter = JobFilter { batch: Some(batch), status, ..JobFilter::default() };
        Ok(self.service.jobs(&self.caller, filter, page).await?)
    }

    async fn slowest(&self, batch: BatchId, limit: u32) -> Result<Vec<Job>, Failure> {
        let filter =
            JobFilter { batch: Some(batch), order: Order::Longest, ..JobFilter::default() };
        Ok(self.service.jobs(&self.caller, filter, PageRequest::first(limit)).await?.items)
    }

    async fn tail(&self, job: JobId) -> Result<Tail, Failure> {
        let logs = self.service.logs(&self.caller, job, Some(TAIL_BYTES)).await?;
        Ok(Tail {
            stdout: String::from_utf8_lossy(&logs.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&logs.stderr).into_owned(),
        })
    }

    async fn pause(&self) {
        let mut wakeups = self.wakeups.lock().await;
        // Should it fall silent, it is looked at all the same.
        drop(tokio::time::timeout(PAUSE, wakeups.next()).await);
        tokio::time::sleep(SOON).await;
        while let Some(Some(_)) = wakeups.next().now_or_never() {}
    }
}
