//! Jobs and batches as the templates show them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use jobrunner_core::{Batch, BatchId, Counts, Job, Status, job::Attempt};
use serde::Serialize;

/// A status with the sign that stands beside its word, so that nobody depends on colours.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Standing {
    pub(super) word: &'static str,
    pub(super) sign: &'static str,
}

impl From<Status> for Standing {
    fn from(status: Status) -> Self {
        let sign = match status {
            Status::Waiting => "◌",
            Status::Running => "▶",
            Status::Passed => "✓",
            Status::Failed => "✗",
            Status::Canceled => "⊘",
        };
        Self { word: status.as_str(), sign }
    }
}

/// A part of a bar, in hundredths of its width.
#[derive(Debug, Serialize)]
struct Segment {
    status: &'static str,
    x: String,
    width: String,
}

/// How the jobs of a batch stand, as numbers and as a bar.
#[derive(Debug, Serialize)]
pub(super) struct Standings {
    counts: Vec<Counted>,
    total: String,
    ended_percent: u64,
    segments: Vec<Segment>,
    words: String,
}

#[derive(Debug, Serialize)]
struct Counted {
    standing: Standing,
    number: String,
    is_zero: bool,
}

/// In the order of the bar: what has ended comes first and grows to the right.
const ORDER: [Status; 5] =
    [Status::Passed, Status::Failed, Status::Canceled, Status::Running, Status::Waiting];

impl From<Counts> for Standings {
    fn from(counts: Counts) -> Self {
        let share = |number: u64| 100.0 * number as f64 / counts.total.max(1) as f64;
        let mut segments = Vec::new();
        let mut x = 0.0;
        for status in ORDER {
            let width = share(counts.of(status));
            if width > 0.0 {
                // One job among many is still to be seen.
                let shown = width.max(0.6).min(100.0 - x);
                segments.push(Segment {
                    status: status.as_str(),
                    x: format!("{x:.3}"),
                    width: format!("{shown:.3}"),
                });
                x += shown;
            }
        }
        let ended = counts.passed + counts.failed + counts.canceled;
        let words: Vec<String> = ORDER
            .iter()
            .filter(|status| counts.of(**status) > 0)
            .map(|status| format!("{} {status}", counts.of(*status)))
            .collect();
        Self {
            counts: Status::ALL
                .iter()
                .map(|status| Counted {
                    standing: (*status).into(),
                    number: thousands(counts.of(*status)),
                    is_zero: counts.of(*status) == 0,
                })
                .collect(),
            total: thousands(counts.total),
            ended_percent: 100 * ended / counts.total.max(1),
            segments,
            words: words.join(", "),
        }
    }
}

/// A batch.
#[derive(Debug, Serialize)]
pub(super) struct ShownBatch {
    id: String,
    name: String,
    description: Option<String>,
    project: Option<String>,
    standing: Standing,
    standings: Standings,
    flaky: u64,
    skipped: u64,
    created: Moment,
    started: Option<Moment>,
    finished: Option<Moment>,
    took: Option<String>,
    left: Option<String>,
    rerun_of: Option<String>,
    has_ended: bool,
    has_failures: bool,
}

impl From<&Batch> for ShownBatch {
    fn from(batch: &Batch) -> Self {
        let counts = batch.counts;
        let until = batch.finished_at.unwrap_or_else(Utc::now);
        let ran = batch.started_at.map(|started| (until - started).num_milliseconds().max(0));
        let ended = counts.passed + counts.failed + counts.canceled;
        let left = ran.filter(|_| batch.finished_at.is_none() && ended > 0).map(|ran| {
            let left = (counts.total - ended) as f64 * ran as f64 / ended as f64;
            duration(left as i64)
        });
        Self {
            id: batch.id.to_string(),
            name: batch.name.clone(),
            description: batch.description.clone(),
            project: batch.project.as_ref().map(ToString::to_string),
            standing: batch.status.into(),
            standings: counts.into(),
            flaky: batch.flaky,
            skipped: batch.skipped,
            created: batch.created_at.into(),
            started: batch.started_at.map(Into::into),
            finished: batch.finished_at.map(Into::into),
            took: ran.map(duration),
            left,
            rerun_of: batch.rerun_of.map(|id| id.to_string()),
            has_ended: batch.finished_at.is_some(),
            has_failures: counts.failed + counts.canceled > 0,
        }
    }
}

/// A row of a table of jobs.
#[derive(Debug, Serialize)]
pub(super) struct ShownJob {
    id: String,
    name: String,
    queue: String,
    standing: Standing,
    flaky: bool,
    skipped: bool,
    attempt: u32,
    reason: Option<&'static str>,
    error: Option<Why>,
    created: Moment,
    took: Option<String>,
    /// Since when it runs, if it does.
    since: Option<Moment>,
    /// The job that it repeats.
    rerun_of: Option<String>,
    batch: Option<String>,
    /// The name of its batch, where jobs of several are shown.
    batch_name: Option<String>,
}

