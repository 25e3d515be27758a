use jobrunner_core::{BatchId, JobId, NewJob, Service, UserId, job::JobFilter, page::PageRequest};
use poem::{Request, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Tag,
    answer::{Answer, Done, Result},
    auth::Caller,
    body::JsonBody,
    idempotency::idempotency,
    model,
};

/// How many items a page has when the caller does not say.
pub(crate) fn default_limit() -> u32 {
    100
}

pub(crate) fn page(limit: u32, cursor: Option<String>) -> Result<PageRequest> {
    Ok(PageRequest::parse(Some(limit), cursor.as_deref())?)
}

/// A list that is short enough for one page.
#[derive(Serialize)]
pub(crate) struct Whole<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

impl<T> From<Vec<T>> for Whole<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}

pub(crate) struct JobsApi;

#[OpenApi(tag = "Tag::Jobs")]
impl JobsApi {
    /// Submit a job
    #[oai(path = "/jobs", method = "post", operation_id = "submit_job")]
    async fn submit(
        &self,
        Data(service): Data<&Service>,
        request: &Request,
        Caller(caller): Caller,
        /// Makes it safe to send the request again: the same key and body answer the same job.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        body: JsonBody<NewJob, model::NewJob>,
    ) -> Result<Answer<model::Job, 202>> {
        let once = idempotency(request, &body.bytes)?;
        Answer::of(&service.submit_job(&caller, body.value, once).await?)
    }

    /// List jobs
    #[oai(path = "/jobs", method = "get", operation_id = "list_jobs")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the URL")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        status: Query<Option<model::Status>>,
        batch_id: Query<Option<Uuid>>,
        queue: Query<Option<String>>,
        owner_id: Query<Option<Uuid>>,
        /// The exact name; `*` in it stands for any text.
        name: Query<Option<String>>,
        /// Only those that ended for this reason.
        reason: Query<Option<model::Reason>>,
        /// In which order, newest first if it is left out. Others need `batch_id`.
        sort: Query<Option<model::Order>>,
        /// How many items at most: 1 to 1000.
        #[oai(default = "default_limit")]
        limit: Query<u32>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Answer<model::JobPage>> {
        let filter = JobFilter {
            status: status.0.map(Into::into),
            batch: batch_id.0.map(BatchId::from),
            queue: queue.0,
            owner: owner_id.0.map(UserId::from),
            name: name.0,
            reason: reason.0.map(Into::into),
            order: sort.0.map(Into::into).unwrap_or_default(),
            ..JobFilter::default()
        };
        Answer::of(&service.jobs(&caller, filter, page(limit.0, cursor.0)?).await?)
    }

    /// Count jobs by status
    ///
    /// The caller's jobs; admins get everybody's, or those of `owner_id`.
    #[oai(path = "/jobs/stats", method = "get", operation_id = "get_job_stats")]
    async fn stats(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        owner_id: Query<Option<Uuid>>,
    ) -> Result<Answer<model::Counts>> {
        Answer::of(&service.counts(&caller, owner_id.0.map(UserId::from)).await?)
    }

    /// One job
    #[oai(path = "/jobs/:id", method = "get", operation_id = "get_job")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Job>> {
        Answer::of(&service.job(&caller, JobId::from(id.0)).await?)
    }

    /// Cancel a job
    ///
    /// One that waits ends at once; a running one is killed by its worker; one that has ended stays.
    #[oai(path = "/jobs/:id/cancel", method = "post", operation_id = "cancel_job")]
    async fn cancel(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Job>> {
        Answer::of(&service.cancel_job(&caller, JobId::from(id.0)).await?)
    }

    /// Submit the same job again, as a new one
    #[oai(path = "/jobs/:id/rerun", method = "post", operation_id = "rerun_job")]
    async fn rerun(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Job, 202>> {
        Answer::of(&service.rerun_job(&caller, JobId::from(id.0)).await?)
    }

    /// Forget a job that has ended
    #[oai(path = "/jobs/:id", method = "delete", operation_id = "delete_job")]
    async fn delete(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Done> {
        service.delete_job(&caller, JobId::from(id.0)).await?;
        Ok(Done)
    }

    /// Every start of a job's command, in order
    #[oai(path = "/jobs/:id/attempts", method = "get", operation_id = "list_attempts")]
    async fn attempts(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::AttemptPage>> {
        Answer::of(&Whole::from(service.attempts(&caller, JobId::from(id.0)).await?))
    }

    /// Why a job that waits is not started
    ///
    /// What lasts longest comes first; its turn, when there is no other reason. Nothing for a job that does not wait.
    #[oai(path = "/jobs/:id/holds", method = "get", operation_id = "list_holds")]
    async fn holds(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::HoldPage>> {
        let job = service.job(&caller, JobId::from(id.0)).await?;
        Answer::of(&Whole::from(service.holds(&caller, &job).await?))
    }
}
