//! What became of tests from run to run of their series.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use jobrunner_core::history;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Gate, Outcome, Revision,
    verdict::{ClassCounts, FailureCause, LastGood, ShortVerdict},
};

/// Runs of the same tests, one after the other.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Series {
    id: Uuid,
    /// Whoever submitted its first batch.
    owner_id: Uuid,
    /// What its batches belong to; without one it is its owner's alone.
    project: Option<String>,
    /// Each name once of an owner, and once of a project.
    name: String,
    /// When its first batch was submitted.
    created_at: DateTime<Utc>,
    /// Its newest run.
    last_run: Option<Run>,
}

impl From<history::Series> for Series {
    fn from(series: history::Series) -> Self {
        let history::Series { id, number: _, owner_id, project, name, created_at, last_run } =
            series;
        Self {
            id: id.as_uuid(),
            owner_id: owner_id.as_uuid(),
            project: project.map(|project| project.to_string()),
            name,
            created_at,
            last_run: last_run.map(Into::into),
        }
    }
}

/// A batch as a run of its series.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Run {
    /// Grows from run to run of a series.
    number: u64,
    batch_id: Uuid,
    /// What the batch is called; null once it is deleted.
    name: Option<String>,
    /// Whether it repeats tests of another run: then later ones are not compared with it.
    is_rerun: bool,
    /// What it has tested.
    revision: Option<Revision>,
    gate: Gate,
    verdict: ShortVerdict,
    /// Once it has ended.
    counts: Option<ClassCounts>,
    /// When the batch was submitted.
    created_at: DateTime<Utc>,
    /// When the batch ended, if it has and is not deleted.
    finished_at: Option<DateTime<Utc>>,
}

impl From<history::Run> for Run {
    fn from(run: history::Run) -> Self {
        let history::Run {
            number,
            batch_id,
            name,
            is_rerun,
            revision,
            gate,
            verdict,
            counts,
            created_at,
            finished_at,
        } = run;
        Self {
            number,
            batch_id: batch_id.as_uuid(),
            name,
            is_rerun,
            revision: revision.map(Into::into),
            gate: gate.into(),
            verdict: verdict.into(),
            counts: counts.map(Into::into),
            created_at,
            finished_at,
        }
    }
}

/// A test of a series, and what became of it in the last run that it was in.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SeriesTest {
    test_id: Uuid,
    /// Its name.
    test: String,
    variant: BTreeMap<String, String>,
    /// Which case of its report, if it is one.
    case: Option<String>,
    outcome: Outcome,
    /// In which batch.
    batch_id: Uuid,
    /// As which job.
    job_id: Uuid,
    duration_ms: u64,
    /// Why it failed, if it did.
    cause: Option<FailureCause>,
    /// Of `flaky=true` alone.
    flakiness: Option<Flakiness>,
}

impl From<history::SeriesTest> for SeriesTest {
    fn from(test: history::SeriesTest) -> Self {
        let history::SeriesTest {
            named: history::NamedTest { test_id, test, variant, case },
            outcome,
            batch_id,
            job_id,
            duration_ms,
            cause,
            flakiness,
        } = test;
        Self {
            test_id: test_id.as_uuid(),
            test,
            variant,
            case,
            outcome: outcome.into(),
            batch_id: batch_id.as_uuid(),
            job_id: job_id.as_uuid(),
            duration_ms,
            cause: cause.map(Into::into),
            flakiness: flakiness.map(Into::into),
        }
    }
}

/// How far the results of a test can be relied on: three numbers that say different things.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Flakiness {
    /// Proof: for how many revisions it has passed and failed. A run that names no revision,
    /// or has changes beside it, is one of its own.
    differing: u32,
    /// For how many revisions it has passed or failed at all.
    revisions: u32,
    /// Suspicion: how often it turned from a pass to a failure or back, from a run of a branch to
    /// the next one of another revision.
    flips: u32,
    /// Explanation: the host that explains its failures best, if it failed twice and ran on others,
    /// too.
    host: Option<HostShare>,
    /// Where it passed and failed for one revision, newest first: three at most.
    evidence: Vec<Evidence>,
}

