//! What is told of a batch as a whole: why its members failed, and how it went over time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{JobId, attempt::Reason};

/// How many failures of a batch are looked at for their causes: its newest.
pub const FAILURES_LOOKED_AT: u32 = 10_000;

/// How many jobs are named for each cause.
pub const JOBS_NAMED: u32 = 5;

/// Members of a batch that failed alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// Why they did not pass.
    pub reason: Option<Reason>,
    /// What their commands returned.
    pub exit_code: Option<i32>,
    /// The signal that ended their commands.
    pub signal: Option<String>,
    /// What their commands said last, without what differs from run to run.
    pub error_line: Option<String>,
    /// How many they are.
    pub count: u64,
    /// The newest five of them.
    pub jobs: Vec<NamedJob>,
}

/// A job by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedJob {
    /// Which job.
    pub id: JobId,
    /// What people call it.
    pub name: String,
}

/// How a batch stood at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at: DateTime<Utc>,
    /// How many attempts were running.
    pub running: u64,
    /// How many attempts had passed.
    pub passed: u64,
    /// How many attempts had failed, those that were repeated included.
    pub failed: u64,
}

/// What happened in one of the equal parts of a batch's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Attempts that were started.
    pub started: u64,
    /// Attempts that passed.
    pub passed: u64,
    /// Attempts that ended otherwise.
    pub failed: u64,
}

/// The moments at the ends of equal parts of the time from `from` to `to`.
#[must_use]
pub fn moments(from: DateTime<Utc>, to: DateTime<Utc>, parts: &[Part]) -> Vec<Moment> {
    let span = (to - from).num_milliseconds();
    let count = i64::try_from(parts.len()).unwrap_or(i64::MAX).max(1);
    let mut so_far = Part::default();
    let mut moments = vec![Moment { at: from, running: 0, passed: 0, failed: 0 }];
    for (number, part) in (1..).zip(parts) {
        so_far.started += part.started;
        so_far.passed += part.passed;
        so_far.failed += part.failed;
        moments.push(Moment {
            at: from + chrono::TimeDelta::milliseconds(span * number / count),
            running: so_far.started.saturating_sub(so_far.passed + so_far.failed),
            passed: so_far.passed,
            failed: so_far.failed,
        });
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_what_was_started_and_has_not_ended() {
        let from = DateTime::UNIX_EPOCH;
        let to = from + chrono::TimeDelta::seconds(4);
        let parts =
            [Part { started: 3, passed: 1, failed: 0 }, Part { started: 0, passed: 1, failed: 1 }];
        let moments = moments(from, to, &parts);
        let told: Vec<_> = moments.iter().map(|m| (m.running, m.passed, m.failed)).collect();
        assert_eq!(told, [(0, 0, 0), (2, 1, 0), (0, 2, 1)]);
        assert_eq!(moments[1].at, from + chrono::TimeDelta::seconds(2));
    }
}
