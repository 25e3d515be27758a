//! What the command prints. Results of what was asked for go to standard output, through [`put`]
//! and what is built on it; everything about them goes to standard error, through [`note`]. Nothing
//! else in this crate prints.

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use jobrunner_core::{
    daemon::{self, Trouble},
    log::Stream,
    terminal::Relay,
};
use rustix::termios::tcgetwinsize;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::{
    client::Raw,
    exit::{Context, Failure},
    table::{self, Column},
};

/// Whether results alone are wanted.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on [`note`] says nothing.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether results alone are wanted.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints results as they are, at once.
pub(crate) fn put(results: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(results).and_then(|()| stdout.flush()))
}

/// Prints a line of a result.
pub(crate) fn line(line: &str) -> Result<(), Failure> {
    put(format!("{line}\n").as_bytes())
}

/// Says a line about what is done, unless nobody wants to read it.
pub(crate) fn note(line: &str) {
    if !is_quiet() {
        say(line);
    }
}

/// Says a line on standard error. A terminal gets it in lines that it need not break within words.
pub(crate) fn say(line: &str) {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 => daemon::say(&wrapped(line, size.ws_col.into())),
        _ => daemon::say(line),
    }
}

/// A text in lines of so many columns, broken between words; a word that is longer stays whole.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::with_capacity(text.len());
    for line in text.lines() {
        let mut used = 0;
        for word in line.split_inclusive(' ') {
            let bare = word.trim_end_matches(' ').width();
            if used > 0 && used + bare > width {
                lines.truncate(lines.trim_end_matches(' ').len());
                lines.push('\n');
                used = 0;
            }
            lines.push_str(word);
            used += word.width();
        }
        lines.push('\n');
    }
    lines.pop();
    lines
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
        Self::of(1)
    }
}

impl JobOutput {
    /// Of an attempt, and those after it.
    pub(crate) fn of(attempt: u32) -> Self {
        Self {
            attempt,
            stdout: io::stdout().is_terminal().then(Relay::default),
            stderr: io::stderr().is_terminal().then(Relay::default),
        }
    }

    /// Says that another attempt begins, if it does.
    pub(crate) fn begin(&mut self, attempt: u32) -> Result<(), Failure> {
        if attempt > self.attempt {
            self.finish()?;
            note(&format!("jobrunner: attempt {attempt}"));
            *self = Self::of(attempt);
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

/// Prints something as the server tells it.
pub(crate) fn raw(value: &Raw) -> Result<(), Failure> {
    line(value.text())
}

/// Prints a list of JSON, an item a line, while the items come.
#[derive(Default)]
pub(crate) struct JsonList {
    begun: bool,
    lines: Vec<u8>,
}

impl JsonList {
    /// How much is printed at once.
    const PART: usize = 64 * 1024;

    pub(crate) fn push(&mut self, item: &str) -> Result<(), Failure> {
        self.lines.extend_from_slice(if self.begun { b",\n" } else { b"[\n" });
        self.begun = true;
        self.lines.extend_from_slice(item.as_bytes());
        if self.lines.len() < Self::PART {
            return Ok(());
        }
        put(&std::mem::take(&mut self.lines))
    }

    /// Ends it, with what follows the bracket.
    pub(crate) fn finish(mut self, end: &str) -> Result<(), Failure> {
        self.lines.extend_from_slice(if self.begun { b"\n]" } else { b"[]" });
        self.lines.extend_from_slice(end.as_bytes());
        put(&self.lines)
    }
}

/// Prints things under headings, no wider than the terminal.
pub(crate) fn things<T>(
    columns: &[&Column<T>],
    things: &[T],
    context: &table::Context,
) -> Result<(), Failure> {
    line(&table::rendered(columns, things, context, width()))
}

/// How wide a line may be: `COLUMNS` if it is set, or else the terminal; `None` in a file or a
/// pipe.
pub(crate) fn width() -> Option<usize> {
    let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col));
    set.or_else(terminal).filter(|width| *width > 0)
}

/// How many lines a terminal shows.
pub(crate) fn height() -> Option<usize> {
    let terminal = tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_row));
    terminal.filter(|height| *height > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_broken_between_words_and_loses_none() {
        let text = "commands got PATH and what the suite sets; --pass-env NAME passes on more";
        for width in [10, 20, 40, 71] {
            let lines = wrapped(text, width);
            assert!(lines.lines().all(|line| line.width() <= width), "{width}: {lines}");
            assert_eq!(lines.replace('\n', " "), text, "{width}");
        }
        assert_eq!(wrapped(text, 80), text);
        assert_eq!(wrapped("  indented\nand\n", 80), "  indented\nand");
        let long = "01a21fbc-f2f2-7096-934e-3f3c6c210d9b";
        assert_eq!(wrapped(&format!("batch {long}"), 12), format!("batch\n{long}"));
    }
}
