use jobrunner_core::{BatchId, JobId, Service, UserId, job::JobFilter, report::CaseFilter};
use poem::{Request, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Done, Result},
        body::JsonBody,
        idempotency::{Key, idempotency},
        page::{Cursor, Limit, page},
        parameter::{AttemptNumber, Given, IdDigits, Text},
    },
    model,
    projects::ProjectText,
};

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
        key: Key,
        body: JsonBody<model::NewJob>,
    ) -> Result<Answer<model::Job, 202>> {
        let once = idempotency(key, request, &body.bytes)?;
        Answer::of(service.submit_job(&caller, body.value.into(), once).await?)
    }

    /// List jobs
    #[oai(path = "/jobs", method = "get", operation_id = "list_jobs")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the URL")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// Four or more digits of ids: the first ones, the last ones, or the first of the last
        /// eight. For the last ones the newest 20,000 are looked through, and 100,000 for eight
        /// digits. Answers one page.
        id: Query<Option<Given<IdDigits>>>,
        status: Query<Option<Given<model::Status>>>,
        batch_id: Query<Option<Uuid>>,
        queue: Query<Option<Given<Text>>>,
        owner_id: Query<Option<Uuid>>,
        /// Only those of this project.
        project: Query<Option<Given<ProjectText>>>,
        /// The exact name; `*` in it stands for any text.
        name: Query<Option<Given<Text>>>,
        /// Only those that ended for this reason.
        reason: Query<Option<Given<model::Reason>>>,
        /// In which order, newest first if it is left out. Others need `batch_id`.
        sort: Query<Option<Given<model::Order>>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Job>>> {
        let filter = JobFilter {
            status: status.0.map(|status| status.0.into()),
            batch: batch_id.0.map(BatchId::from),
            queue: queue.0.map(|queue| queue.0.0),
            owner: owner_id.0.map(UserId::from),
            project: project.0.map(|project| project.0.0),
            name: name.0.map(|name| name.0.0),
            reason: reason.0.map(|reason| reason.0.into()),
            order: sort.0.map(|order| order.0.into()).unwrap_or_default(),
        };
        let page = page(limit, cursor)?;
        match id.0 {
            Some(Given(IdDigits(part))) => {
                Answer::of(service.jobs_by_id(&caller, &part, filter, page.limit).await?)
            }
            None => Answer::of(service.jobs(&caller, filter, page).await?),
        }
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
        Answer::of(service.counts(&caller, owner_id.0.map(UserId::from)).await?)
    }

    /// One job
    #[oai(path = "/jobs/:id", method = "get", operation_id = "get_job")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Job>> {
        Answer::of(service.job(&caller, JobId::from(id.0)).await?)
    }

    /// Cancel a job
    ///
    /// One that waits ends at once; a running one is killed by its worker; one that has ended
    /// stays.
    #[oai(path = "/jobs/:id/cancel", method = "post", operation_id = "cancel_job")]
    async fn cancel(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Job>> {
        Answer::of(service.cancel_job(&caller, JobId::from(id.0)).await?)
    }

    /// Cancel every job that has not ended
    ///
    /// In one step, members of batches included. Those that wait end at once; running ones are
    /// killed by their workers.
    #[oai(path = "/jobs/cancel", method = "post", operation_id = "cancel_jobs")]
    async fn cancel_open(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        body: JsonBody<model::CancelJobs>,
    ) -> Result<Answer<model::Canceled>> {
        Answer::of(service.cancel_open(&caller, body.value.try_into()?).await?)
    }

    /// Submit the same job again, as a new one
    #[oai(path = "/jobs/:id/rerun", method = "post", operation_id = "rerun_job")]
    async fn rerun(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Job, 202>> {
        Answer::of(service.rerun_job(&caller, JobId::from(id.0)).await?)
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
    ) -> Result<Answer<model::Page<model::Attempt>>> {
        Answer::of(service.attempts(&caller, JobId::from(id.0)).await?)
    }

    /// The test cases of a job's JUnit files
    ///
    /// Of its last attempt that has ended, or of another. Failed ones come first, then those that
    /// are flaky, those that were skipped, and the others, each in the order of the files.
    #[oai(path = "/jobs/:id/cases", method = "get", operation_id = "list_cases")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the URL")]
    async fn cases(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        status: Query<Option<Given<model::CaseStatus>>>,
        /// The exact name; `*` in it stands for any text.
        name: Query<Option<Given<Text>>>,
        attempt: Query<Option<Given<AttemptNumber>>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Case>>> {
        let filter = CaseFilter {
            attempt: attempt.0.map(|attempt| attempt.0.0),
            status: status.0.map(|status| status.0.into()),
            name: name.0.map(|name| name.0.0),
        };
        let page = page(limit, cursor)?;
        Answer::of(service.cases(&caller, JobId::from(id.0), &filter, page).await?)
    }

    /// Why a job that waits is not started
    ///
    /// What lasts longest comes first; its turn, when there is no other reason. Nothing for a job
    /// that does not wait.
    #[oai(path = "/jobs/:id/holds", method = "get", operation_id = "list_holds")]
    async fn holds(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Page<model::Hold>>> {
        let job = service.job(&caller, JobId::from(id.0)).await?;
        Answer::of(service.holds(&caller, &job).await?)
    }
}