impl ShownJob {
    /// A job among those of other batches.
    pub(super) fn among(job: &Job, batches: &HashMap<BatchId, String>) -> Self {
        let batch_name = job.batch_id.and_then(|id| batches.get(&id)).cloned();
        Self { batch_name, ..job.into() }
    }
}

impl From<&Job> for ShownJob {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id.to_string(),
            name: job.spec.name.clone(),
            queue: job.spec.queue.clone(),
            standing: job.status.into(),
            flaky: job.flaky,
            skipped: job.skipped,
            attempt: job.attempt,
            reason: job.result.as_ref().and_then(|result| result.reason).map(|why| why.as_str()),
            error: job.error.as_deref().map(Why::of),
            created: job.created_at.into(),
            took: took(job),
            since: job.started_at.filter(|_| job.status == Status::Running).map(Moment::from),
            rerun_of: job.spec.rerun_of.map(|id| id.to_string()),
            batch: job.batch_id.map(|id| id.to_string()),
            batch_name: None,
        }
    }
}

/// Why something did not pass, whole and, if that is long, cut.
#[derive(Debug, Serialize)]
pub(super) struct Why {
    whole: String,
    cut: Option<String>,
}

impl Why {
    pub(super) fn of(whole: &str) -> Self {
        const LONGEST: usize = 120;
        let is_long = whole.chars().nth(LONGEST).is_some() || whole.contains('\n');
        let cut = is_long.then(|| {
            let line = whole.lines().next().unwrap_or_default();
            let cut: String = line.chars().take(LONGEST).collect();
            format!("{}…", cut.trim_end())
        });
        Self { whole: whole.to_owned(), cut }
    }
}

/// How long the last attempt took, or the running one has.
pub(super) fn took(job: &Job) -> Option<String> {
    match (&job.result, job.started_at) {
        (Some(result), _) => Some(duration(i64::try_from(result.duration_ms).unwrap_or(i64::MAX))),
        (None, Some(started)) => Some(duration((Utc::now() - started).num_milliseconds())),
        (None, None) => None,
    }
}

/// An attempt.
#[derive(Debug, Serialize)]
pub(super) struct ShownAttempt {
    attempt: u32,
    standing: Standing,
    started: Moment,
    took: Option<String>,
    worker: Option<String>,
    host: Option<String>,
    exit_code: Option<i32>,
    signal: Option<String>,
    reason: Option<&'static str>,
    error: Option<Why>,
}

impl From<&Attempt> for ShownAttempt {
    fn from(attempt: &Attempt) -> Self {
        let result = attempt.result.as_ref();
        Self {
            attempt: attempt.attempt,
            standing: attempt.status.into(),
            started: attempt.started_at.into(),
            took: result.map(|r| duration(i64::try_from(r.duration_ms).unwrap_or(i64::MAX))),
            worker: attempt.worker_id.map(|id| id.to_string()),
            host: attempt.worker_host.clone(),
            exit_code: result.and_then(|result| result.exit_code),
            signal: result.and_then(|result| result.signal.clone()),
            reason: result.and_then(|result| result.reason).map(|reason| reason.as_str()),
            error: attempt.error.as_deref().map(Why::of),
        }
    }
}

/// A time, for people and for machines.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Moment {
    iso: String,
    text: String,
    ago: String,
}

impl From<DateTime<Utc>> for Moment {
    fn from(time: DateTime<Utc>) -> Self {
        let ago = (Utc::now() - time).num_seconds().max(0);
        let ago = match (ago / 86_400, ago / 3600, ago / 60) {
            (0, 0, 0) => format!("{ago} s ago"),
            (0, 0, minutes) => format!("{minutes} min ago"),
            (0, hours, _) => format!("{hours} h ago"),
            (days, ..) => format!("{days} d ago"),
        };
        Self {
            iso: time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            text: time.format("%Y-%m-%d %H:%M:%S").to_string(),
            ago,
        }
    }
}

/// A number of milliseconds as people read it.
pub(super) fn duration(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => format!("{milliseconds} ms"),
        (0, 0, seconds) => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// A number with its thousands apart.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            // A thin space that does not break.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_are_easy_to_read() {
        assert_eq!(thousands(1_234_567).replace('\u{202f}', " "), "1 234 567");
        assert_eq!(thousands(999), "999");
        assert_eq!(duration(7), "7 ms");
        assert_eq!(duration(1_250), "1.2 s");
        assert_eq!(duration(62_000), "1 min 02 s");
        assert_eq!(duration(3_723_000), "1 h 02 min");
    }

    #[test]
    fn a_bar_is_as_wide_as_its_parts_and_shows_one_among_many() {
        let standings = Standings::from(Counts::new([0, 0, 99_999, 1, 0]));
        let widths: Vec<f64> =
            standings.segments.iter().map(|part| part.width.parse().expect("a number")).collect();
        assert_eq!(widths.len(), 2);
        assert!(widths.iter().sum::<f64>() <= 100.001, "{widths:?}");
        assert_eq!(standings.words, "99999 passed, 1 failed");
        assert!(Standings::from(Counts::default()).segments.is_empty());
    }
}
