use std::{borrow::Cow, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{StreamExt, stream::BoxStream};
use jobrunner_core::{
    JobId, Service,
    service::{Followed, FollowedTo, LogPlace},
};
use poem::{
    IntoResponse, Request, Response,
    web::{
        Data,
        sse::{Event, SSE},
    },
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path},
    registry::{MetaResponses, Registry},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Result, described},
        parameter::{Given, header, parameters},
        schema,
    },
    model::LogEvent,
};

/// How long a stream may be silent, for the sake of proxies that close silent connections.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

parameters! {
    /// The id of the last event that was read.
    EventId(LogPlace) { "type": "string", "pattern": "^([0-9]+:[0-9]+:[0-9]+)?$" } |text| {
        text.parse::<LogPlace>().map_err(|violation| violation.message)
    };
}

pub(crate) struct FollowApi;

#[OpenApi(tag = "Tag::Jobs")]
impl FollowApi {
    /// A job's output as it comes, as server-sent events
    ///
    /// Events are `output` (what was written to a stream), `gap` (what was not kept of it),
    /// `status` (the job stands differently, or another attempt was started) and `end`, after which
    /// the server closes the stream. The id of an event is `ATTEMPT:STDOUT:STDERR`, how far the
    /// output has been told; sent back as `Last-Event-ID`, the stream goes on from there. Where
    /// `text` is not UTF-8, what is not is replaced in it, and `base64` has every byte.
    #[oai(path = "/jobs/:id/logs/follow", method = "get", operation_id = "follow_job_logs")]
    async fn follow(
        &self,
        Data(service): Data<&Service>,
        Data(stop): Data<&CancellationToken>,
        request: &Request,
        Caller(caller): Caller,
        id: Path<Uuid>,
        /// Where to go on; empty is from the beginning.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<Given<EventId>>>,
    ) -> Result<Events> {
        let last = header(last_event_id, request, "Last-Event-ID")?;
        let place = last.map(|id| id.0).unwrap_or_default();
        let events = service.follow(&caller, JobId::from(id.0), place).await?;
        // Open streams would hold up the end of the server.
        let events = events.take_until(stop.clone().cancelled_owned());
        let told = events.scan((), |(), event| async move {
            event
                .inspect_err(|error| tracing::warn!(%error, "cannot go on telling a job's output"))
                .ok()
        });
        Ok(Events(told.map(render).boxed()))
    }
}

fn render((place, event): FollowedTo) -> Event {
    let nothing = LogEvent { attempt: place.attempt, ..LogEvent::default() };
    let (name, told) = match &event {
        Followed::Output { stream, offset, bytes } => {
            let text = String::from_utf8_lossy(bytes);
            let is_replaced = matches!(text, Cow::Owned(_));
            let base64 = is_replaced.then(|| BASE64_STANDARD.encode(bytes));
            let (stream, offset) = (Some((*stream).into()), Some(*offset));
            ("output", LogEvent { stream, offset, text: Some(text), base64, ..nothing })
        }
        Followed::Gap { stream, from, to } => {
            let (stream, offset) = (Some((*stream).into()), Some(*from));
            ("gap", LogEvent { stream, offset, omitted_bytes: Some(to - from), ..nothing })
        }
        Followed::Status(status) => {
            ("status", LogEvent { status: Some((*status).into()), ..nothing })
        }
        Followed::End(status) => ("end", LogEvent { status: Some((*status).into()), ..nothing }),
    };
    // A map of strings and numbers can always be written.
    let data = serde_json::to_string(&told).unwrap_or_default();
    Event::message(data).event_type(name).id(place.to_string())
}

/// Server-sent events.
struct Events(BoxStream<'static, Event>);

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        SSE::new(self.0).keep_alive(KEEP_ALIVE).into_response()
    }
}

impl ApiResponse for Events {
    fn meta() -> MetaResponses {
        let about = [(200, "Events, whose data are each a `LogEvent`")];
        described(&about, "text/event-stream", schema::events::<LogEvent<'_>>())
    }

    fn register(_: &mut Registry) {}
}
