//! What became of tests from run to run of their series.

mod flaky;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    BatchId, JobId, ProjectName, SeriesId, UserId,
    batch::NameFilter,
    series::{Gate, Revision, TestId, Variant},
    verdict::{ClassCounts, FailureCause, LastGood, Outcome, ShortVerdict},
};

pub use self::flaky::{Evidence, Flakiness, HostShare, Ran};

/// How many runs are looked at for the tests of a series.
pub const RUNS_SHOWN: u32 = 50;

/// The most runs that a grid may have.
pub const MOST_RUNS: u32 = 400;

/// How many results of a test are looked at for its causes and its hosts.
pub const RESULTS_LOOKED_AT: u32 = 400;

/// Runs of the same tests, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Which series.
    pub id: SeriesId,
    /// What ids of its tests are made of.
    #[serde(skip)]
    pub number: u64,
    /// Whoever submitted its first batch.
    pub owner_id: UserId,
    /// What its batches belong to; without one it is its owner's alone.
    pub project: Option<ProjectName>,
    /// What it is called: each once of an owner, and each once of a project.
    pub name: String,
    /// When its first batch was submitted.
    pub created_at: DateTime<Utc>,
    /// Its newest run.
    pub last_run: Option<Run>,
}

/// Which series are shown.
#[derive(Clone, Debug, Default)]
pub struct SeriesFilter {
    /// Only those that this account has begun.
    pub owner: Option<UserId>,
    /// Only those of this project.
    pub project: Option<ProjectName>,
    /// Only those of such a name.
    pub name: Option<NameFilter>,
}

/// A batch as a run of its series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Grows from run to run of a series.
    pub number: u64,
    /// Which batch.
    pub batch_id: BatchId,
    /// What the batch is called; `None` once it is deleted.
    pub name: Option<String>,
    /// Whether it repeats tests of another run: then later ones are not compared with it.
    pub is_rerun: bool,
    /// What it has tested.
    pub revision: Option<Revision>,
    /// Which failures make its verdict one.
    pub gate: Gate,
    /// What its gate says.
    pub verdict: ShortVerdict,
    /// How many tests are of each class, once it has ended.
    pub counts: Option<ClassCounts>,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
    /// When it ended, if it has and is not deleted.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which runs of a series are shown.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only those of this branch.
    pub branch: Option<String>,
    /// Whether those that repeat tests of others are shown, too.
    pub with_reruns: bool,
}

/// A test by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTest {
    /// Which test.
    pub test_id: TestId,
    /// Its name.
    pub test: String,
    /// Its variant.
    pub variant: Variant,
    /// Its case, if it is one of a report.
    pub case: Option<String>,
}

/// Which tests of a series are shown.
#[derive(Clone, Debug, Default)]
pub struct TestFilter {
    /// Only those that ended so in the last of the runs that they are in.
    pub status: Option<Outcome>,
    /// Only those of such a name; patterns also look at cases.
    pub name: Option<NameFilter>,
    /// Only in runs of this branch.
    pub branch: Option<String>,
}

/// A test of a series, and what became of it in the last run that it was in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesTest {
    /// Which test.
    #[serde(flatten)]
    pub named: NamedTest,
    /// What became of it.
    pub outcome: Outcome,
    /// In which batch.
    pub batch_id: BatchId,
    /// As which job.
    pub job_id: JobId,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Why it failed, if it did.
    pub cause: Option<FailureCause>,
    /// How far its results can be relied on, where that was asked for.
    pub flakiness: Option<Flakiness>,
}

/// What became of a test in a run: of several jobs that are the same test, of the worst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// Which test.
    pub test_id: TestId,
    /// The number of the run.
    pub run: u64,
    /// In which batch.
    pub batch_id: BatchId,
    /// What that batch has tested.
    pub revision: Option<Revision>,
    /// Whether that batch repeats tests of another.
    pub is_rerun: bool,
    /// When that batch was submitted.
    pub created_at: DateTime<Utc>,
    /// As which job.
    pub job_id: JobId,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed, if it did.
    pub cause: Option<FailureCause>,
    /// How long the last attempt took, in milliseconds.
    pub duration_ms: u64,
    /// Where that was; `None` if it did not run.
    pub host: Option<String>,
    /// How many attempts there were.
    pub attempts: u32,
}

