//! Answers: values of core as JSON, described by the mirrors of [`model`](super::model).

use std::marker::PhantomData;

use poem::{IntoResponse, Response, http::StatusCode};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::Type,
};
use serde::Serialize;

use super::problem::Failure;

/// What a handler answers.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

const JSON: &str = "application/json; charset=utf-8";

/// A JSON body with a status, 200 unless it says otherwise; `Schema` describes it.
pub(crate) struct Answer<Schema, const STATUS: u16 = 200> {
    body: Vec<u8>,
    schema: PhantomData<fn() -> Schema>,
}

impl<Schema, const STATUS: u16> Answer<Schema, STATUS> {
    /// The value as JSON.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(value).map_err(|error| Failure::internal(&error))?;
        Ok(Self { body, schema: PhantomData })
    }
}

impl<Schema: Type, const STATUS: u16> IntoResponse for Answer<Schema, STATUS> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
        Response::builder().status(status).content_type(JSON).body(self.body)
    }
}

impl<Schema: Type, const STATUS: u16> ApiResponse for Answer<Schema, STATUS> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: JSON, schema: Schema::schema_ref() }];
        MetaResponses {
            responses: vec![MetaResponse {
                description: if STATUS == 202 { "Accepted" } else { "" },
                status: Some(STATUS),
                status_range: None,
                content,
                headers: Vec::new(),
            }],
        }
    }

    fn register(registry: &mut Registry) {
        Schema::register(registry);
    }
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
