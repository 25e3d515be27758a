//! Errors: one shape for all of them, and the one map from what core reports to a status.

use jobrunner_core::{Error, Violation};
use poem::{
    IntoResponse, Response,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    payload::Payload,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry},
    types::Type,
};
use serde::Serialize;
use uuid::Uuid;

/// What went wrong (RFC 9457).
#[derive(Clone, Debug, Object, Serialize)]
pub(crate) struct Problem {
    /// A URI that names the kind of problem; `about:blank` when the status says it all.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem in a few words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened this time, and what to do about it.
    detail: String,
    /// The fields that are wrong.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<FieldError>>,
}

/// A field that breaks a rule.
#[derive(Clone, Debug, Object, Serialize)]
pub(crate) struct FieldError {
    /// Where, as in `jobs[17].command`.
    field: String,
    /// What is wrong and what would be right.
    message: String,
}

/// A request that was not carried out.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    problem: Problem,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: None,
        };
        Self { status, problem }
    }

    /// Names the fields that are wrong.
    pub(crate) fn with_errors(mut self, violations: Vec<Violation>) -> Self {
        let named = |v: Violation| FieldError { field: v.field, message: v.message };
        self.problem.errors = Some(violations.into_iter().map(named).collect());
        self
    }

    /// Something the caller sent that cannot be carried out as it is.
    pub(crate) fn invalid(violations: Vec<Violation>) -> Self {
        let detail = match violations.as_slice() {
            [only] => only.to_string(),
            [first, rest @ ..] => format!("{first}; {} more in errors", rest.len()),
            [] => "the request is not valid".to_owned(),
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail).with_errors(violations)
    }

    /// A defect: the caller gets an id, the log gets the rest under the same id.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let id = Uuid::new_v4();
        tracing::error!(error, error.id = %id, "a request failed by a defect");
        let detail = format!("a defect in jobrunner; its log has more under {id}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => Self::invalid(violations),
            Error::Unauthenticated(detail) => Self::new(StatusCode::UNAUTHORIZED, detail),
            Error::Forbidden(detail) => Self::new(StatusCode::FORBIDDEN, detail),
            Error::NotFound(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            Error::Conflict(detail) => Self::new(StatusCode::CONFLICT, detail),
            Error::Gone(detail) => Self::new(StatusCode::GONE, detail),
            Error::Unavailable { .. } => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a request was put off");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{error}; try again"))
            }
            other => Self::internal(&other),
        }
    }
}

impl From<Vec<Violation>> for Failure {
    fn from(violations: Vec<Violation>) -> Self {
        Self::invalid(violations)
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::invalid(vec![violation])
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = Response::builder()
            .status(self.status)
            .content_type(ProblemJson::CONTENT_TYPE)
            .body(body);
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            }
            _ => {}
        }
        response
    }
}

impl From<Failure> for poem::Error {
    fn from(failure: Failure) -> Self {
        Self::from_response(failure.into_response())
    }
}

/// The payload of every error.
struct ProblemJson;

impl Payload for ProblemJson {
    const CONTENT_TYPE: &'static str = "application/problem+json";

    fn schema_ref() -> MetaSchemaRef {
        Problem::schema_ref()
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}

/// The statuses that any operation may answer, as the description lists them.
const DESCRIBED: [(u16, &str); 11] = [
    (400, "The request cannot be read"),
    (401, "The access token is missing, wrong or expired"),
    (403, "The caller's role does not allow it"),
    (404, "There is no such thing, or the caller may not see it"),
    (409, "The request does not fit the present state"),
    (410, "What the same request made before has been deleted"),
    (413, "The body is too large"),
    (415, "The body is not of a type that is taken"),
    (422, "Fields are wrong; `errors` names them"),
    (500, "A defect in JobRunner"),
    (503, "Try again after `Retry-After` seconds"),
];

impl ApiResponse for Failure {
    fn meta() -> MetaResponses {
        let response = |(status, description)| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: ProblemJson::CONTENT_TYPE,
                schema: ProblemJson::schema_ref(),
            }],
            headers: Vec::new(),
        };
        MetaResponses { responses: DESCRIBED.into_iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        ProblemJson::register(registry);
    }
}
