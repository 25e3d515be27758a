//! What a test is in its run, beside its own last result: a pure function, which a store asks of
//! every test that it cannot say by itself to have passed.

#![expect(missing_docs, reason = "a field is the column of its name")]

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{
    results::outcome,
    values::{number, parse, reason},
};
use crate::{
    Result,
    id::KnownIssueId,
    known_issue::{Failing, Rules},
    series::{Revision, TestId, Variant},
    verdict::{Class, ClassCounts, ClassifiedTest, FailureCause, LastGood, Outcome, Since},
};

/// The last result of a test that says something, before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It passed.
    Passed,
    /// It failed, and since it passed it has failed for the cause of this failure.
    FailedAlike,
    /// It failed, and since it passed not for the cause of this failure, if it is one.
    Failed,
}

/// The class of a test with this outcome, whose last result that says something was this one;
/// `is_known` is whether a known issue is what it failed by, or expected it to fail.
#[must_use]
pub const fn classify(outcome: Outcome, before: Option<Before>, is_known: bool) -> Class {
    match outcome {
        Outcome::Skipped => Class::Passed,
        Outcome::Flaky => Class::Flaky,
        Outcome::NotRun => Class::NotRun,
        Outcome::Infra => Class::Infra,
        Outcome::Passed => match before {
            _ if is_known => Class::Fixed,
            None | Some(Before::Passed) => Class::Passed,
            Some(Before::Failed | Before::FailedAlike) => Class::Fixed,
        },
        Outcome::Failed => match before {
            _ if is_known => Class::Known,
            Some(Before::FailedAlike) => Class::Still,
            None | Some(Before::Passed | Before::Failed) => Class::New,
        },
    }
}

/// How a class is stored.
#[must_use]
pub const fn code(class: Class) -> i16 {
    match class {
        Class::Passed => 0,
        Class::Flaky => 1,
        Class::Fixed => 2,
        Class::New => 3,
        Class::Still => 4,
        Class::Known => 5,
        Class::Infra => 6,
        Class::NotRun => 7,
        Class::Missing => 8,
        Class::Slower => 9,
    }
}

/// A test of a run that may be more than passed; or, without a test, how many tests the run has.
#[derive(Debug, FromRow)]
pub struct NotedRow {
    pub test_no: Option<i64>,
    pub job_id: Option<Uuid>,
    pub outcome: Option<i64>,
    pub cause_no: Option<i64>,
    pub before: Option<i64>,
    pub is_alike: Option<bool>,
    pub is_slower: Option<bool>,
    pub good_run: Option<i64>,
    pub since_run: Option<i64>,
    pub runs: i64,
    pub name: Option<String>,
    pub variant: Option<String>,
    pub case_name: Option<String>,
    pub error_line: Option<String>,
    pub tests: i64,
}

impl NotedRow {
    /// How many tests a run has.
    #[must_use]
    pub const fn only(tests: i64) -> Self {
        Self {
            test_no: None,
            job_id: None,
            outcome: None,
            cause_no: None,
            before: None,
            is_alike: None,
            is_slower: None,
            good_run: None,
            since_run: None,
            runs: 0,
            name: None,
            variant: None,
            case_name: None,
            error_line: None,
            tests,
        }
    }

    /// The known issue that it failed by, or that expected it to fail.
    fn known_as(&self, outcome: Outcome, known: &Rules) -> Result<Option<KnownIssueId>> {
        if known.is_empty() {
            return Ok(None);
        }
        let variant = variant(self.variant.as_deref())?;
        let test = Failing {
            test: self.name.as_deref().unwrap_or_default(),
            case: self.case_name.as_deref(),
            variant: &variant,
        };
        Ok(match outcome {
            Outcome::Failed => known.of_failure(test, self.error_line.as_deref()),
            Outcome::Passed => known.of_pass(test),
            _ => None,
        })
    }
}

/// A test that is missing from a run, and when it was in one.
#[derive(Debug, FromRow)]
pub struct MissingRow {
    pub test_no: i64,
    pub name: String,
    pub variant: Option<String>,
    pub case_name: Option<String>,
    pub good_run: i64,
}

/// A test that is more than passed.
#[derive(Clone, Debug)]
pub struct Notable {
    pub class: Class,
    pub test_no: i64,
    pub job_id: Option<Uuid>,
    pub since_run: Option<i64>,
    pub runs: i32,
    pub good_run: Option<i64>,
    pub cause_no: i64,
    pub issue_id: Option<Uuid>,
    /// What those of a class are sorted by.
    name: (String, Option<String>, Option<String>),
}

impl Notable {
    /// A test that passed, of which no more is to be said.
    #[must_use]
    pub fn passed(test_no: i64, job_id: Uuid) -> Self {
        Self {
            class: Class::Passed,
            test_no,
            job_id: Some(job_id),
            since_run: None,
            runs: 0,
            good_run: None,
            cause_no: 0,
            issue_id: None,
            name: (String::new(), None, None),
        }
    }
}

/// All that is to be told of a run.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    pub counts: ClassCounts,
    /// By their classes, and those of one class by their names.
    pub notable: Vec<Notable>,
}