impl From<history::Flakiness> for Flakiness {
    fn from(flakiness: history::Flakiness) -> Self {
        let history::Flakiness { differing, revisions, flips, host, evidence } = flakiness;
        Self {
            differing,
            revisions,
            flips,
            host: host.map(Into::into),
            evidence: evidence.into_iter().map(Into::into).collect(),
        }
    }
}

/// How far failures are explained by a host.
#[derive(Serialize, JsonSchema)]
pub(crate) struct HostShare {
    host: String,
    /// The share of the failures that were there, less that of the passes: 1 if the test failed
    /// there alone and passed everywhere else, 0 if the host makes no difference.
    share: f64,
}

impl From<history::HostShare> for HostShare {
    fn from(share: history::HostShare) -> Self {
        let history::HostShare { host, share } = share;
        Self { host, share }
    }
}

/// A pass and a failure for one revision.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Evidence {
    revision: Option<Revision>,
    passed: Ran,
    /// The same job as `passed` if an attempt of it failed before it passed.
    failed: Ran,
}

impl From<history::Evidence> for Evidence {
    fn from(evidence: history::Evidence) -> Self {
        let history::Evidence { revision, passed, failed } = evidence;
        Self { revision: revision.map(Into::into), passed: passed.into(), failed: failed.into() }
    }
}

/// A job that a test was.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Ran {
    batch_id: Uuid,
    job_id: Uuid,
}

impl From<history::Ran> for Ran {
    fn from(ran: history::Ran) -> Self {
        let history::Ran { batch_id, job_id } = ran;
        Self { batch_id: batch_id.as_uuid(), job_id: job_id.as_uuid() }
    }
}

/// What became of a test in a run: of several jobs that are the same test, of the worst.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TestResult {
    test_id: Uuid,
    /// The number of the run.
    run: u64,
    batch_id: Uuid,
    /// What that batch has tested.
    revision: Option<Revision>,
    /// Whether that batch repeats tests of another.
    is_rerun: bool,
    /// When that batch was submitted.
    created_at: DateTime<Utc>,
    job_id: Uuid,
    outcome: Outcome,
    /// Why it failed, if it did.
    cause: Option<FailureCause>,
    /// How long the last attempt took.
    duration_ms: u64,
    /// Where that was; null if it did not run.
    host: Option<String>,
    /// How many there were.
    attempts: u32,
}

impl From<history::TestResult> for TestResult {
    fn from(result: history::TestResult) -> Self {
        let history::TestResult {
            test_id,
            run,
            batch_id,
            revision,
            is_rerun,
            created_at,
            job_id,
            outcome,
            cause,
            duration_ms,
            host,
            attempts,
        } = result;
        Self {
            test_id: test_id.as_uuid(),
            run,
            batch_id: batch_id.as_uuid(),
            revision: revision.map(Into::into),
            is_rerun,
            created_at,
            job_id: job_id.as_uuid(),
            outcome: outcome.into(),
            cause: cause.map(Into::into),
            duration_ms,
            host,
            attempts,
        }
    }
}

/// A test and what its newest 400 results say.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Test {
    test_id: Uuid,
    /// Its name.
    test: String,
    variant: BTreeMap<String, String>,
    /// Which case of its report, if it is one.
    case: Option<String>,
    series_id: Uuid,
    series: String,
    /// The project of the series.
    project: Option<String>,
    /// What became of it the last time.
    outcome: Option<Outcome>,
    /// The last run that it passed.
    last_good: Option<LastGood>,
    last_failure: Option<TestResult>,
    flakiness: Flakiness,
    /// Why it failed, the most frequent cause first.
    causes: Vec<CountedCause>,
    /// Where it ran, where it failed most first.
    hosts: Vec<OnHost>,
}

