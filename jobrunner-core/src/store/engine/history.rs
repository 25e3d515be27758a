//! From rows about the past of tests to what is shown.

#![expect(missing_docs, reason = "a field is the column of its name")]

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{
    results::outcome,
    values::{gate, number, parse, project, reason, time},
    verdict::{Stored, code, variant},
};
use crate::{
    Result,
    history::{NamedTest, Run, Series, SeriesTest, TestFilter, TestResult},
    series::TestId,
    verdict::{Class, ClassCounts, FailureCause, Outcome, ShortVerdict},
};

/// A series, and the number of its last run.
#[derive(Debug, FromRow)]
pub struct SeriesRow {
    pub no: i64,
    pub id: Uuid,
    pub owner_id: Uuid,
    pub name: String,
    pub project: Option<String>,
    pub created_at: i64,
    pub last_run: Option<i64>,
}

impl SeriesRow {
    /// The series with its last run.
    ///
    /// # Errors
    /// Something in the row cannot be read.
    pub fn into_series(self, last_run: Option<Run>) -> Result<Series> {
        Ok(Series {
            id: self.id.into(),
            number: number(self.no)?,
            owner_id: self.owner_id.into(),
            project: self.project.as_deref().map(project).transpose()?,
            name: self.name,
            created_at: time(self.created_at)?,
            last_run,
        })
    }
}

/// A run of a series.
#[derive(Clone, Debug, FromRow)]
pub struct PastRunRow {
    pub no: i64,
    pub series_no: i64,
    pub batch_id: Uuid,
    pub name: Option<String>,
    pub is_rerun: bool,
    pub branch: String,
    pub sha: Option<String>,
    pub dirty: bool,
    pub url: Option<String>,
    pub has_revision: bool,
    pub gate: String,
    pub day: i32,
    pub verdict: Option<String>,
    pub created_at: i64,
    pub finished_at: Option<i64>,
}

impl PastRunRow {
    /// The run.
    ///
    /// # Errors
    /// Something in the row cannot be read.
    pub fn into_run(self) -> Result<Run> {
        let revision = Stored {
            has_revision: self.has_revision,
            sha: self.sha,
            branch: self.branch,
            dirty: self.dirty,
            url: self.url,
        };
        let counts: Option<ClassCounts> = self.verdict.as_deref().map(parse).transpose()?;
        let gate = gate(&self.gate)?;
        Ok(Run {
            number: number(self.no)?,
            batch_id: self.batch_id.into(),
            name: self.name,
            is_rerun: self.is_rerun,
            revision: revision.into_revision(),
            gate,
            verdict: ShortVerdict::new(gate, counts),
            counts,
            created_at: time(self.created_at)?,
            finished_at: self.finished_at.map(time).transpose()?,
        })
    }
}

/// A test by its name.
#[derive(Debug, FromRow)]
pub struct NamedRow {
    pub no: i64,
    pub name: String,
    pub variant: Option<String>,
    pub case_name: Option<String>,
}

impl NamedRow {
    /// The test of a series of this number.
    ///
    /// # Errors
    /// The variant cannot be read.
    pub fn into_test(self, series: u64) -> Result<NamedTest> {
        Ok(NamedTest {
            test_id: TestId::new(series, self.no.cast_unsigned()),
            test: self.name,
            variant: variant(self.variant.as_deref())?,
            case: self.case_name,
        })
    }
}

/// A test and its last result.
#[derive(Debug, FromRow)]
pub struct SeriesTestRow {
    pub no: i64,
    pub name: String,
    pub variant: Option<String>,
    pub case_name: Option<String>,
    /// The last run in which it was what comes first; 0 is none.
    pub failed_in: i64,
    pub run_no: i64,
    pub batch_id: Uuid,
    pub outcome: i64,
    pub job_id: Uuid,
    pub duration_ms: i64,
    pub cause_no: i64,
    pub reason: Option<String>,
    pub exit_code: Option<i32>,
    pub signal: Option<String>,
    pub error_line: Option<String>,
}

impl SeriesTestRow {
    /// What a page goes on behind.
    #[must_use]
    pub const fn cursor(&self) -> Uuid {
        Uuid::from_u64_pair(self.failed_in.cast_unsigned(), self.no.cast_unsigned())
    }

