//! What batches say beside the runs before them.

use jobrunner_core::{BatchId, Service};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Result},
        page::{Cursor, Limit, page},
        parameter::Given,
    },
    model,
};

pub(crate) struct VerdictsApi;

#[OpenApi(tag = "Tag::Batches")]
impl VerdictsApi {
    /// What a batch says beside the runs before it
    ///
    /// Live while it runs, final when it has ended. Each test is compared with its own last result
    /// that says something, among the last 20 runs of the series on the same branch. A batch that
    /// belongs to no series has no verdict: 404.
    #[oai(path = "/job-batches/:id/verdict", method = "get", operation_id = "get_batch_verdict")]
    async fn verdict(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Verdict>> {
        Answer::of(service.verdict(&caller, BatchId::from(id.0)).await?)
    }

    /// The tests of a batch that are of a class
    ///
    /// In the order of their names; those that passed in an order that stays the same.
    #[oai(
        path = "/job-batches/:id/verdict/:class",
        method = "get",
        operation_id = "list_batch_tests"
    )]
    async fn classified(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        class: Path<Given<model::Class>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::ClassifiedTest>>> {
        let (id, class, page) = (BatchId::from(id.0), class.0.0.into(), page(limit, cursor)?);
        Answer::of(service.classified(&caller, id, class, page).await?)
    }
}
