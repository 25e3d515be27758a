//! What batches say beside the runs before them.

use std::collections::BTreeMap;

use jobrunner_core::verdict;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Baseline, Gate, Reason, Revision, VerdictStatus};

/// A verdict in short.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ShortVerdict {
    status: VerdictStatus,
    /// The counts as one line for people.
    summary: String,
}

impl From<verdict::ShortVerdict> for ShortVerdict {
    fn from(verdict: verdict::ShortVerdict) -> Self {
        let verdict::ShortVerdict { status, summary } = verdict;
        Self { status: status.into(), summary }
    }
}

/// What a batch says beside the runs before it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Verdict {
    batch_id: Uuid,
    /// The name of its series.
    series: String,
    series_id: Uuid,
    baseline: Baseline,
    /// Whether the batch has ended, and this stays as it is.
    is_final: bool,
    status: VerdictStatus,
    gate: Gate,
    /// The counts as one line for people.
    summary: String,
    counts: ClassCounts,
}

impl From<verdict::Verdict> for Verdict {
    fn from(verdict: verdict::Verdict) -> Self {
        let verdict::Verdict {
            batch_id,
            series,
            series_id,
            baseline,
            is_final,
            status,
            gate,
            summary,
            counts,
        } = verdict;
        Self {
            batch_id: batch_id.as_uuid(),
            series,
            series_id: series_id.as_uuid(),
            baseline: baseline.into(),
            is_final,
            status: status.into(),
            gate: gate.into(),
            summary,
            counts: counts.into(),
        }
    }
}

/// How many tests of a batch are of each class; see `Class`. While it runs, those that have no
/// result yet are of none.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ClassCounts {
    passed: u64,
    flaky: u64,
    fixed: u64,
    new: u64,
    still: u64,
    known: u64,
    infra: u64,
    not_run: u64,
    missing: u64,
    slower: u64,
    /// The sum of those before `missing`.
    total: u64,
}

impl From<verdict::ClassCounts> for ClassCounts {
    fn from(counts: verdict::ClassCounts) -> Self {
        let total = counts.total();
        let verdict::ClassCounts {
            passed,
            flaky,
            fixed,
            new,
            still,
            known,
            infra,
            not_run,
            missing,
            slower,
        } = counts;
        Self { passed, flaky, fixed, new, still, known, infra, not_run, missing, slower, total }
    }
}

/// A test of a class.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ClassifiedTest {
    test_id: Uuid,
    /// Its name.
    test: String,
    variant: BTreeMap<String, String>,
    /// Which case of its report, if it is one.
    case: Option<String>,
    /// The job that it was in this batch; null of what is missing.
    job_id: Option<Uuid>,
    /// Since when it has failed, if it does.
    since: Option<Since>,
    /// The last run that it passed, of those that it is compared with.
    last_good: Option<LastGood>,
    /// Why it failed, if it did.
    cause: Option<FailureCause>,
    /// The known issue that it was found to be.
    known_issue: Option<Uuid>,
}

impl From<verdict::ClassifiedTest> for ClassifiedTest {
    fn from(test: verdict::ClassifiedTest) -> Self {
        let verdict::ClassifiedTest {
            test_id,
            test,
            variant,
            case,
            job_id,
            since,
            last_good,
            cause,
            known_issue,
        } = test;
        Self {
            test_id: test_id.as_uuid(),
            test,
            variant,
            case,
            job_id: job_id.map(|id| id.as_uuid()),
            since: since.map(Into::into),
            last_good: last_good.map(Into::into),
            cause: cause.map(Into::into),
            known_issue: known_issue.map(|id| id.as_uuid()),
        }
    }
}

/// Since when a test has failed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Since {
    /// In which batch it failed first.
    batch_id: Uuid,
    /// In how many runs, this one included.
    runs: u32,
}

impl From<verdict::Since> for Since {
    fn from(since: verdict::Since) -> Self {
        let verdict::Since { batch_id, runs } = since;
        Self { batch_id: batch_id.as_uuid(), runs }
    }
}

/// When a test passed the last time.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LastGood {
    batch_id: Uuid,
    /// What that batch had tested.
    revision: Option<Revision>,
}

impl From<verdict::LastGood> for LastGood {
    fn from(good: verdict::LastGood) -> Self {
        let verdict::LastGood { batch_id, revision } = good;
        Self { batch_id: batch_id.as_uuid(), revision: revision.map(Into::into) }
    }
}

/// What makes failures alike.
#[derive(Serialize, JsonSchema)]
pub(crate) struct FailureCause {
    reason: Option<Reason>,
    exit_code: Option<i32>,
    signal: Option<String>,
    /// What the command said last, numbers as `#`.
    error_line: Option<String>,
}

impl From<verdict::FailureCause> for FailureCause {
    fn from(cause: verdict::FailureCause) -> Self {
        let verdict::FailureCause { reason, exit_code, signal, error_line } = cause;
        Self { reason: reason.map(Into::into), exit_code, signal, error_line }
    }
}
