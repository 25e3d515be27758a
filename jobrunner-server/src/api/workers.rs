use jobrunner_core::Service;
use poem::web::Data;
use poem_openapi::OpenApi;

use super::{
    Tag,
    answer::{Answer, Result},
    auth::Caller,
    jobs::Whole,
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
    ) -> Result<Answer<model::WorkerPage>> {
        Answer::of(&Whole::from(service.workers(&caller).await?))
    }
}