impl Judged {
    /// Classifies the tests of run `this`, for which these known issues hold. Where some of them
    /// [expect failures](Rules::expect_failures), tests that plainly passed are to be noted, too.
    ///
    /// # Errors
    /// A row cannot be read.
    pub fn of(
        this: i64,
        noted: Vec<NotedRow>,
        missing: Vec<MissingRow>,
        known: &Rules,
    ) -> Result<Self> {
        let mut judged = Self::default();
        let tests: u64 = number(noted.first().map_or(0, |row| row.tests))?;
        for row in noted {
            judged.note(this, row, known)?;
        }
        judged.counts.passed = tests - (judged.counts.total() - judged.counts.passed);
        for row in missing {
            judged.counts.add(Class::Missing);
            judged.notable.push(Notable {
                class: Class::Missing,
                test_no: row.test_no,
                job_id: None,
                since_run: None,
                runs: 0,
                good_run: Some(row.good_run),
                cause_no: 0,
                issue_id: None,
                name: (row.name, row.variant, row.case_name),
            });
        }
        judged.notable.sort_by(|a, b| (a.class, &a.name).cmp(&(b.class, &b.name)));
        Ok(judged)
    }

    fn note(&mut self, this: i64, row: NotedRow, known: &Rules) -> Result<()> {
        let (Some(test_no), Some(found)) = (row.test_no, row.outcome) else { return Ok(()) };
        let this_outcome = outcome(found)?;
        let before = match row.before.map(outcome).transpose()? {
            Some(Outcome::Failed) if row.is_alike == Some(true) => Some(Before::FailedAlike),
            Some(Outcome::Failed) => Some(Before::Failed),
            Some(_) => Some(Before::Passed),
            None => None,
        };
        let issue = row.known_as(this_outcome, known)?;
        let class = classify(this_outcome, before, issue.is_some());
        self.counts.add(class);
        let has_failed = this_outcome == Outcome::Failed;
        let notable = Notable {
            class,
            test_no,
            job_id: row.job_id,
            since_run: has_failed.then(|| row.since_run.unwrap_or(this)),
            runs: if has_failed { number(row.runs + 1)? } else { 0 },
            good_run: row.good_run,
            cause_no: row.cause_no.unwrap_or(0),
            issue_id: issue.map(KnownIssueId::as_uuid),
            name: (row.name.unwrap_or_default(), row.variant, row.case_name),
        };
        if row.is_slower == Some(true) {
            self.counts.add(Class::Slower);
            self.notable.push(Notable { class: Class::Slower, ..notable.clone() });
        }
        if class != Class::Passed {
            self.notable.push(notable);
        }
        Ok(())
    }

    /// All of them, each with its place among those of its class.
    #[must_use]
    pub fn placed(&self) -> Vec<(i64, &Notable)> {
        Class::ALL.into_iter().flat_map(|class| self.behind(class, -1)).collect()
    }

    /// Those of a class, behind a place of it: each with its own.
    pub fn behind(&self, class: Class, place: i64) -> impl Iterator<Item = (i64, &Notable)> {
        let of_class = self.notable.iter().filter(move |notable| notable.class == class);
        (0..).zip(of_class).filter(move |(at, _)| *at > place)
    }
}

/// What is told of a test of a page.
#[derive(Debug, FromRow)]
pub struct ClassifiedRow {
    pub place: i64,
    pub test_no: i64,
    pub series_no: Option<i64>,
    pub name: Option<String>,
    pub variant: Option<String>,
    pub case_name: Option<String>,
    pub job_id: Option<Uuid>,
    pub since_batch: Option<Uuid>,
    pub runs: i32,
    pub good_batch: Option<Uuid>,
    pub good_has_revision: Option<bool>,
    pub good_sha: Option<String>,
    pub good_branch: Option<String>,
    pub good_dirty: Option<bool>,
    pub good_url: Option<String>,
    pub cause_no: i64,
    pub reason: Option<String>,
    pub exit_code: Option<i32>,
    pub signal: Option<String>,
    pub error_line: Option<String>,
    pub issue_id: Option<Uuid>,
}

impl ClassifiedRow {
    /// What a page goes on after.
    #[must_use]
    pub const fn cursor(place: i64) -> Uuid {
        Uuid::from_u64_pair(0, place.cast_unsigned())
    }

    /// The place that a page goes on after; `before` all, if it is the first.
    #[must_use]
    pub fn place(after: Option<Uuid>, before: i64) -> i64 {
        after.map_or(before, |after| after.as_u64_pair().1.cast_signed())
    }

