use jobrunner_core::Service;
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Result},
        body::JsonBody,
        parameter::{Given, parameters},
    },
    model,
};

pub(crate) struct QueuesApi;

parameters! {
    /// The name of a queue.
    QueueName(String) {
        "type": "string", "minLength": 1, "maxLength": 64, "pattern": model::pattern::QUEUE,
    } |text| {
        // Core says what is wrong with it: a path that cannot be read would be one that is not
        // there.
        Ok(text.to_owned())
    };
}

#[OpenApi(tag = "Tag::Workers")]
impl QueuesApi {
    /// The queues
    ///
    /// Those that jobs were submitted to, by name. For operators and admins.
    #[oai(path = "/queues", method = "get", operation_id = "list_queues")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
    ) -> Result<Answer<model::Page<model::Queue>>> {
        Answer::of(service.queues(&caller).await?)
    }

    /// Pause a queue, or change its weight
    ///
    /// What runs goes on. For admins.
    #[oai(path = "/queues/:name", method = "patch", operation_id = "update_queue")]
    async fn update(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        name: Path<Given<QueueName>>,
        change: JsonBody<model::QueueUpdate>,
    ) -> Result<Answer<model::Queue>> {
        Answer::of(service.update_queue(&caller, &name.0.0.0, change.value.into()).await?)
    }
}
