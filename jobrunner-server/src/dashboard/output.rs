use std::io;

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use jobrunner_core::{
    JobId, Principal, Result, Service,
    log::{LogInfo, Stream},
    service::{Followed, OrderedLog},
};

use super::lines::{Lines, Named};
use crate::api::problem::Failure;

/// What is rendered in full: a browser finds what it is asked for in that much text.
const WHOLE: u64 = 5_000_000;

/// Of longer output, so much of its head and of its tail.
const PART: u64 = 1_000_000;

/// HTML that is made while it is sent.
pub(super) type Html = BoxStream<'static, io::Result<Bytes>>;

/// The output of an attempt, or one stream of it, as far as a page can hold it, as safe HTML. It is
/// read and rendered while it is sent, so that a slow browser costs no memory: only lines that may
/// still change, and a block, are kept.
pub(super) async fn output(
    service: &Service,
    caller: &Principal,
    id: JobId,
    attempt: Option<u32>,
    only: Option<Stream>,
) -> Result<Html, Failure> {
    let (info, log) = service.ordered_log(caller, id, attempt, only).await?;
    let mut output = Output { id, info, log, only, lines: Lines::default(), part: Part::Whole };
    let stored = output.streams().map(|stream| info.stream(stream));
    let stored: u64 = stored.map(|stream| stream.written - stream.omitted()).sum();
    if stored == 0 {
        let nothing = Bytes::from_static(b"<p class=\"soft none\">nothing</p>");
        return Ok(stream::iter([Ok(nothing)]).boxed());
    }
    if stored > WHOLE {
        output.part = Part::Head(PART);
    }
    let html = stream::try_unfold(output, async |mut output| {
        let next = output.next().await.map_err(|error| {
            tracing::warn!(%error, "cannot go on showing a job's output");
            io::Error::other(error)
        })?;
        Ok(next.map(|html| (Bytes::from(html), output)))
    });
    Ok(html.boxed())
}

struct Output {
    id: JobId,
    info: LogInfo,
    log: OrderedLog,
    only: Option<Stream>,
    lines: Lines,
    part: Part,
}

/// What is being shown.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    /// The head of long output, about so many bytes more.
    Head(u64),
    Tail,
    Nothing,
}

impl Output {
    fn streams(&self) -> impl Iterator<Item = Stream> + use<> {
        let only = self.only;
        [Stream::Stdout, Stream::Stderr]
            .into_iter()
            .filter(move |stream| only.is_none_or(|only| only == *stream))
    }

    fn named(&self) -> Named {
        match (self.part, self.only) {
            (Part::Tail, only) => Named::Not { marked: only.is_none() },
            (_, Some(stream)) => Named::One(stream),
            (_, None) => Named::Both,
        }
    }

    async fn next(&mut self) -> Result<Option<String>> {
        loop {
            match self.part {
                Part::Nothing => return Ok(None),
                Part::Head(0) => {
                    let html = self.lines.finish(self.named()) + &self.skip();
                    (self.lines, self.part) = (Lines::default(), Part::Tail);
                    return Ok(Some(html));
                }
                Part::Whole | Part::Head(_) | Part::Tail => {}
            }
            let read = self.log.read(true).await?;
            if read.is_empty() {
                let html = self.lines.finish(self.named());
                self.part = Part::Nothing;
                return Ok(Some(html));
            }
            for (_, followed) in read {
                match followed {
                    Followed::Output { stream, bytes, .. } => {
                        if let Part::Head(left) = &mut self.part {
                            *left = left.saturating_sub(bytes.len() as u64);
                        }
                        self.lines.push(stream, &bytes);
                    }
                    Followed::Gap { stream, from, to } => self.lines.gap(stream, to - from),
                    Followed::Status(_) | Followed::End(_) => {}
                }
            }
            let html = self.lines.take(self.named());
            if !html.is_empty() {
                return Ok(Some(html));
            }
        }
    }

    /// Goes on at the tail, the end of each stream; what says so.
    fn skip(&mut self) -> String {
        let place = self.log.place();
        let part = PART / self.streams().count() as u64;
        let tail = |shown: u64, stream| {
            let from = shown.max(self.info.stream(stream).written.saturating_sub(part));
            if self.streams().any(|it| it == stream) { from } else { shown }
        };
        let (stdout, stderr) =
            (tail(place.stdout, Stream::Stdout), tail(place.stderr, Stream::Stderr));
        self.log.skip_to(stdout, stderr);
        let omitted = stdout - place.stdout + stderr - place.stderr;
        let (id, attempt) = (self.id, self.info.attempt);
        let raw = |stream: Stream| {
            let name = stream.as_str();
            format!("<a href=\"/jobs/{id}/raw/{name}?attempt={attempt}\" download>raw {name}</a> ")
        };
        let raw: String = self.streams().map(raw).collect();
        format!("<p class=\"gap\">{omitted} bytes are not shown here: download all by {raw}</p>")
    }
}