    /// The run and the test that a page goes on behind.
    #[must_use]
    pub fn behind(after: Option<Uuid>) -> (i64, Option<i64>) {
        after.map_or((0, None), |after| {
            let (run, test) = after.as_u64_pair();
            (run.cast_signed(), Some(test.cast_signed()))
        })
    }

    /// The test of a series of this number.
    ///
    /// # Errors
    /// Something in the row cannot be read.
    pub fn into_test(self, series: u64) -> Result<SeriesTest> {
        let named = NamedRow {
            no: self.no,
            name: self.name,
            variant: self.variant,
            case_name: self.case_name,
        };
        Ok(SeriesTest {
            named: named.into_test(series)?,
            outcome: outcome(self.outcome)?,
            batch_id: self.batch_id.into(),
            job_id: self.job_id.into(),
            duration_ms: number(self.duration_ms)?,
            cause: cause(
                self.cause_no,
                (self.reason, self.exit_code, self.signal, self.error_line),
            )?,
            flakiness: None,
        })
    }
}

/// What became of a test in a run.
#[derive(Debug, FromRow)]
pub struct TestResultRow {
    pub test_no: i64,
    pub run_no: i64,
    pub outcome: i64,
    pub job_id: Uuid,
    pub duration_ms: i64,
    pub attempts: i64,
    pub host: Option<String>,
    pub cause_no: i64,
    pub reason: Option<String>,
    pub exit_code: Option<i32>,
    pub signal: Option<String>,
    pub error_line: Option<String>,
}

impl TestResultRow {
    /// The result of a test of a series of this number, in this run.
    ///
    /// # Errors
    /// Something in the row cannot be read.
    pub fn into_result(self, series: u64, run: &Run) -> Result<TestResult> {
        let outcome = outcome(self.outcome)?;
        Ok(TestResult {
            test_id: TestId::new(series, self.test_no.cast_unsigned()),
            run: run.number,
            batch_id: run.batch_id,
            revision: run.revision.clone(),
            is_rerun: run.is_rerun,
            created_at: run.created_at,
            job_id: self.job_id.into(),
            outcome,
            cause: cause(
                self.cause_no,
                (self.reason, self.exit_code, self.signal, self.error_line),
            )?,
            duration_ms: number(self.duration_ms)?,
            host: self.host.filter(|host| !host.is_empty()),
            attempts: number(self.attempts)?,
        })
    }

    /// Of several of one run and test the worst, which is the first.
    pub fn told(rows: &mut Vec<Self>) {
        rows.dedup_by_key(|row| (row.test_no, row.run_no));
    }
}

type CauseColumns = (Option<String>, Option<i32>, Option<String>, Option<String>);

fn cause(no: i64, columns: CauseColumns) -> Result<Option<FailureCause>> {
    let (why, exit_code, signal, error_line) = columns;
    let reason = why.as_deref().map(reason).transpose()?;
    Ok((no != 0).then_some(FailureCause { reason, exit_code, signal, error_line }))
}

/// Which tests come first on a page: those that were of these classes in a run that has ended, or
/// have this outcome in one that has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    pub classes: Vec<i64>,
    pub outcome: i64,
    /// Whether there are no others on it.
    pub only: bool,
}

impl First {
    /// Those of a filter. What is to be said of a test that has such an outcome is stored by its
    /// class, but for what passed or was skipped.
    #[must_use]
    pub fn of(filter: &TestFilter) -> Self {
        let classes: &[Class] = match filter.status {
            None | Some(Outcome::Failed) => &[Class::New, Class::Still, Class::Known],
            Some(Outcome::Flaky) => &[Class::Flaky],
            Some(Outcome::Infra) => &[Class::Infra],
            Some(Outcome::NotRun) => &[Class::NotRun],
            Some(Outcome::Passed | Outcome::Skipped) => &[],
        };
        let status = filter.status.unwrap_or(Outcome::Failed);
        Self {
            classes: classes.iter().map(|class| code(*class).into()).collect(),
            outcome: if classes.is_empty() { -1 } else { super::results::code(status).into() },
            only: filter.status.is_some() && !classes.is_empty(),
        }
    }
}
