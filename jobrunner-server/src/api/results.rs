use futures_util::{StreamExt, stream, stream::BoxStream};
use jobrunner_core::{Batch, BatchId, Principal, Service, service::Watched};
use poem::{
    Body, IntoResponse, Response,
    http::header,
    web::{
        Data,
        sse::{Event, SSE},
    },
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::Path,
    registry::{MetaResponses, Registry},
    types::Type,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    follow::KEEP_ALIVE,
    http::{
        answer::{Answer, Result, described},
        schema,
    },
    model,
};
use crate::junit::{self, Document};

pub(crate) struct ResultsApi;

#[OpenApi(tag = "Tag::Batches")]
impl ResultsApi {
    /// A batch's results as JUnit XML
    ///
    /// One test case for each job, in the order of their submission. What has not ended or was
    /// skipped is a skipped case; the failures of a flaky job are `flakyFailure` or `flakyError`
    /// elements. Jobs of one name are told apart: `name`, `name [2]`, and so on. The document is
    /// sent while it is made; its totals are those of the batch when it was begun.
    #[oai(path = "/job-batches/:id/junit.xml", method = "get", operation_id = "get_batch_junit")]
    async fn junit(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Xml> {
        let document = junit::document(service, &caller, BatchId::from(id.0)).await?;
        Ok(Xml::new(id.0, document))
    }

    /// Why jobs of a batch failed
    ///
    /// Failures that are alike - by reason, exit code, signal and the last line of the output
    /// without what differs from run to run - the most frequent first. The newest 10,000 failures
    /// are looked at.
    #[oai(path = "/job-batches/:id/causes", method = "get", operation_id = "get_batch_causes")]
    async fn causes(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Causes>> {
        Answer::of(service.causes(&caller, BatchId::from(id.0)).await?)
    }

    /// How a batch went over time
    #[oai(path = "/job-batches/:id/timeline", method = "get", operation_id = "get_batch_timeline")]
    async fn timeline(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Timeline>> {
        Answer::of(service.timeline(&caller, BatchId::from(id.0)).await?)
    }

    /// A batch's counts as they change, as server-sent events
    ///
    /// Each event, `batch`, is the whole batch as it stands then: first now, then after changes,
    /// four times a second at most. After the event of its end the server closes the stream. A
    /// stream that was cut is simply asked for again.
    #[oai(path = "/job-batches/:id/events", method = "get", operation_id = "watch_batch")]
    async fn events(
        &self,
        Data(service): Data<&Service>,
        Data(stop): Data<&CancellationToken>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<BatchEvents> {
        let id = BatchId::from(id.0);
        // First of all, so that no change falls between the two.
        let changes = service.watch_batches(&caller);
        let now = service.batch(&caller, id).await?;
        let service = service.clone();
        let batches = stream::once(async { now }).chain(
            changes.filter_map(move |watched| look(service.clone(), caller.clone(), id, watched)),
        );
        let events = until_ended(batches.boxed()).take_until(stop.clone().cancelled_owned());
        Ok(BatchEvents(events.boxed()))
    }
}

/// The batch, if this is about it.
async fn look(service: Service, caller: Principal, id: BatchId, watched: Watched) -> Option<Batch> {
    match watched {
        Watched::Batch(batch) => (batch.id == id).then(|| (*batch).clone()),
        Watched::Missed => service.batch(&caller, id).await.ok(),
        Watched::Jobs => None,
    }
}

fn until_ended(batches: BoxStream<'static, Batch>) -> impl futures_util::Stream<Item = Event> {
    let numbered = batches.enumerate();
    stream::unfold(Some(numbered.boxed()), |batches| async {
        let mut batches = batches?;
        let (number, batch) = batches.next().await?;
        // A batch can always be written.
        let is_ended = batch.finished_at.is_some();
        let data = serde_json::to_string(&model::Batch::from(batch)).unwrap_or_default();
        let event = Event::message(data).event_type("batch").id(number.to_string());
        Some((event, (!is_ended).then_some(batches)))
    })
}

/// An XML document about something, as a file named after it, sent while it is made.
pub(crate) struct Xml {
    name: String,
    document: Document,
}

impl Xml {
    pub(crate) fn new(about: Uuid, document: Document) -> Self {
        Self { name: format!("{about}.xml"), document }
    }
}

impl IntoResponse for Xml {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type("application/xml; charset=utf-8")
            .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", self.name))
            .body(Body::from_bytes_stream(self.document))
    }
}

impl ApiResponse for Xml {
    fn meta() -> MetaResponses {
        described(&[(200, "JUnit XML")], "application/xml", String::schema_ref())
    }

    fn register(_: &mut Registry) {}
}

/// Server-sent events whose data are batches.
struct BatchEvents(BoxStream<'static, Event>);

impl IntoResponse for BatchEvents {
    fn into_response(self) -> Response {
        SSE::new(self.0).keep_alive(KEEP_ALIVE).into_response()
    }
}

impl ApiResponse for BatchEvents {
    fn meta() -> MetaResponses {
        let about = [(200, "Events, whose data are each a `Batch`")];
        described(&about, "text/event-stream", schema::events::<model::Batch>())
    }

    fn register(_: &mut Registry) {}
}