    /// What the row says of a test of a series of this number.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_test(self, series: i64) -> Result<ClassifiedTest> {
        let good = Stored {
            has_revision: self.good_has_revision.unwrap_or(false),
            sha: self.good_sha,
            branch: self.good_branch.unwrap_or_default(),
            dirty: self.good_dirty.unwrap_or(false),
            url: self.good_url,
        };
        let cause = FailureCause {
            reason: self.reason.as_deref().map(reason).transpose()?,
            exit_code: self.exit_code,
            signal: self.signal,
            error_line: self.error_line,
        };
        let runs = number(self.runs.into())?;
        let since = |batch: Uuid| Since { batch_id: batch.into(), runs };
        let series = self.series_no.unwrap_or(series);
        Ok(ClassifiedTest {
            test_id: TestId::new(series.cast_unsigned(), self.test_no.cast_unsigned()),
            test: self.name.unwrap_or_default(),
            variant: variant(self.variant.as_deref())?,
            case: self.case_name,
            job_id: self.job_id.map(Into::into),
            since: self.since_batch.map(since),
            last_good: self
                .good_batch
                .map(|batch| LastGood { batch_id: batch.into(), revision: good.into_revision() }),
            cause: (self.cause_no != 0).then_some(cause),
            known_issue: self.issue_id.map(KnownIssueId::from),
        })
    }
}

/// A variant out of what is stored.
///
/// # Errors
/// It is none.
pub fn variant(stored: Option<&str>) -> Result<Variant> {
    stored.map_or_else(|| Ok(Variant::new()), parse)
}

/// A revision as it is stored.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub has_revision: bool,
    pub sha: Option<String>,
    /// Empty is none.
    pub branch: String,
    pub dirty: bool,
    pub url: Option<String>,
}

impl Stored {
    /// What a batch has said about what it tests.
    #[must_use]
    pub fn into_revision(self) -> Option<Revision> {
        self.has_revision.then(|| Revision {
            sha: self.sha,
            branch: Some(self.branch).filter(|branch| !branch.is_empty()),
            dirty: self.dirty,
            url: self.url,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::{series::Gate, verdict::VerdictStatus};

    const BEFORE: [Option<Before>; 4] =
        [None, Some(Before::Passed), Some(Before::Failed), Some(Before::FailedAlike)];

    fn row(outcome: Outcome, before: Option<Before>, is_slower: bool) -> NotedRow {
        let cause = i64::from(outcome == Outcome::Failed);
        NotedRow {
            test_no: Some(1),
            job_id: None,
            outcome: Some(super::super::results::code(outcome).into()),
            cause_no: Some(cause),
            before: before.map(|before| if before == Before::Passed { 0 } else { 5 }),
            is_alike: before.map(|it| it == Before::FailedAlike),
            is_slower: Some(is_slower),
            good_run: None,
            since_run: None,
            runs: 0,
            name: Some("t".to_owned()),
            variant: None,
            case_name: None,
            error_line: None,
            tests: 0,
        }
    }

    proptest! {
        #[test]
        fn every_test_is_in_one_class_and_the_classes_add_up(
            told in proptest::collection::vec(
                (select(Outcome::ALL.to_vec()), select(BEFORE.to_vec()), any::<bool>()), 0..60),
            plain in 0_i64..1000,
        ) {
            let tests = plain + told.len() as i64;
            let rows = told.iter().map(|(o, b, s)| row(*o, *b, *s)).chain([NotedRow::only(0)]);
            let rows = rows.map(|row| NotedRow { tests, ..row }).collect();
            let judged = Judged::of(1, rows, Vec::new(), &Rules::default()).expect("rows that can be read");
            prop_assert_eq!(judged.counts.total(), tests as u64);
            let of_tests = judged.notable.iter().filter(|it| it.class != Class::Slower).count();
            prop_assert_eq!(judged.counts.total() - judged.counts.passed, of_tests as u64);
        }

        #[test]
        fn only_a_failure_is_new_and_only_a_pass_is_fixed(
            outcome in select(Outcome::ALL.to_vec()),
            before in select(BEFORE.to_vec()),
            is_known: bool,
        ) {
            let class = classify(outcome, before, is_known);
            let failed = matches!(class, Class::New | Class::Still | Class::Known);
            prop_assert_eq!(failed, outcome == Outcome::Failed);
            prop_assert!(class != Class::Fixed || outcome == Outcome::Passed);
            prop_assert!(class != Class::Known || is_known);
            // That what is expected to fail passes is told.
            prop_assert!(class != Class::Passed || !is_known || outcome == Outcome::Skipped);
            prop_assert!(Class::OF_TESTS.contains(&class));
            if is_known {
                let mut counts = ClassCounts::default();
                counts.add(class);
                let through = counts.through(Gate::New);
                prop_assert_eq!(through, VerdictStatus::Pass);
            }
        }
    }

    #[test]
    fn a_failure_is_new_until_it_has_failed_alike() {
        let failed = |before| classify(Outcome::Failed, before, false);
        assert_eq!(failed(None), Class::New);
        assert_eq!(failed(Some(Before::Passed)), Class::New);
        assert_eq!(failed(Some(Before::Failed)), Class::New);
        assert_eq!(failed(Some(Before::FailedAlike)), Class::Still);
        assert_eq!(classify(Outcome::Passed, Some(Before::Failed), false), Class::Fixed);
        // It failed this time, too.
        assert_eq!(classify(Outcome::Flaky, Some(Before::Failed), false), Class::Flaky);
        // What had nothing to do has mended nothing.
        assert_eq!(classify(Outcome::Skipped, Some(Before::Failed), false), Class::Passed);
    }
}
