//! Errors that did not come from a handler: of routing, of parameters, and defects.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use jobrunner_core::Violation;
use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    error::{NotFoundError, ParseQueryError},
    http::StatusCode,
};
use poem_openapi::error::{AuthorizationError, ParseParamError, ParsePathError};

use crate::api::{problem::Failure, wrong};

/// Every error as `application/problem+json`.
pub(crate) async fn problem(error: poem::Error) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    failure(&error).into_response()
}

fn failure(error: &poem::Error) -> Failure {
    if error.is::<NotFoundError>() {
        return Failure::new(StatusCode::NOT_FOUND, "there is no such page; see /docs");
    }
    // What is not an id names nothing, just like an id that was never given out.
    if error.is::<ParsePathError>() {
        return Failure::new(StatusCode::NOT_FOUND, "there is nothing with this id");
    }
    if error.is::<AuthorizationError>() {
        let detail = "sign in with POST /api/v1/auth/token and send Authorization: Bearer <token>";
        return Failure::new(StatusCode::UNAUTHORIZED, detail);
    }
    if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        let message = wrong::of_parameter(&parameter.reason);
        return Failure::from(Violation::new(parameter.name, message));
    }
    if let Some(ParseQueryError(error)) = error.downcast_ref::<ParseQueryError>() {
        return Failure::from(Violation::new("query", wrong::sentence(&error.to_string())));
    }
    match error.status() {
        status if status.is_server_error() => Failure::internal(&Told(error.to_string())),
        status => Failure::new(status, error.to_string()),
    }
}

/// An error of the framework, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

/// A handler that panics costs its own request, which is answered like any other defect.
pub(crate) async fn catch_panics<E: Endpoint>(next: Arc<E>, request: Request) -> Result<Response> {
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(answer) => answer.map(IntoResponse::into_response),
        Err(panic) => Ok(Failure::internal(&Told(message(panic.as_ref()))).into_response()),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a handler panicked: {}", text.unwrap_or("without a message"))
}
