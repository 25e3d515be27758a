//! What the command prints. Results of what was asked for go to standard output, through [`put`]
//! and what is built on it; everything about them goes to standard error, through [`note`]. Nothing
//! else in this crate prints.

use std::io::{self, IsTerminal, Write};

use chrono::{DateTime, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use jobrunner_core::{
    daemon::{self, Trouble},
    log::Stream,
    terminal::{self, Relay},
};
use serde::Serialize;

use crate::exit::{Context, Failure};

/// Prints results as they are, at once.
pub(crate) fn put(results: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(results).and_then(|()| stdout.flush()))
}

/// Prints a line of a result.
pub(crate) fn line(line: &str) -> Result<(), Failure> {
    put(format!("{line}\n").as_bytes())
}

/// Says a line about what is done, unless nobody reads it.
pub(crate) fn note(line: &str) {
    daemon::say(line);
}

/// Prints what a job writes, to the stream of this process that it writes it to there: byte for
/// byte into a file or a pipe; a terminal gets what does not go beyond the line.
pub(crate) struct JobOutput {
    attempt: u32,
    stdout: Option<Relay>,
    stderr: Option<Relay>,
}

impl Default for JobOutput {
    fn default() -> Self {
        Self {
            attempt: 1,
            stdout: io::stdout().is_terminal().then(Relay::default),
            stderr: io::stderr().is_terminal().then(Relay::default),
        }
    }
}

impl JobOutput {
    /// Says that another attempt begins, if it does.
    pub(crate) fn begin(&mut self, attempt: u32) -> Result<(), Failure> {
        if attempt > self.attempt {
            self.finish()?;
            note(&format!("jobrunner: attempt {attempt}"));
            *self = Self { attempt, ..Self::default() };
        }
        Ok(())
    }

    pub(crate) fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Failure> {
        let relay = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        match relay {
            Some(relay) => pass_on(stream, relay.push(bytes).as_bytes()),
            None => pass_on(stream, bytes),
        }
    }

    /// Prints what was waited for at the end of the output.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        let streams = [(Stream::Stdout, &mut self.stdout), (Stream::Stderr, &mut self.stderr)];
        for (stream, relay) in streams {
            if let Some(relay) = relay {
                pass_on(stream, relay.finish().as_bytes())?;
            }
        }
        Ok(())
    }
}

fn pass_on(stream: Stream, bytes: &[u8]) -> Result<(), Failure> {
    match stream {
        Stream::Stdout => put(bytes),
        Stream::Stderr => written(io::stderr().lock().write_all(bytes)),
    }
}

fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    outcome.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::no_reader(),
        _ => Failure::new(Trouble::Io, format!("cannot print the results: {error}")),
    })
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value);
    line(&text.context(Trouble::Software, || "cannot write JSON".to_owned())?)
}

/// Prints rows under their headings, without lines between them.
pub(crate) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), Failure> {
    line(&rendered(headings, rows))
}

/// Rows under their headings, as text of several lines.
pub(crate) fn rendered<const N: usize>(
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| terminal::line(&cell)));
    }
    table.trim_fmt()
}

/// A time to the second, or a dash.
pub(crate) fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}