impl From<history::Test> for Test {
    fn from(test: history::Test) -> Self {
        let history::Test {
            named: history::NamedTest { test_id, test, variant, case },
            series_id,
            series,
            project,
            outcome,
            last_good,
            last_failure,
            flakiness,
            causes,
            hosts,
        } = test;
        Self {
            test_id: test_id.as_uuid(),
            test,
            variant,
            case,
            series_id: series_id.as_uuid(),
            series,
            project: project.map(|project| project.to_string()),
            outcome: outcome.map(Into::into),
            last_good: last_good.map(Into::into),
            last_failure: last_failure.map(Into::into),
            flakiness: flakiness.into(),
            causes: causes.into_iter().map(Into::into).collect(),
            hosts: hosts.into_iter().map(Into::into).collect(),
        }
    }
}

/// A cause of failures of a test.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CountedCause {
    cause: FailureCause,
    /// In how many runs.
    runs: u32,
    /// The last of those.
    batch_id: Uuid,
    /// The job that the test was there.
    job_id: Uuid,
}

impl From<history::CountedCause> for CountedCause {
    fn from(cause: history::CountedCause) -> Self {
        let history::CountedCause { cause, runs, batch_id, job_id } = cause;
        Self { cause: cause.into(), runs, batch_id: batch_id.as_uuid(), job_id: job_id.as_uuid() }
    }
}

/// How a test went on a host.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OnHost {
    host: String,
    /// In how many runs it passed there.
    passed: u32,
    /// In how many it failed there.
    failed: u32,
}

impl From<history::OnHost> for OnHost {
    fn from(on: history::OnHost) -> Self {
        let history::OnHost { host, passed, failed } = on;
        Self { host, passed, failed }
    }
}

/// Tests of a series in its last runs.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Grid {
    /// Newest first.
    runs: Vec<Run>,
    /// Those that have failed last first.
    items: Vec<GridRow>,
    /// What to ask for more tests with; null if there are no more.
    next_cursor: Option<String>,
}

impl From<history::Grid> for Grid {
    fn from(grid: history::Grid) -> Self {
        let history::Grid { runs, items, next_cursor } = grid;
        Self {
            runs: runs.into_iter().map(Into::into).collect(),
            items: items.into_iter().map(Into::into).collect(),
            next_cursor,
        }
    }
}

/// A test in the runs of a grid.
#[derive(Serialize, JsonSchema)]
pub(crate) struct GridRow {
    test_id: Uuid,
    /// Its name.
    test: String,
    variant: BTreeMap<String, String>,
    /// Which case of its report, if it is one.
    case: Option<String>,
    /// What became of it in each of the runs, in their order; null where it has no result.
    cells: Vec<Option<Cell>>,
}

impl From<history::GridRow> for GridRow {
    fn from(row: history::GridRow) -> Self {
        let history::GridRow { named, cells } = row;
        let history::NamedTest { test_id, test, variant, case } = named;
        Self {
            test_id: test_id.as_uuid(),
            test,
            variant,
            case,
            cells: cells.into_iter().map(|cell| cell.map(Into::into)).collect(),
        }
    }
}

/// What became of a test in a run of a grid.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Cell {
    outcome: Outcome,
    job_id: Uuid,
}

impl From<history::Cell> for Cell {
    fn from(cell: history::Cell) -> Self {
        let history::Cell { outcome, job_id } = cell;
        Self { outcome: outcome.into(), job_id: job_id.as_uuid() }
    }
}

/// How the tests of a batch stand beside another batch alone.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Comparison {
    /// Whose tests are classified.
    batch_id: Uuid,
    /// What they are compared with.
    other_id: Uuid,
    /// The counts as one line for people.
    summary: String,
    counts: ClassCounts,
}

impl From<history::Comparison> for Comparison {
    fn from(comparison: history::Comparison) -> Self {
        let history::Comparison { batch_id, other_id, summary, counts } = comparison;
        Self {
            batch_id: batch_id.as_uuid(),
            other_id: other_id.as_uuid(),
            summary,
            counts: counts.into(),
        }
    }
}
