//! Errors: one shape for all of them, and the one map from what core reports to a status.

use jobrunner_core::{Conflict, Error, Violation};
use poem::{
    IntoResponse, Response,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaResponses, Registry},
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{answer::described, schema};

/// What went wrong (RFC 9457).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// A URI that names the kind of problem; `about:blank` when the status says it all.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem in a few words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened this time, and what to do about it.
    detail: String,
    /// What a request conflicts with, for programs: `key_reused`, `email_taken`, `last_admin`,
    /// `account_changed`, `too_many_tokens`, `too_many_subscriptions`, `notification_disabled`,
    /// `job_open`, `batch_open` or `nothing_to_rerun`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    code: Option<&'static str>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<FieldError>")]
    errors: Option<Vec<FieldError>>,
}

/// A field that breaks a rule.
#[derive(Clone, Debug, Serialize, JsonSchema)]
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
    /// Apart, since every answer that may fail is as large as this.
    problem: Box<Problem>,
    /// When to try again, in seconds, if that helps.
    retry_after: Option<u16>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: None,
            errors: None,
        };
        // What is unavailable is often back soon.
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(2);
        Self { status, problem: Box::new(problem), retry_after }
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

    fn conflict(conflict: &Conflict) -> Self {
        let mut failure = Self::new(StatusCode::CONFLICT, conflict.to_string());
        failure.problem.code = Some(conflict.code());
        failure
    }

    /// The body alone.
    pub(crate) fn into_problem(self) -> Problem {
        *self.problem
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
            Error::Conflict(conflict) => Self::conflict(&conflict),
            Error::Gone(detail) => Self::new(StatusCode::GONE, detail),
            Error::TooMany { after, .. } => {
                let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string());
                let seconds = u16::try_from(after.as_secs().max(1)).unwrap_or(u16::MAX);
                Self { retry_after: Some(seconds), ..failure }
            }
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
        let mut response =
            Response::builder().status(self.status).content_type(PROBLEM_JSON).body(body);
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Failure> for poem::Error {
    fn from(failure: Failure) -> Self {
        Self::from_response(failure.into_response())
    }
}

/// The type of the body of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An error as the description has it.
pub(crate) struct Described {
    pub(crate) status: StatusCode,
    pub(crate) about: &'static str,
    /// The detail of an example.
    pub(crate) example: &'static str,
}

const fn error(status: StatusCode, about: &'static str, example: &'static str) -> Described {
    Described { status, about, example }
}

/// The errors that an operation may answer with.
pub(crate) const DESCRIBED: [Described; 13] = [
    error(
        StatusCode::BAD_REQUEST,
        "The request cannot be read",
        "the body is not JSON: EOF while parsing an object at line 1 column 1",
    ),
    error(
        StatusCode::UNAUTHORIZED,
        "The access token is missing, wrong or expired",
        "sign in with POST /api/v1/auth/token and send Authorization: Bearer <token>",
    ),
    error(
        StatusCode::FORBIDDEN,
        "The caller's role does not allow it",
        "this needs the role operator; yours is viewer",
    ),
    error(
        StatusCode::NOT_FOUND,
        "There is no such thing, or the caller may not see it",
        "there is no such job",
    ),
    error(
        StatusCode::REQUEST_TIMEOUT,
        "The body did not arrive in time",
        "the body took too long to arrive",
    ),
    error(
        StatusCode::CONFLICT,
        "The request does not fit the present state",
        "the job has not ended: cancel it first",
    ),
    error(
        StatusCode::GONE,
        "What the same request made before has been deleted",
        "the job 0198c6f0-1234-7abc-8def-0123456789ab, which this Idempotency-Key made, was deleted; \
         to submit it again, use a fresh key",
    ),
    error(
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body is too large",
        "the body may have at most 8 MiB",
    ),
    error(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is not of a type that is taken",
        "send the body with Content-Type: application/json, not \"text/plain\"",
    ),
    error(
        StatusCode::UNPROCESSABLE_ENTITY,
        "Fields are wrong; `errors` names them",
        "limit must be a whole number from 1 to 1000",
    ),
    error(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many passwords were wrong, or are being checked; try again after `Retry-After` seconds",
        "there were too many attempts to sign in; try again in 10 s",
    ),
    error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "A defect in JobRunner",
        "a defect in jobrunner; its log has more under 0198c6f0-1234-7abc-8def-0123456789ab",
    ),
    error(
        StatusCode::SERVICE_UNAVAILABLE,
        "Try again after `Retry-After` seconds",
        "the database is unavailable; try again",
    ),
];

impl ApiResponse for Failure {
    fn meta() -> MetaResponses {
        let errors = DESCRIBED.map(|error| (error.status.as_u16(), error.about));
        described(&errors, PROBLEM_JSON, schema::answered::<Problem>())
    }

    fn register(_: &mut Registry) {}
}
