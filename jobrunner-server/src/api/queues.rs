use jobrunner_core::{Service, lease::QueueUpdate};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use serde::Deserialize;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Result},
        body::JsonBody,
        page::Whole,
    },
    model,
};

pub(crate) struct QueuesApi;

/// What is to change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    paused: Option<bool>,
    weight: Option<f64>,
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
    ) -> Result<Answer<model::QueuePage>> {
        Answer::of(&Whole::from(service.queues(&caller).await?))
    }

    /// Pause a queue, or change its weight
    ///
    /// What runs goes on. For admins.
    #[oai(path = "/queues/:name", method = "patch", operation_id = "update_queue")]
    async fn update(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        name: Path<String>,
        change: JsonBody<Change, model::QueueUpdate>,
    ) -> Result<Answer<model::QueueState>> {
        let Change { paused, weight } = change.value;
        let update = QueueUpdate { paused, weight };
        Answer::of(&service.update_queue(&caller, &name.0, update).await?)
    }
}
