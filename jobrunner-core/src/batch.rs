//! Batches: jobs that were submitted together and are counted together.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    BatchId, SeriesId, Status, UserId, Violation, job,
    project::ProjectName,
    series::{Baseline, Gate, Revision, SeriesChoice},
    strict,
    verdict::ShortVerdict,
    words::words,
};

/// The most jobs one batch may have.
pub const MAX_JOBS: usize = 100_000;

/// A batch as a caller asks for it, without its jobs, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    /// What people call it: 1 to 255 bytes on one line, of which something can be seen. Runs of one
    /// suite share a name.
    pub name: String,
    /// What it is for; at most 4,096 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The project that it and its jobs belong to beside their owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
    /// Anything the caller wants to find again beside the batch.
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "strict::once")]
    pub payload: Map<String, Value>,
    /// Of which series it is a run.
    #[serde(default, skip_serializing_if = "SeriesChoice::is_default")]
    pub series: SeriesChoice,
    /// What it tests.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::object")]
    pub revision: Option<Revision>,
    /// Which failures make its verdict one.
    #[serde(default, skip_serializing_if = "Gate::is_default")]
    pub gate: Gate,
    /// What it is compared with, if not with the runs before it on its branch.
    #[serde(default, skip_serializing_if = "Baseline::is_default")]
    pub baseline: Baseline,
}

impl NewBatch {
    /// Every rule the batch breaks; its jobs are checked one by one elsewhere.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut wrong = Vec::new();
        job::check_name(&self.name, &mut wrong);
        job::check_payload(&self.payload, &mut wrong);
        if self.description.as_ref().is_some_and(|text| text.len() > 4096 || text.contains('\0')) {
            wrong.push(Violation::new(
                "description",
                "must have at most 4096 bytes and no NUL byte",
            ));
        }
        self.series.check(&mut wrong);
        if let Some(revision) = &self.revision {
            revision.check(&mut wrong);
        }
        self.baseline.check(&mut wrong);
        wrong
    }

    /// Whether a batch may have so many jobs.
    ///
    /// # Errors
    /// It has none, or more than [`MAX_JOBS`].
    pub fn check_size(jobs: usize) -> Result<(), Violation> {
        if (1..=MAX_JOBS).contains(&jobs) {
            return Ok(());
        }
        Err(Violation::new("jobs", format!("must have 1 to {MAX_JOBS} members, not {jobs}")))
    }
}

/// A batch as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Which batch.
    pub id: BatchId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The caller's own data.
    pub payload: Map<String, Value>,
    /// Whose it is.
    pub owner_id: UserId,
    /// The project that it belongs to beside its owner.
    #[serde(default)]
    pub project: Option<ProjectName>,
    /// The batch it repeats.
    pub rerun_of: Option<BatchId>,
    /// Where it stands.
    pub status: BatchStatus,
    /// How its members stand, all read at one moment.
    pub counts: Counts,
    /// How many of those that passed did so after an attempt that failed.
    #[serde(default)]
    pub flaky: u64,
    /// How many of those that passed were skipped; none of them is flaky.
    #[serde(default)]
    pub skipped: u64,
    /// The name of the series that it is a run of.
    #[serde(default)]
    pub series: Option<String>,
    /// Which series that is.
    #[serde(default)]
    pub series_id: Option<SeriesId>,
    /// What it tests.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// Which failures make its verdict one; `None` of what is no run.
    #[serde(default)]
    pub gate: Option<Gate>,
    /// What it says beside the runs before it; `None` of what is no run.
    #[serde(default)]
    pub verdict: Option<ShortVerdict>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When its first job was started.
    pub started_at: Option<DateTime<Utc>>,
    /// When its last job ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Where a batch stands: the words of [`Status`] with the meaning they have for many jobs.
pub type BatchStatus = Status;

/// How many jobs stand where, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them: the sum of the others.
    pub total: u64,
    /// Not started, or waiting for another attempt.
    pub waiting: u64,
    /// Started.
    pub running: u64,
    /// Ended well.
    pub passed: u64,
    /// Ended badly.
    pub failed: u64,
    /// Ended by a cancel.
    pub canceled: u64,
}

impl Counts {
    /// The counts for the five statuses, in the order of [`Status::ALL`].
    #[must_use]
    pub const fn new(by_status: [u64; 5]) -> Self {
        let [waiting, running, passed, failed, canceled] = by_status;
        let total = waiting + running + passed + failed + canceled;
        Self { total, waiting, running, passed, failed, canceled }
    }

    /// The count of one status.
    #[must_use]
    pub const fn of(&self, status: Status) -> u64 {
        match status {
            Status::Waiting => self.waiting,
            Status::Running => self.running,
            Status::Passed => self.passed,
            Status::Failed => self.failed,
            Status::Canceled => self.canceled,
        }
    }

    /// Whether every job has ended.
    #[must_use]
    pub const fn all_ended(&self) -> bool {
        self.waiting == 0 && self.running == 0
    }

    /// The status of a batch with these counts: `waiting` until one job was started, `running`
    /// until all have ended, then `failed` if any failed, else `canceled` if any was, else
    /// `passed`.
    #[must_use]
    pub const fn batch_status(&self, started: bool) -> BatchStatus {
        if self.all_ended() {
            if self.failed > 0 {
                Status::Failed
            } else if self.canceled > 0 {
                Status::Canceled
            } else {
                Status::Passed
            }
        } else if started {
            Status::Running
        } else {
            Status::Waiting
        }
    }
}

words! {
    /// Which members a rerun repeats.
    #[derive(Default)]
    RerunOnly {
        /// Those that failed or were canceled.
        #[default]
        Failed = "failed",
        /// Every one.
        All = "all",
    }
}

/// Which batches a list shows. Every `None` lets everything through.
#[derive(Clone, Debug, Default)]
pub struct BatchFilter {
    /// Only batches that stand so.
    pub status: Option<BatchStatus>,
    /// Only batches of this owner.
    pub owner: Option<UserId>,
    /// Only batches of this project.
    pub project: Option<ProjectName>,
    /// Only batches that are named so.
    pub name: Option<NameFilter>,
}

/// Names that a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameFilter {
    /// This one, whatever is in it.
    Exactly(String),
    /// Those of this pattern, in which `*` stands for any text.
    Matching(String),
}

impl From<String> for NameFilter {
    /// What somebody has typed: a pattern if there is a `*` in it.
    fn from(text: String) -> Self {
        if text.contains('*') { Self::Matching(text) } else { Self::Exactly(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_waits_runs_and_then_shows_its_worst_member() {
        let status = |counts, started| Counts::new(counts).batch_status(started);
        assert_eq!(status([3, 0, 0, 0, 0], false), Status::Waiting);
        assert_eq!(status([2, 0, 0, 0, 1], false), Status::Waiting);
        assert_eq!(status([2, 0, 1, 0, 0], true), Status::Running);
        assert_eq!(status([0, 1, 0, 9, 0], true), Status::Running);
        assert_eq!(status([0, 0, 9, 1, 1], true), Status::Failed);
        assert_eq!(status([0, 0, 9, 0, 1], true), Status::Canceled);
        assert_eq!(status([0, 0, 9, 0, 0], true), Status::Passed);
    }
}
