//! Answers: values of [`model`](crate::api::model) as JSON.

use poem::{IntoResponse, Response, http::StatusCode};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{body, problem::Failure, schema};

/// What a handler answers.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// A value as JSON with a status, 200 unless it says otherwise.
pub(crate) struct Answer<T, const STATUS: u16 = 200>(T);

impl<T, const STATUS: u16> Answer<T, STATUS> {
    /// Answers with something of core's.
    pub(crate) fn of(value: impl Into<T>) -> Result<Self> {
        Ok(Self(value.into()))
    }
}

impl<T: Serialize + Send, const STATUS: u16> IntoResponse for Answer<T, STATUS> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
                Response::builder()
                    .status(status)
                    .content_type("application/json; charset=utf-8")
                    .body(body)
            }
            Err(error) => Failure::internal(&error).into_response(),
        }
    }
}

impl<T: JsonSchema, const STATUS: u16> ApiResponse for Answer<T, STATUS> {
    fn meta() -> MetaResponses {
        let description = match STATUS {
            201 => "Created",
            202 => "Accepted",
            _ => "Done",
        };
        described(&[(STATUS, description)], body::JSON, schema::answered::<T>())
    }

    fn register(_: &mut Registry) {}
}

/// Describes answers that differ in their status alone.
pub(crate) fn described(
    statuses: &[(u16, &'static str)],
    content_type: &'static str,
    schema: MetaSchemaRef,
) -> MetaResponses {
    let response = |(status, description): &(u16, &'static str)| MetaResponse {
        description,
        status: Some(*status),
        status_range: None,
        content: vec![MetaMediaType { content_type, schema: schema.clone() }],
        headers: Vec::new(),
    };
    MetaResponses { responses: statuses.iter().map(response).collect() }
}

/// Done, and there is nothing to say.
pub(crate) struct Done;

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl ApiResponse for Done {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "Done",
                status: Some(204),
                status_range: None,
                content: Vec::new(),
                headers: Vec::new(),
            }],
        }
    }

    fn register(_: &mut Registry) {}
}