/// A test and what its newest results say, of [`RESULTS_LOOKED_AT`] at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Which test.
    #[serde(flatten)]
    pub named: NamedTest,
    /// Of which series.
    pub series_id: SeriesId,
    /// What that is called.
    pub series: String,
    /// The project of the series.
    pub project: Option<ProjectName>,
    /// What became of it the last time.
    pub outcome: Option<Outcome>,
    /// The last run that it passed.
    pub last_good: Option<LastGood>,
    /// Its last failure.
    pub last_failure: Option<TestResult>,
    /// How far its results can be relied on.
    pub flakiness: Flakiness,
    /// Why it failed, the most frequent cause first.
    pub causes: Vec<CountedCause>,
    /// Where it ran, where it failed most first.
    pub hosts: Vec<OnHost>,
}

/// A cause of failures of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountedCause {
    /// What makes them alike.
    pub cause: FailureCause,
    /// In how many runs.
    pub runs: u32,
    /// The last of those, as the batch that it was.
    pub batch_id: BatchId,
    /// The job that it was there.
    pub job_id: JobId,
}

/// How a test went on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnHost {
    /// Which host.
    pub host: String,
    /// In how many runs it passed there.
    pub passed: u32,
    /// In how many it failed there.
    pub failed: u32,
}

impl Test {
    /// A test of a series by its newest results, newest first.
    #[must_use]
    pub fn of(series: Series, named: NamedTest, results: &[TestResult]) -> Self {
        let last = |outcomes: &[Outcome]| results.iter().find(|it| outcomes.contains(&it.outcome));
        let good = last(&[Outcome::Passed, Outcome::Flaky]);
        Self {
            named,
            series_id: series.id,
            series: series.name,
            project: series.project,
            outcome: results.first().map(|result| result.outcome),
            last_good: good.map(|result| LastGood {
                batch_id: result.batch_id,
                revision: result.revision.clone(),
            }),
            last_failure: last(&[Outcome::Failed]).cloned(),
            flakiness: Flakiness::of(results),
            causes: causes(results),
            hosts: hosts(results),
        }
    }
}

fn causes(results: &[TestResult]) -> Vec<CountedCause> {
    let mut causes: Vec<CountedCause> = Vec::new();
    for result in results {
        let Some(cause) = &result.cause else { continue };
        match causes.iter_mut().find(|known| known.cause == *cause) {
            Some(known) => known.runs += 1,
            None => causes.push(CountedCause {
                cause: cause.clone(),
                runs: 1,
                batch_id: result.batch_id,
                job_id: result.job_id,
            }),
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.runs));
    causes
}

/// How a test went on each host.
fn hosts(results: &[TestResult]) -> Vec<OnHost> {
    let mut hosts: Vec<OnHost> = Vec::new();
    for result in results {
        let Some(host) = &result.host else { continue };
        let (passed, failed) = match result.outcome {
            Outcome::Passed => (1, 0),
            Outcome::Failed => (0, 1),
            // An attempt that failed may have been anywhere.
            Outcome::Flaky | Outcome::Skipped | Outcome::NotRun | Outcome::Infra => continue,
        };
        match hosts.iter_mut().find(|known| known.host == *host) {
            Some(known) => {
                known.passed += passed;
                known.failed += failed;
            }
            None => hosts.push(OnHost { host: host.clone(), passed, failed }),
        }
    }
    hosts.sort_by(|a, b| (b.failed, b.passed, &a.host).cmp(&(a.failed, a.passed, &b.host)));
    hosts
}

/// The tests of a series in its last runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// The runs, newest first.
    pub runs: Vec<Run>,
    /// The tests, those that have failed last first.
    pub items: Vec<GridRow>,
    /// What to ask for more tests with; `None` if there are no more.
    pub next_cursor: Option<String>,
}

/// A test in the runs of a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridRow {
    /// Which test.
    #[serde(flatten)]
    pub named: NamedTest,
    /// What became of it in each run, in their order; `None` where it has no result.
    pub cells: Vec<Option<Cell>>,
}

/// What became of a test in a run of a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// What became of it.
    pub outcome: Outcome,
    /// As which job.
    pub job_id: JobId,
}

/// The tests of one batch beside those of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Whose tests are classified.
    pub batch_id: BatchId,
    /// What they are compared with.
    pub other_id: BatchId,
    /// The counts as one line for people.
    pub summary: String,
    /// How many tests are of each class.
    pub counts: ClassCounts,
}
