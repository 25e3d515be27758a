use jobrunner_core::{Service, queue::Link, service::Health};
use poem::{IntoResponse, Response, http::StatusCode, web::Data};
use poem_openapi::{
    ApiResponse, OpenApi,
    payload::{Json, Payload},
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::Type,
};
use serde::Serialize;

use super::{
    Tag,
    http::answer::{Answer, Result},
    model,
};

#[derive(Serialize)]
struct Report {
    status: &'static str,
    database: &'static str,
    redis: &'static str,
    version: &'static str,
}

impl Report {
    fn new(health: Health) -> Self {
        let works = health.database && health.queue != Link::Down;
        Self {
            status: if works { "ok" } else { "degraded" },
            database: if health.database { "ok" } else { "error" },
            redis: match health.queue {
                Link::None => "disabled",
                Link::Up => "ok",
                Link::Down => "error",
            },
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// The same body with 200 or 503. Without Redis everything is done, if later: that is no reason to
/// send no requests here.
struct Readiness(Report);

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        let ready = self.0.database == "ok";
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        poem::web::Json(self.0).with_status(status).into_response()
    }
}

impl ApiResponse for Readiness {
    fn meta() -> MetaResponses {
        let described = |(status, description)| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: Json::<model::Health>::CONTENT_TYPE,
                schema: model::Health::schema_ref(),
            }],
            headers: Vec::new(),
        };
        let both = [(200, "Ready"), (503, "A part does not answer")];
        MetaResponses { responses: both.into_iter().map(described).collect() }
    }

    fn register(registry: &mut Registry) {
        model::Health::register(registry);
    }
}

pub(crate) struct HealthApi;

#[OpenApi(tag = "Tag::Health")]
impl HealthApi {
    /// Whether the service can do its work
    #[oai(path = "/health", method = "get", operation_id = "get_health")]
    async fn ready(&self, Data(service): Data<&Service>) -> Readiness {
        Readiness(Report::new(service.health().await))
    }

    /// Whether the process is alive
    #[oai(path = "/health/live", method = "get", operation_id = "get_liveness")]
    async fn live(&self) -> Result<Answer<model::Health>> {
        Answer::of(&Report::new(Health { database: true, queue: Link::None }))
    }
}
