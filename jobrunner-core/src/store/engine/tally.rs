//! The differences that a change makes to the counts, gathered so that each count is written once,
//! in the transaction that changes what it counts.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{decide::step, values::code};
use crate::{Result, Status, status::Change};

/// Differences by status, in the order of [`Status::ALL`], and after them what only batches count
/// of those that passed: how many are flaky, and how many were skipped.
pub type Difference = [i64; 7];

/// How many of them are by status.
pub const STATUSES: usize = 5;

const FLAKY: usize = STATUSES;
const SKIPPED: usize = STATUSES + 1;

/// What a batch counts of a job beside its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// It passed after it had failed.
    pub flaky: bool,
    /// It passed by an exit code that says so.
    pub skipped: bool,
}

/// Differences of the counts of batches and of owners.
#[derive(Debug, Default)]
pub struct Tally {
    /// By batch.
    pub batches: BTreeMap<Uuid, Difference>,
    /// By owner.
    pub owners: BTreeMap<Uuid, Difference>,
    /// Batches with a job that was started: they have begun, and have not ended.
    pub started: BTreeSet<Uuid>,
}

impl Tally {
    /// A job passes from one status to another.
    pub fn moved(&mut self, owner: Uuid, batch: Option<Uuid>, from: Status, to: Status) {
        self.add(owner, batch, from, -1);
        self.add(owner, batch, to, 1);
    }

    /// A job that waited was leased.
    ///
    /// # Errors
    /// The table of transitions does not allow it.
    pub fn leased(&mut self, owner: Uuid, batch: Option<Uuid>) -> Result<()> {
        let running = step(Status::Waiting, Change::Start)?;
        self.moved(owner, batch, Status::Waiting, running);
        self.started.extend(batch);
        Ok(())
    }

    /// The batches of which a job ended and none was started: it may have been the last one.
    #[must_use]
    pub fn may_have_ended(&self) -> Vec<Uuid> {
        let [.., passed, failed, canceled] = Status::ALL.map(|status| code(status) as usize);
        let has_ended = |by: &Difference| [passed, failed, canceled].iter().any(|at| by[*at] > 0);
        let may_have =
            |(batch, by): &(&Uuid, &Difference)| has_ended(by) && !self.started.contains(*batch);
        self.batches.iter().filter(may_have).map(|(batch, _)| *batch).collect()
    }

    /// The batches of which a job failed for good.
    #[must_use]
    pub fn failed(&self) -> Vec<Uuid> {
        let failed = code(Status::Failed) as usize;
        self.batches.iter().filter(|(_, by)| by[failed] > 0).map(|(batch, _)| *batch).collect()
    }

    /// A leased job waits again, since its command was not started.
    ///
    /// # Errors
    /// The table of transitions does not allow it.
    pub fn returned(&mut self, owner: Uuid, batch: Option<Uuid>) -> Result<()> {
        let waiting = step(Status::Running, Change::Return)?;
        self.moved(owner, batch, Status::Running, waiting);
        Ok(())
    }

    /// So many jobs of a batch more, or fewer, that have these marks.
    pub fn marked(&mut self, batch: Option<Uuid>, marks: Marks, jobs: i64) {
        if let Some(batch) = batch {
            let by = self.batches.entry(batch).or_default();
            by[FLAKY] += i64::from(marks.flaky) * jobs;
            by[SKIPPED] += i64::from(marks.skipped) * jobs;
        }
    }

    /// So many jobs more, or fewer, with a status.
    pub fn add(&mut self, owner: Uuid, batch: Option<Uuid>, status: Status, jobs: i64) {
        let place = code(status) as usize;
        self.owners.entry(owner).or_default()[place] += jobs;
        if let Some(batch) = batch {
            self.batches.entry(batch).or_default()[place] += jobs;
        }
    }
}
