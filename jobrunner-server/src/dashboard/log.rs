use std::time::Duration;

use futures_util::StreamExt;
use jobrunner_core::{
    Service,
    log::Stream,
    service::{Followed, LogPlace},
};
use poem::{
    IntoResponse, Request, Response, Result, handler,
    web::{
        Data, Path, Query,
        sse::{Event, SSE},
    },
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{ansi::Renderer, session::Session, show::Standing};
use crate::api::{logs::RawLog, problem::Failure};

/// How long a stream may be silent, for the sake of proxies that close silent connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Told {
    /// Whether it replaces what came of its first line before.
    Output {
        stream: &'static str,
        html: String,
        over: bool,
    },
    Gap {
        stream: &'static str,
        omitted: u64,
    },
    Status {
        standing: Standing,
        attempt: u32,
    },
    End {
        standing: Standing,
    },
}

/// The output of a job as it comes, as safe HTML. Colours that began before an interruption are forgotten.
#[handler]
pub(super) async fn live(
    Data(service): Data<&Service>,
    Data(stop): Data<&CancellationToken>,
    request: &Request,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let place = match request.header("last-event-id").filter(|id| !id.is_empty()) {
        Some(id) => id.parse::<LogPlace>().map_err(Failure::from)?,
        None => LogPlace::default(),
    };
    let followed =
        service.follow(&session.caller, id.into(), place).await.map_err(Failure::from)?;
    let followed = followed.take_until(stop.clone().cancelled_owned());
    let renderers = [Renderer::default(), Renderer::default()];
    let events = followed.scan(renderers, |renderers, followed| {
        let told = followed
            .inspect_err(|error| tracing::warn!(%error, "cannot go on telling a job's output"))
            .ok()
            .map(|(place, followed)| event(renderers, place, followed));
        std::future::ready(told)
    });
    Ok(SSE::new(events).keep_alive(KEEP_ALIVE).into_response())
}

fn event(renderers: &mut [Renderer; 2], place: LogPlace, followed: Followed) -> Event {
    let told = match followed {
        Followed::Output { stream, bytes, .. } => {
            let renderer = &mut renderers[usize::from(stream == Stream::Stderr)];
            let html = renderer.render(&String::from_utf8_lossy(&bytes));
            Told::Output { stream: stream.as_str(), html, over: renderer.writes_over() }
        }
        Followed::Gap { stream, from, to } => {
            Told::Gap { stream: stream.as_str(), omitted: to - from }
        }
        Followed::Status(status) => {
            Told::Status { standing: status.into(), attempt: place.attempt }
        }
        Followed::End(status) => Told::End { standing: status.into() },
    };
    // A map of strings and numbers can always be written.
    let data = serde_json::to_string(&told).unwrap_or_default();
    Event::message(data).id(place.to_string())
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    attempt: Option<u32>,
}

/// A stream of output, byte for byte, as a file.
#[handler]
pub(super) async fn raw(
    Data(service): Data<&Service>,
    request: &Request,
    session: Session,
    Path((id, stream)): Path<(Uuid, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    let stream = match stream.as_str() {
        "stdout" => Stream::Stdout,
        "stderr" => Stream::Stderr,
        _ => return Err(Failure::from(jobrunner_core::Error::NotFound("stream")).into()),
    };
    let reader = service.log_reader(&session.caller, id.into(), wanted.attempt, stream).await;
    let reader = reader.map_err(Failure::from)?;
    Ok(RawLog::of(request, reader, id.into(), stream).into_response())
}
