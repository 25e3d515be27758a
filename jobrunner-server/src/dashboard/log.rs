use std::time::Duration;

use futures_util::StreamExt;
use jobrunner_core::{
    JobId, Principal, Service,
    log::Stream,
    service::{Followed, LogPlace, OrderedLog},
};
use poem::{
    IntoResponse, Request, Response, Result, handler,
    web::{
        Data, Path, Query,
        sse::{Event, SSE},
    },
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::spawn_blocking};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    ansi::Renderer,
    lines::{Lines, Named},
    session::Session,
    show::Standing,
};
use crate::api::{logs::RawLog, problem::Failure};

/// What is rendered in full: a browser finds what it is asked for in that much text.
const WHOLE: u64 = 5_000_000;

/// Of longer output, so much of its head and of its tail.
const PART: u64 = 1_000_000;

/// How long a stream may be silent, for the sake of proxies that close silent connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many logs are rendered at the same time: one of very short lines takes some 70 MB for a third of a second.
static RENDERED: Semaphore = Semaphore::const_new(2);

/// Output, rendered as safe HTML.
#[derive(Default)]
pub(super) struct Text {
    pub(super) head: String,
    /// What follows what was left out; empty if nothing was.
    pub(super) tail: String,
    /// How many bytes lie between the two.
    pub(super) omitted: u64,
}

/// One stream of an attempt, as far as a page can hold it.
pub(super) async fn of_stream(
    service: &Service,
    caller: &Principal,
    id: JobId,
    attempt: Option<u32>,
    stream: Stream,
) -> Result<Text, Failure> {
    let reader = service.log_reader(caller, id, attempt, stream).await?;
    let length = reader.len();
    let _turn = RENDERED.acquire().await;
    let lines = async |from: u64, to: u64, named: Named| -> Result<String, Failure> {
        let mut bytes = Vec::new();
        let mut at = from;
        while at < to {
            let piece = reader.read(at..to).await?;
            if piece.is_empty() {
                break;
            }
            at += piece.len() as u64;
            bytes.extend_from_slice(&piece);
        }
        let rendered = spawn_blocking(move || {
            let mut lines = Lines::default();
            lines.push(stream, &String::from_utf8_lossy(&bytes));
            lines.html(named)
        });
        rendered.await.map_err(|error| Failure::internal(&error))
    };
    let named = Named::One(stream);
    if length <= WHOLE {
        return Ok(Text { head: lines(0, length, named).await?, ..Text::default() });
    }
    let head = lines(0, PART, named).await?;
    let tail = lines(length - PART, length, Named::Not { marked: false }).await?;
    Ok(Text { head, tail, omitted: length - 2 * PART })
}

/// Both streams of an attempt in the order in which they were written, as far as a page can hold them. Of longer
/// output, the end of each stream is in the tail.
pub(super) async fn of_both(
    service: &Service,
    caller: &Principal,
    id: JobId,
    attempt: Option<u32>,
) -> Result<Text, Failure> {
    let (info, mut log) = service.ordered_log(caller, id, attempt).await?;
    let _turn = RENDERED.acquire().await;
    let streams = [info.stdout, info.stderr];
    let stored: u64 = streams.iter().map(|stream| stream.written - stream.omitted()).sum();
    if stored <= WHOLE {
        return Ok(Text { head: lines(&mut log, WHOLE, Named::Both).await?, ..Text::default() });
    }
    let head = lines(&mut log, PART, Named::Both).await?;
    let shown = [log.place().stdout, log.place().stderr];
    let ends = streams.map(|stream| stream.written.saturating_sub(PART / 2));
    let from = [shown[0].max(ends[0]), shown[1].max(ends[1])];
    log.skip_to(from[0], from[1]);
    let omitted = from.iter().sum::<u64>() - shown.iter().sum::<u64>();
    let tail = lines(&mut log, u64::MAX, Named::Not { marked: true }).await?;
    Ok(Text { head, tail, omitted })
}

/// The next lines of about so many bytes.
async fn lines(log: &mut OrderedLog, bytes: u64, named: Named) -> Result<String, Failure> {
    let mut lines = Lines::default();
    let mut taken = 0;
    while taken < bytes {
        let next = log.read(true).await?;
        if next.is_empty() {
            break;
        }
        for (_, followed) in next {
            match followed {
                Followed::Output { stream, bytes, .. } => {
                    taken += bytes.len() as u64;
                    lines.push(stream, &String::from_utf8_lossy(&bytes));
                }
                Followed::Gap { stream, from, to } => lines.gap(stream, to - from),
                Followed::Status(_) | Followed::End(_) => {}
            }
        }
    }
    let rendered = spawn_blocking(move || lines.html(named));
    rendered.await.map_err(|error| Failure::internal(&error))
}

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
