use std::sync::Arc;

use jobrunner_core::{BatchId, Service, UserId, batch::BatchFilter, job::JobFilter};
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
        members::BatchBody,
        page::{Cursor, Limit, page},
        parameter::{Given, IdDigits, Text},
    },
    model,
    projects::ProjectText,
};

pub(crate) struct BatchesApi;

#[OpenApi(tag = "Tag::Batches")]
impl BatchesApi {
    /// Submit a batch
    ///
    /// All of its jobs are taken, or none. Up to 100,000 jobs and 128 MiB.
    #[oai(path = "/job-batches", method = "post", operation_id = "submit_batch")]
    async fn submit(
        &self,
        Data(service): Data<&Service>,
        request: &Request,
        Caller(caller): Caller,
        /// Makes it safe to send the request again: the same key and body answer the same batch.
        #[oai(name = "Idempotency-Key")]
        key: Key,
        body: BatchBody,
    ) -> Result<Answer<model::Batch, 202>> {
        let once = idempotency(key, request, &body.bytes)?;
        let members = Arc::new(body.members);
        Answer::of(service.submit_batch(&caller, body.batch, members, once).await?)
    }

    /// List batches
    #[oai(path = "/job-batches", method = "get", operation_id = "list_batches")]
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
        owner_id: Query<Option<Uuid>>,
        /// Only those of this project.
        project: Query<Option<Given<ProjectText>>>,
        /// The exact name; `*` in it stands for any text.
        name: Query<Option<Given<Text>>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Batch>>> {
        let filter = BatchFilter {
            status: status.0.map(|status| status.0.into()),
            owner: owner_id.0.map(UserId::from),
            project: project.0.map(|project| project.0.0),
            name: name.0.map(|name| name.0.0.into()),
        };
        let page = page(limit, cursor)?;
        match id.0 {
            Some(Given(IdDigits(part))) => {
                Answer::of(service.batches_by_id(&caller, &part, filter, page.limit).await?)
            }
            None => Answer::of(service.batches(&caller, filter, page).await?),
        }
    }

    /// One batch
    #[oai(path = "/job-batches/:id", method = "get", operation_id = "get_batch")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Batch>> {
        Answer::of(service.batch(&caller, BatchId::from(id.0)).await?)
    }

    /// The jobs of a batch
    #[oai(path = "/job-batches/:id/jobs", method = "get", operation_id = "list_batch_jobs")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the URL")]
    async fn jobs(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        status: Query<Option<Given<model::Status>>>,
        queue: Query<Option<Given<Text>>>,
        /// The exact name; `*` in it stands for any text.
        name: Query<Option<Given<Text>>>,
        /// Only those that ended for this reason.
        reason: Query<Option<Given<model::Reason>>>,
        /// In which order, newest first if it is left out.
        sort: Query<Option<Given<model::Order>>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Job>>> {
        let filter = JobFilter {
            status: status.0.map(|status| status.0.into()),
            batch: Some(BatchId::from(id.0)),
            queue: queue.0.map(|queue| queue.0.0),
            name: name.0.map(|name| name.0.0),
            reason: reason.0.map(|reason| reason.0.into()),
            order: sort.0.map(|order| order.0.into()).unwrap_or_default(),
            ..JobFilter::default()
        };
        Answer::of(service.members(&caller, filter, page(limit, cursor)?).await?)
    }

    /// Cancel every job of a batch that has not ended
    #[oai(path = "/job-batches/:id/cancel", method = "post", operation_id = "cancel_batch")]
    async fn cancel(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Batch>> {
        Answer::of(service.cancel_batch(&caller, BatchId::from(id.0)).await?)
    }

    /// Submit members of a batch again, as a new batch
    #[oai(path = "/job-batches/:id/rerun", method = "post", operation_id = "rerun_batch")]
    async fn rerun(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        body: JsonBody<model::Rerun>,
    ) -> Result<Answer<model::Batch, 202>> {
        Answer::of(service.rerun_batch(&caller, BatchId::from(id.0), body.value.only).await?)
    }

    /// Forget a batch that has ended, with its jobs
    #[oai(path = "/job-batches/:id", method = "delete", operation_id = "delete_batch")]
    async fn delete(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Done> {
        service.delete_batch(&caller, BatchId::from(id.0)).await?;
        Ok(Done)
    }
}
