use jobrunner_core::{Service, SessionId};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::answer::{Answer, Result},
    model,
};

pub(crate) struct WorkersApi;

#[OpenApi(tag = "Tag::Workers")]
impl WorkersApi {
    /// The workers that are alive
    #[oai(path = "/workers", method = "get", operation_id = "list_workers")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
    ) -> Result<Answer<model::Page<model::Worker>>> {
        Answer::of(service.workers(&caller).await?)
    }

    /// Let a worker take no new jobs
    ///
    /// What it runs goes on. It stays in the list until its process is stopped.
    #[oai(path = "/workers/:id/drain", method = "post", operation_id = "drain_worker")]
    async fn drain(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Worker>> {
        Answer::of(service.drain_worker(&caller, SessionId::from(id.0)).await?)
    }
}
