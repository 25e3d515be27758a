use jobrunner_core::{Service, job::check_queue};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
};

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Result},
        body::JsonBody,
        page::{Limit, limit_of},
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

    /// The `next_cursor` of the page before.
    QueueCursor(String) {
        "type": "string", "minLength": 1, "maxLength": 64, "pattern": model::pattern::QUEUE,
    } |text| {
        let message = "must be the next_cursor of the page before, unchanged";
        check_queue(text).map(|()| text.to_owned()).map_err(|_| message.to_owned())
    };
}

#[OpenApi(tag = "Tag::Workers")]
impl QueuesApi {
    /// The queues
    ///
    /// Those that jobs were submitted to, in the order of their names. For operators and admins.
    #[oai(path = "/queues", method = "get", operation_id = "list_queues")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// How many items the page has at most.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<Given<QueueCursor>>>,
    ) -> Result<Answer<model::Page<model::Queue>>> {
        let after = cursor.0.as_ref().map(|cursor| cursor.0.0.as_str());
        Answer::of(service.queues(&caller, after, limit_of(limit)).await?)
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
