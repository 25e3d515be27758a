//! What is written of the ends of tests, beside what is written of the ends of their jobs.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::Serialize;
use uuid::Uuid;

use super::{decide::Held, identity};
use crate::{
    Status,
    attempt::Reason,
    error_line,
    lease::Outcome as Ended,
    report::{Case, CaseStatus},
    verdict::{FailureCause, Outcome},
};

/// The cause of a job whose cases tell what became of it: the job is then none of the tests that
/// are counted and classified, only one that ran.
pub const TOLD_BY_CASES: i64 = -1;

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
    /// Cases among the tests, which may be known already.
    pub cases: Vec<CaseTest>,
}

/// A case of a report, as a test.
#[derive(Debug, Serialize)]
pub struct CaseTest {
    /// The number of the run.
    pub run: i64,
    /// The number of the case.
    pub test: i64,
    /// That of the test whose report it is in.
    pub parent: i64,
    /// What it is called below that.
    pub case: String,
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

    /// The job that has ended last, by an attempt that ended for a reason, has reported cases: each
    /// is a test by itself, and one of two that are called alike is told by the worse.
    ///
    /// They tell what became of the job if it passed at once, or returned a failure of which they
    /// have one: then it is [told by them](TOLD_BY_CASES) alone.
    pub(super) fn reported(&mut self, held: &Held, reason: Option<Reason>, cases: &[Case]) {
        let (Some(parent), Some(run)) = (held.test_no, held.run_no) else { return };
        let Some(own) = self.rows.last_mut().filter(|row| row.job == held.job_id) else { return };
        let has_failed = cases.iter().any(|case| case.status == CaseStatus::Failed);
        let is_told =
            own.outcome == code(Outcome::Passed) || reason == Some(Reason::ExitCode) && has_failed;
        if is_told {
            own.cause = TOLD_BY_CASES;
        }
        let mut told: BTreeMap<i64, TestEnd> = BTreeMap::new();
        for case in cases {
            let test = identity::case(parent, &case.class, &case.name);
            let end = self.case(held, (run, test), case);
            match told.entry(test) {
                Entry::Vacant(place) => {
                    let case = match &*case.class {
                        "" => case.name.clone(),
                        class => format!("{class} › {}", case.name),
                    };
                    self.cases.push(CaseTest { run, test, parent, case });
                    place.insert(end);
                }
                Entry::Occupied(mut known) if end.outcome > known.get().outcome => {
                    known.insert(end);
                }
                Entry::Occupied(_) => {}
            }
        }
        self.rows.extend(told.into_values());
    }

    /// What became of a case.
    fn case(&mut self, held: &Held, (run, test): (i64, i64), case: &Case) -> TestEnd {
        let outcome = match case.status {
            CaseStatus::Passed if case.flaky => Outcome::Flaky,
            CaseStatus::Passed => Outcome::Passed,
            CaseStatus::Skipped => Outcome::Skipped,
            CaseStatus::Failed => Outcome::Failed,
        };
        let cause = match outcome {
            Outcome::Failed => {
                // What follows is where it happened.
                let message = case.message.as_deref().unwrap_or_default();
                let line = message.lines().find(|line| !line.trim().is_empty());
                let line = line.and_then(|line| error_line::of(line.as_bytes()));
                self.cause(FailureCause { error_line: line, ..FailureCause::default() })
            }
            _ => 0,
        };
        let duration_ms = case.duration_ms.unwrap_or(0);
        TestEnd {
            job: held.job_id,
            test,
            run,
            cause,
            duration_ms: i32::try_from(duration_ms).unwrap_or(i32::MAX),
            host: held.host.clone(),
            outcome: code(outcome),
            attempts: i16::try_from(held.attempts).unwrap_or(i16::MAX),
        }
    }

    /// The number of a cause, which is written with the results.
    pub fn cause(&mut self, cause: FailureCause) -> i64 {
        let number = identity::cause(&cause);
        self.causes.entry(number).or_insert(cause);
        number
    }
}
