//! What is written of the ends of tests, beside what is written of the ends of their jobs.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use super::{decide::Held, identity};
use crate::{
    Status,
    lease::Outcome as Ended,
    verdict::{FailureCause, Outcome},
};

/// How an outcome is stored: of two in one run the larger one is told.
#[must_use]
pub const fn code(outcome: Outcome) -> i16 {
    match outcome {
        Outcome::Passed => 0,
        Outcome::Skipped => 1,
        Outcome::Flaky => 2,
        Outcome::NotRun => 3,
        Outcome::Infra => 4,
        Outcome::Failed => 5,
    }
}

/// The outcome with a code.
///
/// # Errors
/// There is none.
pub fn outcome(stored: i64) -> crate::Result<Outcome> {
    let known = Outcome::ALL.into_iter().find(|outcome| i64::from(code(*outcome)) == stored);
    known.ok_or_else(|| super::values::damaged("an outcome", format!("unknown code {stored}")))
}

/// What becomes of tests when their jobs end. Only tests of a run have any of it.
#[derive(Debug, Default)]
pub struct Results {
    /// What became of each test.
    pub rows: Vec<TestEnd>,
    /// Causes by their numbers, which may be known already.
    pub causes: BTreeMap<i64, FailureCause>,
}

/// What became of a test, as it is written.
#[derive(Debug, Serialize)]
pub struct TestEnd {
    /// The job.
    #[serde(with = "uuid::serde::simple")]
    pub job: Uuid,
    /// The number of the test.
    pub test: i64,
    /// The number of the run.
    pub run: i64,
    /// That of the cause, 0 if it did not fail.
    pub cause: i64,
    /// How long it took.
    pub duration_ms: i32,
    /// On which host it was.
    pub host: String,
    /// The code of its outcome.
    pub outcome: i16,
    /// How many attempts there were.
    pub attempts: i16,
}

impl Results {
    /// A job has ended with a status, if it has, by an attempt that ended so.
    pub(super) fn ended(
        &mut self,
        held: &Held,
        status: Status,
        by: (&Ended, Option<&str>),
        marks: (bool, bool),
    ) {
        let (Some(test), Some(run)) = (held.test_no, held.run_no) else { return };
        if !status.is_terminal() {
            return;
        }
        let (ended, error_line) = by;
        let outcome = Outcome::of(status, ended.reason, marks);
        let cause = match (outcome, ended.reason) {
            (Outcome::Failed | Outcome::Infra, Some(reason)) => {
                let signal = ended.signal.as_deref();
                self.cause(FailureCause::of(reason, ended.exit_code, signal, error_line))
            }
            _ => 0,
        };
        self.rows.push(TestEnd {
            job: held.job_id,
            test,
            run,
            cause,
            duration_ms: i32::try_from(ended.duration.as_millis()).unwrap_or(i32::MAX),
            host: held.host.clone(),
            outcome: code(outcome),
            attempts: i16::try_from(held.attempts).unwrap_or(i16::MAX),
        });
    }

    /// The number of a cause, which is written with the results.
    pub fn cause(&mut self, cause: FailureCause) -> i64 {
        let number = identity::cause(&cause);
        self.causes.entry(number).or_insert(cause);
        number
    }
}
