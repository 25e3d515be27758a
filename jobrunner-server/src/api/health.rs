use jobrunner_core::{Service, queue::Link, service::Health};
use poem::{IntoResponse, Response, http::StatusCode, web::Data};
use poem_openapi::{
    ApiResponse, OpenApi,
    registry::{MetaResponses, Registry},
};

use super::{
    Tag,
    http::{
        answer::{Answer, Result, described},
        body,
        problem::{PROBLEM_JSON, Problem},
        schema,
    },
    model,
};

/// The same body with 200 or 503. Without Redis everything is done, if later: that is no reason to
/// send no requests here.
struct Readiness {
    is_ready: bool,
    health: model::Health,
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        let status = if self.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        poem::web::Json(self.health).with_status(status).into_response()
    }
}

impl ApiResponse for Readiness {
    fn meta() -> MetaResponses {
        let both = [(200, "Ready"), (503, "A part does not answer")];
        let mut all = described(&both, body::JSON, schema::answered::<model::Health>());
        // A query may be wrong, also where none is needed.
        let wrong = described(&[(422, "")], PROBLEM_JSON, schema::answered::<Problem>());
        all.responses.extend(wrong.responses);
        all
    }

    fn register(_: &mut Registry) {}
}

pub(crate) struct HealthApi;

#[OpenApi(tag = "Tag::Health")]
impl HealthApi {
    /// Whether the service can do its work
    #[oai(path = "/health", method = "get", operation_id = "get_health")]
    async fn ready(&self, Data(service): Data<&Service>) -> Readiness {
        let health = service.health().await;
        Readiness { is_ready: health.database, health: health.into() }
    }

    /// Whether the process is alive
    #[oai(path = "/health/live", method = "get", operation_id = "get_liveness")]
    async fn live(&self) -> Result<Answer<model::Health>> {
        Answer::of(Health { database: true, queue: Link::None })
    }
}
