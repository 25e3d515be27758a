//! The differences that a change makes to the counts, gathered so that each count is written once, in
//! the transaction that changes what it counts.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{rows::code, step};
use crate::{Result, Status, status::Change};

/// Differences by status, in the order of [`Status::ALL`], and last of those that passed after they had
/// failed, which only batches count.
pub(super) type Difference = [i64; 6];

/// The place of the last one.
pub(super) const FLAKY: usize = 5;

/// Differences of the counts of batches and of owners.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) batches: BTreeMap<Uuid, Difference>,
    pub(super) owners: BTreeMap<Uuid, Difference>,
    /// Batches with a job that was started: they have begun, and have not ended.
    pub(super) started: BTreeSet<Uuid>,
}

impl Tally {
    /// A job passes from one status to another.
    pub(super) fn moved(&mut self, owner: Uuid, batch: Option<Uuid>, from: Status, to: Status) {
        self.add(owner, batch, from, -1);
        self.add(owner, batch, to, 1);
    }

    /// A job that waited was leased.
    pub(super) fn leased(&mut self, owner: Uuid, batch: Option<Uuid>) -> Result<()> {
        let running = step(Status::Waiting, Change::Start)?;
        self.moved(owner, batch, Status::Waiting, running);
        self.started.extend(batch);
        Ok(())
    }

    /// A leased job waits again, since its command was not started.
    pub(super) fn returned(&mut self, owner: Uuid, batch: Option<Uuid>) -> Result<()> {
        let waiting = step(Status::Running, Change::Return)?;
        self.moved(owner, batch, Status::Running, waiting);
        Ok(())
    }

    /// So many jobs of a batch more, or fewer, that passed after they had failed.
    pub(super) fn flaky(&mut self, batch: Option<Uuid>, jobs: i64) {
        if let Some(batch) = batch {
            self.batches.entry(batch).or_default()[FLAKY] += jobs;
        }
    }

    /// So many jobs more, or fewer, with a status.
    pub(super) fn add(&mut self, owner: Uuid, batch: Option<Uuid>, status: Status, jobs: i64) {
        let place = code(status) as usize;
        self.owners.entry(owner).or_default()[place] += jobs;
        if let Some(batch) = batch {
            self.batches.entry(batch).or_default()[place] += jobs;
        }
    }
}
