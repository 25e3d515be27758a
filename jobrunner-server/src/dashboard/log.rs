use std::time::Duration;

use futures_util::{StreamExt, stream};
use jobrunner_core::{
    Service,
    log::Stream,
    service::{Followed, LogPlace},
    terminal::{Piece, Terminal},
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

use super::{ansi, session::Session, show::Standing};
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

/// The output of a job as it comes, as safe HTML. Colours that began before an interruption are
/// forgotten.
#[handler]
pub(super) async fn live(
    Data(service): Data<&Service>,
    Data(stop): Data<&CancellationToken>,
    request: &Request,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let place = request.header("last-event-id").unwrap_or_default().parse::<LogPlace>();
    let place = place.map_err(Failure::from)?;
    let followed =
        service.follow(&session.caller, id.into(), place).await.map_err(Failure::from)?;
    let followed = followed.take_until(stop.clone().cancelled_owned());
    let events = followed.scan(Terminals::default(), |terminals, followed| {
        let told = followed
            .inspect_err(|error| tracing::warn!(%error, "cannot go on telling a job's output"))
            .ok()
            .map(|(place, followed)| terminals.events(place, followed));
        std::future::ready(told)
    });
    let events = events.flat_map(stream::iter);
    Ok(SSE::new(events).keep_alive(KEEP_ALIVE).into_response())
}

/// What terminals show of the two streams.
#[derive(Default)]
struct Terminals([Terminal; 2]);

impl Terminals {
    fn events(&mut self, place: LogPlace, followed: Followed) -> Vec<Event> {
        let told = match followed {
            Followed::Output { stream, bytes, .. } => {
                vec![output(stream, &self.of(stream).push(&bytes))]
            }
            Followed::Gap { stream, from, to } => {
                let gap = Told::Gap { stream: stream.as_str(), omitted: to - from };
                self.rest().chain([gap]).collect()
            }
            Followed::Status(status) => {
                let status = Told::Status { standing: status.into(), attempt: place.attempt };
                self.rest().chain([status]).collect()
            }
            Followed::End(status) => {
                self.rest().chain([Told::End { standing: status.into() }]).collect()
            }
        };
        let event = |told| {
            // A map of strings and numbers can always be written.
            let data = serde_json::to_string(&told).unwrap_or_default();
            Event::message(data).id(place.to_string())
        };
        told.into_iter().map(event).collect()
    }

    fn of(&mut self, stream: Stream) -> &mut Terminal {
        &mut self.0[usize::from(stream == Stream::Stderr)]
    }

    /// What was waited for to go on.
    fn rest(&mut self) -> impl Iterator<Item = Told> {
        let rest = [Stream::Stdout, Stream::Stderr].map(|stream| {
            let pieces = self.of(stream).finish();
            (!pieces.is_empty()).then(|| output(stream, &pieces))
        });
        rest.into_iter().flatten()
    }
}

fn output(stream: Stream, pieces: &[Piece]) -> Told {
    let mut html = String::new();
    for piece in pieces {
        html.push_str(&ansi::html(&piece.runs));
        if piece.ends {
            html.push('\n');
        }
    }
    // Only what was begun before can be written over by another piece.
    let over = pieces.first().is_some_and(|piece| piece.over);
    Told::Output { stream: stream.as_str(), html, over }
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
