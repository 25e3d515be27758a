//! Request bodies: JSON of bounded size that says precisely what is wrong with it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use jobrunner_core::Violation;
use poem::{Request, RequestBody, http::StatusCode, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{problem::Failure, schema, wrong};

pub(crate) const JSON: &str = "application/json";

/// The largest body of a request about one thing. A job's command and environment have at most 2
/// MB, and JSON may need more than one byte for each of theirs.
const LIMIT: usize = 8 << 20;

/// How long a body may take to arrive.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// A JSON body.
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    /// The body as it came.
    pub(crate) bytes: Bytes,
}

impl<'a, T: DeserializeOwned + JsonSchema + Send> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(_: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        described::<T>(JSON)
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = read(request, body, JSON, LIMIT).await?;
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

/// Describes a body that is read as `T`.
pub(crate) fn described<T: JsonSchema>(content_type: &'static str) -> Option<MetaRequest> {
    let content = vec![MetaMediaType { content_type, schema: schema::taken::<T>() }];
    Some(MetaRequest { description: None, content, required: true })
}

/// Reads a body of one content type and at most `limit` bytes. A larger one is refused by its
/// header, or else as soon as the limit is passed, before more of it is kept.
pub(crate) async fn read(
    request: &Request,
    body: &mut RequestBody,
    content_type: &'static str,
    limit: usize,
) -> Result<Bytes, Failure> {
    check_type(request, content_type)?;
    let announced = announced_length(request);
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let unreadable = || Failure::new(StatusCode::BAD_REQUEST, "the body cannot be read");
    let mut parts = body.take().map_err(|_| unreadable())?.into_bytes_stream();
    let arrival = async {
        let announced = usize::try_from(announced.unwrap_or(0)).unwrap_or(0);
        let mut bytes = Vec::with_capacity(announced);
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| unreadable())?;
            if bytes.len() + part.len() > limit {
                return Err(too_large(limit));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(Bytes::from(bytes))
    };
    match tokio::time::timeout(TIME_LIMIT, arrival).await {
        Ok(arrived) => arrived,
        Err(_) => {
            Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"))
        }
    }
}

fn check_type(request: &Request, wanted: &'static str) -> Result<(), Failure> {
    let refused = |detail: String| Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    let encoding = request.header(header::CONTENT_ENCODING).unwrap_or("identity");
    if encoding != "identity" {
        return refused(format!("send the body without Content-Encoding, not as {encoding:?}"));
    }
    let content_type = request.content_type().unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    refused(format!("send the body with Content-Type: {wanted}, not {essence:?}"))
}

fn announced_length(request: &Request) -> Option<u64> {
    request.header(header::CONTENT_LENGTH)?.parse().ok()
}

fn too_large(limit: usize) -> Failure {
    let detail = format!("the body may have at most {} MiB", limit >> 20);
    let violation = Violation::new("body", format!("may have at most {} MiB", limit >> 20));
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, detail).with_errors(vec![violation])
}

/// Reads a field that may be left out, and may be null only if its type may.
///
/// # Errors
/// Those of the field.
pub(crate) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Parses a whole body.
pub(crate) fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Failure> {
    parse_part(bytes).map_err(|violation| match not_json(bytes) {
        Some(why) => {
            let detail = format!("the body is not JSON: {why}");
            let violation = Violation::new("body", format!("is not JSON: {why}"));
            Failure::new(StatusCode::BAD_REQUEST, detail).with_errors(vec![violation])
        }
        None => Failure::invalid(vec![violation]),
    })
}

/// Parses a value that stands alone; the violation names the field within it, or `body`.
pub(crate) fn parse_part<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Violation> {
    // serde would take a list for a struct, its items for the fields in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Violation::new("body", "must be an object, not a list"));
    }
    // Knowing where something is wrong makes reading take twice as long, so only what is wrong is
    // read so.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| wrong::violation(error.path(), error.inner()))?;
    let trailing = |_| Violation::new("body", "must be one JSON value and nothing else");
    deserializer.end().map_err(trailing)?;
    Ok(value)
}

/// Why a text is no JSON, whatever its values are; `None` if it is.
fn not_json(bytes: &[u8]) -> Option<String> {
    if std::str::from_utf8(bytes).is_err() {
        return Some("it is not UTF-8".to_owned());
    }
    let error = serde_json::from_slice::<IgnoredAny>(bytes).err()?;
    Some(error.to_string())
}
