use chrono::{DateTime, SecondsFormat, Utc};
use jobrunner_core::{
    Job, Status,
    job::{Attempt, Reason},
};

use super::xml::Element;

/// What a test case says beyond its job.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// The end of what a failed job wrote to descriptor 1, as a terminal shows it.
    pub(super) stdout: String,
    /// The end of what a failed job wrote to descriptor 2, as a terminal shows it.
    pub(super) stderr: String,
    /// All attempts of a flaky job.
    pub(super) attempts: Vec<Attempt>,
}

/// By what a test case is found.
pub(super) struct Titles<'a> {
    pub(super) class: &'a str,
    pub(super) name: &'a str,
}

/// Writes a job as a test case.
pub(super) fn write(xml: &mut String, job: &Job, titles: Titles<'_>, details: Details) {
    let took = job.result.as_ref().map(|result| seconds(result.duration_ms));
    let case = Element::begin(xml, "testcase")
        .attribute("name", titles.name)
        .attribute("classname", titles.class)
        .optional("timestamp", job.started_at.map(time).as_deref())
        .optional("time", took.as_deref());
    if job.status == Status::Passed && !job.skipped && details.attempts.is_empty() {
        case.end();
        xml.push('\n');
        return;
    }
    case.open();
    let reason = job.result.as_ref().and_then(|result| result.reason);
    let outcome = match job.status {
        Status::Passed => job.skipped.then_some("skipped"),
        Status::Waiting | Status::Running | Status::Canceled => Some("skipped"),
        Status::Failed => Some(reason.map_or("error", |reason| kind(reason).failed)),
    };
    let otherwise = if job.skipped { "skipped" } else { job.status.as_str() };
    if let Some(outcome) = outcome {
        Element::begin(xml, outcome)
            .attribute("message", message(job).as_deref().unwrap_or("did not pass"))
            .attribute("type", reason.map_or(otherwise, Reason::as_str))
            .end();
    }
    for attempt in details.attempts {
        write_attempt(xml, &attempt);
    }
    if job.status == Status::Failed {
        Element::begin(xml, "system-out").text(&details.stdout);
        Element::begin(xml, "system-err").text(&details.stderr);
    }
    xml.push_str("</testcase>\n");
}

/// Why a job did not pass, or was skipped.
fn message(job: &Job) -> Option<String> {
    let exit_code = job.result.as_ref().and_then(|result| result.exit_code);
    let skip = exit_code.filter(|_| job.skipped).map(|code| format!("exited with code {code}"));
    job.error.clone().or(skip)
}

/// An attempt that failed before its job passed, as Maven's Surefire writes it.
fn write_attempt(xml: &mut String, attempt: &Attempt) {
    let Some(reason) = attempt.result.as_ref().and_then(|result| result.reason) else { return };
    Element::begin(xml, kind(reason).flaky)
        .attribute("timestamp", &time(attempt.started_at))
        .attribute("message", attempt.error.as_deref().unwrap_or_default())
        .attribute("type", reason.as_str())
        .end();
}

/// What elements are called that say that something did not pass.
struct Kind {
    failed: &'static str,
    flaky: &'static str,
}

/// Whether the command itself said that it failed; anything else kept it from saying.
const fn kind(reason: Reason) -> Kind {
    match reason {
        Reason::ExitCode => Kind { failed: "failure", flaky: "flakyFailure" },
        _ => Kind { failed: "error", flaky: "flakyError" },
    }
}

/// A time as JUnit has it.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, false)
}

pub(super) fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}
