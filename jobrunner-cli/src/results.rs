//! Where results are looked up: the service of this process, or a server.

use async_trait::async_trait;
use jobrunner_core::{
    Batch, BatchId, Job, JobId, Principal, Service, Status,
    job::JobFilter,
    page::{Page, PageRequest},
};

use crate::exit::Failure;

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

    /// The end of a job's output.
    async fn tail(&self, job: JobId) -> Result<Tail, Failure>;
}

/// The service of this process.
pub(crate) struct Local {
    pub(crate) service: Service,
    pub(crate) caller: Principal,
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

    async fn tail(&self, job: JobId) -> Result<Tail, Failure> {
        let logs = self.service.logs(&self.caller, job, Some(TAIL_BYTES)).await?;
        Ok(Tail {
            stdout: String::from_utf8_lossy(&logs.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&logs.stderr).into_owned(),
        })
    }
}
