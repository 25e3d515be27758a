use jobrunner_core::{
    insight::{Cause, Moment},
    job::Reason,
};

use super::{WHOLE, columns, cut, either};
use crate::{table::Column, time};

pub(crate) const CAUSES: &[Column<Cause>] = columns! {
    "failures" WHOLE, usual, |cause, _| cause.count.to_string();
    "cause" WHOLE, usual, |cause, _| why(cause);
    "last_line" cut(20), usual, |cause, _| cause.error_line.clone().unwrap_or_default();
    "jobs" either(16, 1), usual, |cause, _| {
        let mut names: Vec<&str> = cause.jobs.iter().map(|job| job.name.as_str()).collect();
        if cause.count > names.len() as u64 {
            names.push("…");
        }
        names.join(", ")
    };
};

pub(crate) const TIMELINE: &[Column<Moment>] = columns! {
    "at" WHOLE, usual, |moment, _| time::utc(Some(moment.at));
    "running" WHOLE, usual, |moment, _| moment.running.to_string();
    "passed" WHOLE, usual, |moment, _| moment.passed.to_string();
    "failed" WHOLE, usual, |moment, _| moment.failed.to_string();
};

/// Why jobs failed, in a few words.
fn why(cause: &Cause) -> String {
    match (cause.reason, cause.exit_code, &cause.signal) {
        (Some(Reason::ExitCode) | None, Some(code), _) => format!("exit code {code}"),
        (Some(Reason::Signal), _, Some(signal)) => format!("signal {signal}"),
        (Some(reason), ..) => reason.as_str().replace('_', " "),
        (None, ..) => "unknown".to_owned(),
    }
}
