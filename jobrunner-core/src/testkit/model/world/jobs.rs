use super::{End, Lease};
use crate::{BatchId, Status, UserId, job::Reason};

/// How often a job may lose its worker, as the promises say.
const LOSSES: u32 = 3;

/// After how many losses it runs alone.
const SUSPECT: u32 = 2;

/// What the model knows of a job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) owner: UserId,
    pub(super) batch: Option<BatchId>,
    pub(super) max_attempts: u32,
    pub(super) status: Status,
    /// How its attempts ended; the running one has not.
    pub(super) attempts: Vec<Option<End>>,
    losses: u32,
    /// It is a suspect: it runs alone.
    pub(super) alone: bool,
    /// Somebody canceled it while it ran.
    pub(super) cancel: bool,
    pub(super) lease: Option<Lease>,
}

impl Job {
    pub(super) fn new(owner: UserId, batch: Option<BatchId>, max_attempts: u32) -> Self {
        Self {
            owner,
            batch,
            max_attempts,
            status: Status::Waiting,
            attempts: Vec::new(),
            losses: 0,
            alone: false,
            cancel: false,
            lease: None,
        }
    }

    pub(super) fn is_claimable(&self) -> bool {
        self.status == Status::Waiting
    }

    /// Whether it waits for a while, or until nothing else does, since it lost its worker more than
    /// once.
    pub(super) fn may_pause(&self) -> bool {
        self.losses > 1
    }

    pub(super) fn start(&mut self, lease: Lease) {
        self.lease = Some(lease);
        self.attempts.push(None);
        self.status = Status::Running;
    }

    /// Its lease is given back. Returns whether it ended by that.
    pub(super) fn give_back(&mut self) -> bool {
        if self.cancel {
            self.end(End::Not(Reason::Canceled));
            return true;
        }
        self.lease = None;
        self.attempts.pop();
        self.status = Status::Waiting;
        false
    }

    /// The running attempt ends.
    pub(super) fn end(&mut self, end: End) {
        self.lease = None;
        *self.attempts.last_mut().expect("an attempt that ran") = Some(end);
        let reason = end.reason();
        let lost = reason == Some(Reason::WorkerLost);
        let runs = self.attempts.len() as u32 - self.losses;
        self.status = match reason {
            None => Status::Passed,
            Some(Reason::Canceled) => Status::Canceled,
            Some(_) if lost && self.cancel => Status::Canceled,
            Some(_) if lost && self.losses < LOSSES => Status::Waiting,
            Some(_) if !lost && !self.cancel && runs < self.max_attempts => Status::Waiting,
            Some(_) => Status::Failed,
        };
        self.losses += u32::from(lost);
    }

    /// The running attempt ends with its worker.
    pub(super) fn lose(&mut self) {
        self.end(End::Not(Reason::WorkerLost));
        self.alone |= self.losses >= SUSPECT;
    }

    /// Whether it passed after it had failed.
    pub(super) fn is_flaky(&self) -> bool {
        let runs = self.attempts.len() as u32 - self.losses;
        self.status == Status::Passed && !self.is_skipped() && runs > 1
    }

    /// Whether its last attempt said that there was nothing to do.
    pub(super) fn is_skipped(&self) -> bool {
        self.attempts.last() == Some(&Some(End::Skipped))
    }

    /// Somebody cancels it.
    pub(super) fn cancel(&mut self) {
        match self.status {
            Status::Running => self.cancel = true,
            Status::Waiting => self.status = Status::Canceled,
            Status::Passed | Status::Failed | Status::Canceled => {}
        }
    }
}
