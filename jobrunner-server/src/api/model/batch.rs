//! Batches, and what is reported of them as a whole.

use chrono::{DateTime, Utc};
use jobrunner_core::{batch, insight};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Gate, Reason, RerunOnly, Revision, ShortVerdict, Status};

/// A batch as it stands. It is `waiting` until one job was started, `running` until all have ended,
/// then `failed` if any failed, else `canceled` if any was canceled, else `passed`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Batch {
    id: Uuid,
    name: String,
    description: Option<String>,
    payload: Map<String, Value>,
    owner_id: Uuid,
    /// The project that it and its jobs belong to.
    project: Option<String>,
    /// The batch it repeats.
    rerun_of: Option<Uuid>,
    status: Status,
    /// How its jobs stand, all read at one moment.
    counts: Counts,
    /// How many of those that passed did so after an attempt that failed.
    flaky: u64,
    /// How many of those that passed were skipped; none of them is flaky.
    skipped: u64,
    /// The name of the series that it is a run of; null is none.
    series: Option<String>,
    series_id: Option<Uuid>,
    /// What it tests.
    revision: Option<Revision>,
    /// Which failures make its verdict one; null of what is no run.
    gate: Option<Gate>,
    /// What it says beside the runs before it; null of what is no run.
    verdict: Option<ShortVerdict>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<batch::Batch> for Batch {
    fn from(batch: batch::Batch) -> Self {
        let batch::Batch {
            id,
            name,
            description,
            payload,
            owner_id,
            project,
            rerun_of,
            status,
            counts,
            flaky,
            skipped,
            series,
            series_id,
            revision,
            gate,
            verdict,
            created_at,
            started_at,
            finished_at,
        } = batch;
        Self {
            id: id.as_uuid(),
            name,
            description,
            payload,
            owner_id: owner_id.as_uuid(),
            project: project.map(Into::into),
            rerun_of: rerun_of.map(|id| id.as_uuid()),
            status: status.into(),
            counts: counts.into(),
            flaky,
            skipped,
            series,
            series_id: series_id.map(|id| id.as_uuid()),
            revision: revision.map(Into::into),
            gate: gate.map(Into::into),
            verdict: verdict.map(Into::into),
            created_at,
            started_at,
            finished_at,
        }
    }
}

/// How many jobs stand where.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Counts {
    /// The sum of the others.
    total: u64,
    waiting: u64,
    running: u64,
    passed: u64,
    failed: u64,
    canceled: u64,
}

impl From<batch::Counts> for Counts {
    fn from(counts: batch::Counts) -> Self {
        let batch::Counts { total, waiting, running, passed, failed, canceled } = counts;
        Self { total, waiting, running, passed, failed, canceled }
    }
}

/// A rerun as it is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rerun {
    /// Which members are repeated.
    #[serde(default)]
    #[schemars(with = "RerunOnly")]
    pub(crate) only: batch::RerunOnly,
}

/// Causes of failures, the most frequent first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Causes {
    items: Vec<Cause>,
}

impl From<Vec<insight::Cause>> for Causes {
    fn from(causes: Vec<insight::Cause>) -> Self {
        Self { items: causes.into_iter().map(Into::into).collect() }
    }
}

/// Jobs of a batch that failed alike.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Cause {
    reason: Option<Reason>,
    exit_code: Option<i32>,
    signal: Option<String>,
    /// What their commands said last, numbers as `#`.
    error_line: Option<String>,
    count: u64,
    /// The newest five of them.
    jobs: Vec<NamedJob>,
}

impl From<insight::Cause> for Cause {
    fn from(cause: insight::Cause) -> Self {
        let insight::Cause { reason, exit_code, signal, error_line, count, jobs } = cause;
        Self {
            reason: reason.map(Into::into),
            exit_code,
            signal,
            error_line,
            count,
            jobs: jobs.into_iter().map(Into::into).collect(),
        }
    }
}

/// A job by its name.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NamedJob {
    id: Uuid,
    name: String,
}

impl From<insight::NamedJob> for NamedJob {
    fn from(job: insight::NamedJob) -> Self {
        let insight::NamedJob { id, name } = job;
        Self { id: id.as_uuid(), name }
    }
}

/// At most 121 moments at equal distances from a batch's start to its end, or until now.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Timeline {
    items: Vec<Moment>,
}

impl From<Vec<insight::Moment>> for Timeline {
    fn from(moments: Vec<insight::Moment>) -> Self {
        Self { items: moments.into_iter().map(Into::into).collect() }
    }
}

/// How a batch stood at a moment.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Moment {
    at: DateTime<Utc>,
    /// How many attempts were running.
    running: u64,
    /// How many attempts had passed.
    passed: u64,
    /// How many attempts had failed, those that were repeated included.
    failed: u64,
}

impl From<insight::Moment> for Moment {
    fn from(moment: insight::Moment) -> Self {
        let insight::Moment { at, running, passed, failed } = moment;
        Self { at, running, passed, failed }
    }
}
