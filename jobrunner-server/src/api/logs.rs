mod both;

use std::{io, ops::Range};

use bytes::Bytes;
use futures_util::stream;
use jobrunner_core::{JobId, Service, service::LogReader};
use poem::{
    Body, IntoResponse, Request, Response,
    http::{HeaderValue, StatusCode, header},
    web::Data,
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    registry::{MetaResponses, Registry},
    types::Type,
};
use uuid::Uuid;

use self::both::BothLogs;
use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Result, described},
        parameter::{self, AttemptNumber, Given},
        problem::{Failure, PROBLEM_JSON, Problem},
        range::{Wanted, wanted},
        schema,
    },
    model,
};

pub(crate) struct LogsApi;

#[OpenApi(tag = "Tag::Jobs")]
impl LogsApi {
    /// A job's output
    ///
    /// Of its last attempt, also while it runs.
    #[oai(path = "/jobs/:id/logs", method = "get", operation_id = "get_job_logs")]
    async fn both(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        /// Only so many bytes from the end of each stream.
        tail_bytes: Query<Option<Given<parameter::Bytes>>>,
    ) -> Result<BothLogs> {
        let (id, tail_bytes) = (JobId::from(id.0), tail_bytes.0.map(|bytes| bytes.0.0));
        Ok(BothLogs { id, readers: service.log_readers(&caller, id).await?, tail_bytes })
    }

    /// One stream of a job's output, byte for byte
    ///
    /// Takes a `Range` header. Where output was left out of storage, a line says so.
    #[oai(path = "/jobs/:id/logs/:stream", method = "get", operation_id = "get_job_stream")]
    async fn raw(
        &self,
        Data(service): Data<&Service>,
        request: &Request,
        Caller(caller): Caller,
        id: Path<Uuid>,
        stream: Path<Given<model::Stream>>,
        /// Of this attempt, 1 for the first; the last one if left out.
        attempt: Query<Option<Given<AttemptNumber>>>,
    ) -> Result<RawLog> {
        let (id, stream) = (JobId::from(id.0), stream.0.0.into());
        let reader =
            service.log_reader(&caller, id, attempt.0.map(|number| number.0.0), stream).await?;
        Ok(RawLog::of(request, reader, id, stream))
    }
}

/// A stream of output, or a part of it, sent piece by piece.
pub(crate) struct RawLog {
    reader: LogReader,
    wanted: Wanted,
    /// What to call the file when it is downloaded.
    name: String,
}

impl RawLog {
    /// As much of it as the request asks for.
    pub(crate) fn of(
        request: &Request,
        reader: LogReader,
        id: JobId,
        stream: jobrunner_core::log::Stream,
    ) -> Self {
        let wanted = wanted(request.header(header::RANGE), reader.len());
        Self { reader, wanted, name: format!("{id}-{}.txt", stream.as_str()) }
    }
}

impl IntoResponse for RawLog {
    fn into_response(self) -> Response {
        let length = self.reader.len();
        let (status, range, content_range) = match self.wanted {
            Wanted::All => (StatusCode::OK, 0..length, None),
            Wanted::Part(range) => {
                let place = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                (StatusCode::PARTIAL_CONTENT, range, Some(place))
            }
            Wanted::Unsatisfiable => return unsatisfiable(length),
        };
        let complete = self.reader.info().complete();
        let mut response = Response::builder()
            .status(status)
            .content_type("text/plain; charset=utf-8")
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", self.name))
            .body(pieces(self.reader, range.clone()));
        let headers = response.headers_mut();
        if let Some(value) = content_range.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        if complete {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        }
        response
    }
}

fn unsatisfiable(length: u64) -> Response {
    let detail = format!("the stream has {length} bytes; ask for a part of those");
    let failure = Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, detail);
    failure.with_header(header::CONTENT_RANGE, format!("bytes */{length}")).into_response()
}

fn pieces(reader: LogReader, range: Range<u64>) -> Body {
    let pieces = stream::try_unfold((reader, range), |(reader, range)| async move {
        let piece: Bytes = reader.read(range.clone()).await.map_err(io::Error::other)?;
        let next = range.start + piece.len() as u64..range.end;
        Ok::<_, io::Error>((!piece.is_empty()).then_some((piece, (reader, next))))
    });
    Body::from_bytes_stream(pieces)
}

impl ApiResponse for RawLog {
    fn meta() -> MetaResponses {
        let both = [(200, "The whole stream"), (206, "The part that was asked for")];
        let mut all = described(&both, "text/plain", String::schema_ref());
        let none = [(416, "There is no such part; `Content-Range` says how long the stream is")];
        let problem = schema::answered::<Problem>();
        all.responses.extend(described(&none, PROBLEM_JSON, problem).responses);
        all
    }

    fn register(_: &mut Registry) {}
}
