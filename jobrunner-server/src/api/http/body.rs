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
use tokio::time::{Instant, timeout_at};

use super::{problem::Failure, schema, wrong};

pub(crate) const JSON: &str = "application/json";

/// The largest body of a request about one thing. A job's command and environment have at most 2
/// MB, and JSON may need more than one byte for each of theirs.
const LIMIT: usize = 8 << 20;

/// How long nothing may arrive of a body, and how long any body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many bytes have to arrive in each further second.
const SLOWEST: usize = 16 << 10;

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

/// Reads a body of one content type and at most `most` bytes. A larger one is refused by its
/// header, or else as soon as there are more, before they are kept. One that does not arrive, or
/// too slowly, is not waited for.
pub(crate) async fn read(
    request: &Request,
    body: &mut RequestBody,
    content_type: &'static str,
    most: usize,
) -> Result<Bytes, Failure> {
    check_type(request, content_type)?;
    let announced = announced_length(request);
    if announced.is_some_and(|length| length > most as u64) {
        return Err(too_large(most));
    }
    let unreadable = || Failure::new(StatusCode::BAD_REQUEST, "the body cannot be read");
    let mut parts = body.take().map_err(|_| unreadable())?.into_bytes_stream();
    let started = Instant::now();
    let announced = usize::try_from(announced.unwrap_or(0)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(announced);
    loop {
        let earned = Duration::from_secs((bytes.len() / SLOWEST) as u64);
        let limit = (started + PATIENCE + earned).min(Instant::now() + PATIENCE);
        let Ok(part) = timeout_at(limit, parts.next()).await else {
            let why = "the body took too long to arrive";
            return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, why));
        };
        let Some(part) = part else { return Ok(bytes.into()) };
        let part = part.map_err(|_| unreadable())?;
        if bytes.len() + part.len() > most {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&part);
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

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::stream;
    use poem::Body;
    use tokio::time::sleep;

    use super::*;

    /// Reads a body of parts of some size that come in equal times.
    async fn reading(parts: usize, size: usize, each: Duration) -> Result<usize, Failure> {
        let parts = stream::unfold(0, move |sent| async move {
            sleep(each).await;
            (sent < parts).then(|| (Ok::<_, io::Error>(Bytes::from(vec![b' '; size])), sent + 1))
        });
        let request = Request::builder().content_type(JSON).finish();
        let mut body = RequestBody::new(Body::from_bytes_stream(parts));
        read(&request, &mut body, JSON, LIMIT).await.map(|bytes| bytes.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_come_slowly_but_has_to_come() {
        let seconds = Duration::from_secs;
        let cases = [
            ("all at once", 1, 1000, seconds(0), Some(1000)),
            ("for minutes", 300, 20 << 10, seconds(1), Some(300 * (20 << 10))),
            ("a byte now and then", 1000, 1, seconds(10), None),
            ("nothing more", 2, 1000, seconds(31), None),
        ];
        for (what, parts, size, each, expected) in cases {
            let started = Instant::now();
            let read = reading(parts, size, each).await;
            match (expected, read) {
                (Some(length), Ok(read)) => assert_eq!(read, length, "{what}"),
                (None, Err(failure)) => {
                    let status = poem::IntoResponse::into_response(failure).status();
                    assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{what}");
                    assert!(started.elapsed() <= seconds(31), "{what}: {:?}", started.elapsed());
                }
                (expected, read) => panic!("{what}: {expected:?}, {:?}", read.is_ok()),
            }
        }
    }
}
