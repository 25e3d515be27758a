use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use jobrunner_core::{JobId, daemon::Trouble, log::Stream};
use reqwest::Response;
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::{
    http::{Http, Repeat},
    routes,
};
use crate::{
    exit::Failure,
    follow::{PAUSE, Patience},
};

/// How long the stream may be silent. The server says something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// A stream of events has no end that could be foreseen.
pub(super) const ENDLESS: Duration = Duration::from_secs(365 * 24 * 3600);

/// The most bytes of one event.
const LONGEST: usize = 4 << 20;

/// What happens to a job that is followed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LogEvent {
    /// An attempt has written something.
    Output { attempt: u32, stream: Stream, bytes: Bytes },
    /// So many bytes that an attempt has written were not kept.
    Gap { attempt: u32, stream: Stream, omitted: u64 },
    /// The job has ended, and everything was told.
    End,
}

/// The output of a job from its first attempt to its end. A connection that is lost is made again,
/// and the stream goes on behind the last event.
pub(crate) struct LogEvents<'a> {
    http: &'a Http,
    id: JobId,
    /// The id of the last event.
    place: String,
    open: Option<(Response, Vec<u8>)>,
    patience: Patience,
}

/// What an event says.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Data {
    attempt: u32,
    stream: Option<String>,
    text: Option<String>,
    base64: Option<String>,
    omitted_bytes: Option<u64>,
}

impl<'a> LogEvents<'a> {
    pub(super) fn new(http: &'a Http, id: JobId) -> Self {
        // The beginning of the first attempt.
        let place = "1:0:0".to_owned();
        Self { http, id, place, open: None, patience: Patience::default() }
    }

    /// The next event. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) -> Result<LogEvent, Failure> {
        loop {
            let Some((response, buffer)) = &mut self.open else {
                let answer = self.connect().await;
                match self.patience.bear(answer)? {
                    Some(response) => self.open = Some((response, Vec::new())),
                    None => sleep(PAUSE).await,
                }
                continue;
            };
            if let Some(end) = buffer.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = buffer.drain(..end + 2).collect();
                if let Some((place, event)) = parse(&String::from_utf8_lossy(&event))? {
                    self.place = place;
                    return Ok(event);
                }
                continue;
            }
            if buffer.len() > LONGEST {
                return Err(strange("an event without an end"));
            }
            match timeout(SILENCE, response.chunk()).await {
                Ok(Ok(Some(part))) => buffer.extend_from_slice(&part),
                // The server stops, or the connection is gone.
                Ok(Ok(None) | Err(_)) | Err(_) => {
                    self.open = None;
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn connect(&self) -> Result<Response, Failure> {
        let id = self.id.to_string();
        let request = || {
            let request = self.http.request(&routes::FOLLOW, &[&id]).timeout(ENDLESS);
            request.header("Last-Event-ID", &self.place)
        };
        let response = self.http.send(Repeat::WhenLost, request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.http.refusal(response).await)
    }
}

/// An event with its id; `None` for what is no news.
fn parse(event: &str) -> Result<Option<(String, LogEvent)>, Failure> {
    let field = |name: &str| {
        let lines = event.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.map(|value| value.strip_prefix(' ').unwrap_or(value)).next()
    };
    let (Some(name), Some(id), Some(data)) = (field("event"), field("id"), field("data")) else {
        return Ok(None);
    };
    let data: Data = serde_json::from_str(data).map_err(strange)?;
    let attempt = data.attempt;
    let stream = || match data.stream.as_deref() {
        Some("stdout") => Ok(Stream::Stdout),
        Some("stderr") => Ok(Stream::Stderr),
        _ => Err(strange("output of no stream")),
    };
    let event = match name {
        "output" => {
            let bytes = match (data.base64.as_deref(), data.text.as_deref()) {
                (Some(base64), _) => BASE64_STANDARD.decode(base64).map_err(strange)?,
                (None, text) => text.unwrap_or_default().as_bytes().to_vec(),
            };
            LogEvent::Output { attempt, stream: stream()?, bytes: bytes.into() }
        }
        "gap" => {
            let omitted = data.omitted_bytes.unwrap_or_default();
            LogEvent::Gap { attempt, stream: stream()?, omitted }
        }
        "end" => LogEvent::End,
        _ => return Ok(None),
    };
    Ok(Some((id.to_owned(), event)))
}

fn strange(what: impl std::fmt::Display) -> Failure {
    let message = format!("the server sends events that this version does not understand: {what}");
    Failure::new(Trouble::Protocol, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_the_server_writes_them() {
        let read = |event: &str| parse(event).expect("understood");
        let output = "event: output\nid: 2:3:0\ndata: {\"attempt\":2,\"stream\":\"stdout\",\"offset\":0,\
                      \"text\":\"a\\n\u{fffd}\",\"base64\":\"YQr/\"}\n\n";
        let bytes = Bytes::from_static(b"a\n\xff");
        let expected = LogEvent::Output { attempt: 2, stream: Stream::Stdout, bytes };
        assert_eq!(read(output), Some(("2:3:0".to_owned(), expected)));
        let gap = "event:gap\nid:1:9:0\ndata:{\"attempt\":1,\"stream\":\"stderr\",\"omitted_bytes\":7}\n\n";
        let expected = LogEvent::Gap { attempt: 1, stream: Stream::Stderr, omitted: 7 };
        assert_eq!(read(gap), Some(("1:9:0".to_owned(), expected)));
        for nothing in [":\n\n", "event: status\nid: 1:0:0\ndata: {\"attempt\":1}\n\n", "\n\n"] {
            assert_eq!(read(nothing), None, "{nothing:?}");
        }
        assert!(parse("event: output\nid: 1:0:0\ndata: {\n\n").is_err());
    }
}
