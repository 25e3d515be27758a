//! Request bodies: JSON of bounded size that says precisely what is wrong with it.

use std::{marker::PhantomData, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use jobrunner_core::Violation;
use poem::{Request, RequestBody, http::StatusCode, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::problem::Failure;

pub(crate) const JSON: &str = "application/json";

/// The largest body of a request about one thing. A job's command and environment have at most 2 MB,
/// and JSON may need more than one byte for each of theirs.
const LIMIT: usize = 8 << 20;

/// How long a body may take to arrive.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// A JSON body that is parsed as `T`; `Schema` describes it.
pub(crate) struct JsonBody<T, Schema> {
    pub(crate) value: T,
    /// The body as it came.
    pub(crate) bytes: Bytes,
    schema: PhantomData<fn() -> Schema>,
}

impl<'a, T: DeserializeOwned + Send, Schema: Type> ApiExtractor<'a> for JsonBody<T, Schema> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Schema::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        request_meta::<Schema>()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = read(request, body, JSON, LIMIT).await?;
        let value = parse(&bytes)?;
        Ok(Self { value, bytes, schema: PhantomData })
    }
}

/// A body described by `Schema`.
pub(crate) fn request_meta<Schema: Type>() -> Option<MetaRequest> {
    let content = vec![MetaMediaType { content_type: JSON, schema: Schema::schema_ref() }];
    Some(MetaRequest { description: None, content, required: true })
}

/// Reads a body of one content type and at most `limit` bytes. A larger one is refused by its header,
/// or else as soon as the limit is passed, before more of it is kept.
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

/// Parses a whole body.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    parse_part(bytes).map_err(|(category, violation)| refusal(category, violation))
}

/// What to answer to a body that could not be parsed.
pub(crate) fn refusal(category: Category, violation: Violation) -> Failure {
    match category {
        Category::Data => Failure::invalid(vec![violation]),
        Category::Syntax | Category::Eof | Category::Io => {
            let detail = format!("the body is not JSON: {}", violation.message);
            Failure::new(StatusCode::BAD_REQUEST, detail).with_errors(vec![violation])
        }
    }
}

/// Parses a value that stands alone; the violation names the field within it.
pub(crate) fn parse_part<'de, T: serde::Deserialize<'de>>(
    bytes: &'de [u8],
) -> Result<T, (Category, Violation)> {
    // serde would take a list for a struct, its items for the fields in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        let violation = Violation::new("body", "must be a JSON object, not a list");
        return Err((Category::Data, violation));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let at_top = path == "." || path == "?";
        let error = error.into_inner();
        let violation = match missing(&error) {
            Some(name) if at_top => Violation::new(name, "is missing"),
            Some(name) => Violation::new(format!("{path}.{name}"), "is missing"),
            None if at_top => Violation::new("body", sentence(&error)),
            None => Violation::new(path, sentence(&error)),
        };
        let Violation { field, message } = violation;
        (error.classify(), Violation::new(short(&field), short(&message)))
    })?;
    let trailing = |error: serde_json::Error| {
        (error.classify(), Violation::new("body", "must be one JSON value and nothing else"))
    };
    deserializer.end().map_err(trailing)?;
    Ok(value)
}

/// The field that is missing, if that is what serde reports.
fn missing(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let (name, _) = text.strip_prefix("missing field `")?.split_once('`')?;
    Some(name.to_owned())
}

/// What serde reports, as a sentence that fits behind a field's name.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (text, place) = match text.rsplit_once(" at line ") {
        Some((text, place)) => (text.to_owned(), format!(" (line {place})")),
        None => (text, String::new()),
    };
    if let Some(rest) = text.strip_prefix("invalid type: ") {
        return format!("has the wrong type: {rest}{place}");
    }
    if let Some(rest) = text.strip_prefix("unknown field ") {
        return format!("has the unknown field {rest}{place}");
    }
    format!("{text}{place}")
}

/// Text that may hold what the caller sent, cut to a length that is good to read.
fn short(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
