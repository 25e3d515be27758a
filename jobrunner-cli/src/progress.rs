//! Progress of a batch: a bar where a person watches, a line now and then where a file does.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use jobrunner_core::{Batch, Counts};

use crate::output::{is_quiet, note};

/// How often a line is written when there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows how a batch goes on, on standard error.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    last: Option<(Instant, Counts)>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = (std::io::stderr().is_terminal() && !is_quiet()).then(|| {
            let bar = ProgressBar::no_length();
            let style = "{elapsed_precise} [{wide_bar:.green/dim}] {pos}/{len} {msg}";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, last: None }
    }

    pub(crate) fn show(&mut self, batch: &Batch) {
        let counts = batch.counts;
        let ended = counts.passed + counts.failed + counts.canceled;
        if let Some(bar) = &self.bar {
            bar.set_length(counts.total);
            bar.set_position(ended);
            bar.set_message(words_of(batch));
            return;
        }
        let due = match self.last {
            None => true,
            Some((when, last)) => {
                last != counts && (when.elapsed() >= LINE_EVERY || ended == counts.total)
            }
        };
        if due {
            note(&format!("{ended}/{} ended: {}", counts.total, words_of(batch)));
            self.last = Some((Instant::now(), counts));
        }
    }

    /// Writes a line without disturbing the bar.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(line)),
            None => note(line),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `3 waiting, 1 running, 5 passed, 1 failed`; what is zero is left out, but for passed and failed.
pub(crate) fn words(counts: &Counts) -> String {
    told(counts, 0)
}

/// The same of a batch, which counts those that were skipped, too: `5 passed (2 skipped), 1
/// failed`.
pub(crate) fn words_of(batch: &Batch) -> String {
    told(&batch.counts, batch.skipped)
}

/// The same for a cell that may be cut: what is worst comes first, and what is zero is left out.
pub(crate) fn worst_first(batch: &Batch) -> String {
    let Counts { waiting, running, passed, failed, canceled, .. } = batch.counts;
    let others = [(failed, "failed"), (canceled, "canceled"), (running, "running")];
    let others = others.into_iter().chain([(waiting, "waiting")]);
    let others = others.filter(|(number, _)| *number > 0);
    let words = others.map(|(number, word)| format!("{number} {word}"));
    words.chain([passed_of(passed, batch.skipped)]).collect::<Vec<_>>().join(", ")
}

/// `5 passed (2 skipped)`
fn passed_of(passed: u64, skipped: u64) -> String {
    let skipped = if skipped > 0 { format!(" ({skipped} skipped)") } else { String::new() };
    format!("{passed} passed{skipped}")
}

fn told(counts: &Counts, skipped: u64) -> String {
    let number = |number: u64, word: &str| (number > 0).then(|| format!("{number} {word}"));
    let all = [
        number(counts.waiting, "waiting"),
        number(counts.running, "running"),
        Some(passed_of(counts.passed, skipped)),
        Some(format!("{} failed", counts.failed)),
        number(counts.canceled, "canceled"),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
