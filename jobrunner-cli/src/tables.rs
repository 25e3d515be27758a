//! The tables: which columns there are of each kind of thing.

mod attempts;
mod batches;
mod cases;
mod history;
mod insights;
mod jobs;
mod known_issues;
mod notifications;
mod service;

use jobrunner_core::{Job, Status};

pub(crate) use attempts::ATTEMPTS;
pub(crate) use batches::BATCHES;
pub(crate) use cases::CASES;
pub(crate) use history::{FLAKY, RESULTS, RUNS, SERIES, TESTS, named, why};
pub(crate) use insights::{CAUSES, TIMELINE};
pub(crate) use jobs::{FAILURES, JOBS, skipped};
pub(crate) use known_issues::KNOWN_ISSUES;
pub(crate) use notifications::{DELIVERIES, NOTIFICATIONS};
pub(crate) use service::{
    AUDIT, MEMBERS, PROJECTS, QUEUES, SERVERS, Server, TOKENS, USERS, WORKERS,
};

use uuid::Uuid;

use crate::table::{DIGITS, Narrowest, short};

/// Shorthands for how columns behave where space lacks.
const WHOLE: Narrowest = Narrowest::Whole;

const fn cut(least: usize) -> Narrowest {
    Narrowest::Cut(least)
}

const fn drop(rank: u8) -> Narrowest {
    Narrowest::Drop(rank)
}

const fn either(least: usize, rank: u8) -> Narrowest {
    Narrowest::CutOrDrop(least, rank)
}

/// Columns, each by its name, its cells, what becomes of it where space lacks, and whether it is
/// usual.
macro_rules! columns {
    ($($name:literal $narrowest:expr, $shown:ident, $cell:expr;)+) => {
        &[$($crate::table::Column {
            name: $name,
            cell: $cell,
            narrowest: $narrowest,
            is_usual: columns!(@ $shown),
        }),+]
    };
    (@ usual) => { true };
    (@ wanted) => { false };
}
use columns;

/// Something, or a dash.
fn or_dash(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned())
}

/// The name of what repeats something, with a mark that is left where it is shortened.
fn rerun(name: &str, of: Uuid) -> String {
    format!("↻ {name} (rerun of {})", short(of, DIGITS))
}

/// What an error says on a line with other things: without where a program was looked for, which is
/// longer than all the rest.
pub(crate) fn in_short(error: &str) -> String {
    match error.split_once(" in PATH (") {
        Some((before, after)) => {
            let rest = after.split_once(')').map(|(_, rest)| rest).unwrap_or_default();
            format!("{before}{rest}")
        }
        None => error.to_owned(),
    }
}

/// How long a job has run, in milliseconds.
fn ran(job: &Job, now: chrono::DateTime<chrono::Utc>) -> Option<i64> {
    match (&job.result, job.status, job.started_at) {
        (Some(result), ..) => i64::try_from(result.duration_ms).ok(),
        (None, Status::Running, Some(started)) => Some((now - started).num_milliseconds().max(0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
