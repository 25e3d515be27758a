use std::{io, ops::Range};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use jobrunner_core::{JobId, service::LogReader, terminal::Decoder};
use poem::{Body, IntoResponse, Response};
use poem_openapi::{
    ApiResponse,
    registry::{MetaResponses, Registry},
};

use super::super::{
    http::{answer::Answer, problem::Failure},
    model,
};

/// Both streams of a job's output as one JSON object, which is never in memory as a whole: as JSON,
/// output may be six times as long as it was written.
pub(crate) struct BothLogs {
    pub(super) id: JobId,
    /// Standard output and error output.
    pub(super) readers: [LogReader; 2],
    pub(super) tail_bytes: Option<u64>,
}

impl IntoResponse for BothLogs {
    fn into_response(self) -> Response {
        let [stdout, stderr] = self.readers;
        let about = model::Logs::about(self.id, stdout.info());
        let object = match serde_json::to_string(&about) {
            Ok(object) => object,
            Err(error) => return Failure::internal(&error).into_response(),
        };
        let [before, between, after] = around_the_texts(&object);
        let tail = |reader: LogReader| {
            let range = reader.tail(self.tail_bytes);
            escaped(reader, range)
        };
        let literally = |text: String| stream::iter([Ok(Bytes::from(text))]);
        let pieces = literally(before)
            .chain(tail(stdout))
            .chain(literally(between))
            .chain(tail(stderr))
            .chain(literally(after));
        Response::builder()
            .content_type("application/json; charset=utf-8")
            .body(Body::from_bytes_stream(pieces))
    }
}

/// What stands before, between and after the two texts of an object in which they are empty.
fn around_the_texts(object: &str) -> [String; 3] {
    let after_field = |name: &str| {
        let field = format!("\"{name}\":\"");
        object.find(&field).map_or(object.len(), |at| at + field.len())
    };
    let (stdout, stderr) = (after_field("stdout"), after_field("stderr"));
    [&object[..stdout], &object[stdout..stderr], &object[stderr..]].map(str::to_owned)
}

/// Part of a stream as the inside of a string of JSON.
fn escaped(reader: LogReader, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    let texts = stream::try_unfold(Some((reader, range, Decoder::default())), async |state| {
        let Some((reader, range, mut decoder)) = state else { return Ok(None) };
        let piece = reader.read(range.clone()).await.map_err(io::Error::other)?;
        let mut text = String::with_capacity(piece.len());
        if piece.is_empty() {
            decoder.finish(|character| text.push(character));
            return Ok(Some((text, None)));
        }
        decoder.decode(&piece, |character| text.push(character));
        let rest = range.start + piece.len() as u64..range.end;
        Ok::<_, io::Error>(Some((text, Some((reader, rest, decoder)))))
    });
    texts.and_then(async |text| {
        let quoted = Bytes::from(serde_json::to_vec(&text).map_err(io::Error::other)?);
        Ok(quoted.slice(1..quoted.len() - 1))
    })
}

impl ApiResponse for BothLogs {
    fn meta() -> MetaResponses {
        Answer::<model::Logs>::meta()
    }

    fn register(_: &mut Registry) {}
}
