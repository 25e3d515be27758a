//! The ends of attempts, on their way to the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jobrunner_core::{
    BatchId, JobId, Result,
    lease::{Finish, Finished, LeaseRef, Leased},
    queue::{Hint, Wakeup},
    report::Report as Tests,
};
use tokio::{sync::mpsc, time::sleep};

use crate::{backoff::until_available, session::Session};

/// How many reports may wait to be gathered. Behind them attempts keep their slots.
const WAITING: usize = 64;

/// How often a report is tried again that the store can be reached for but does not take.
const REFUSALS: u32 = 5;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// The end of an attempt, to be stored and announced.
pub(crate) struct Report {
    pub(crate) finish: Finish,
    pub(crate) origin: Origin,
}

/// Where a report comes from.
pub(crate) struct Origin {
    pub(crate) batch: Option<BatchId>,
    /// The job, if it may wait again.
    pub(crate) retry: Option<Hint>,
}

/// Where attempts hand in their reports.
#[derive(Clone)]
pub(crate) struct Reports(mpsc::Sender<Report>);

/// A place for one report. Dropping it gives it back.
pub(crate) struct Place(mpsc::OwnedPermit<Report>);

/// A bounded channel for reports.
pub(crate) fn channel() -> (Reports, mpsc::Receiver<Report>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Reports(sender), receiver)
}

impl Reports {
    /// Waits for a place. `None` when nothing is reported any more. Cancel safe.
    pub(crate) async fn reserve(&self) -> Option<Place> {
        self.0.clone().reserve_owned().await.ok().map(Place)
    }
}

impl Place {
    pub(crate) fn send(self, report: Report) {
        self.0.send(report);
    }
}

/// Stores reports one by one that the store did not take as a group: one of them may be the cause.
pub(crate) async fn store_each(session: &Session, reports: Vec<(Finish, Origin)>) -> Changes {
    let mut changes = Changes::default();
    for (finish, origin) in reports {
        let lease = finish.lease;
        match store_alone(session, finish).await {
            Some(answer) => changes.ended(session, lease, origin, answer),
            // Not held any more, so the store reclaims it as a lost attempt.
            None => session.held.remove(lease),
        }
    }
    changes
}

/// Stores a report by itself beside the exchanges, and tells of it.
pub(crate) async fn store_aside(session: &Session, report: Report) {
    let changes = store_each(session, vec![(report.finish, report.origin)]).await;
    changes.announce(session).await;
    // What has ended makes room under the limits of owners, of which nobody hints.
    session.work.notify_one();
}

/// Tries a report several times, from the second time on without the output that it carries, and
/// then without its test cases: how a job ended matters more than its last words.
async fn store_alone(session: &Session, mut finish: Finish) -> Option<Finished> {
    for _ in 0..REFUSALS {
        let one = std::slice::from_ref(&finish);
        let answer: Result<_> =
            until_available(&session.fenced, || session.parts.store.finish(one)).await;
        match answer {
            Ok(answers) => return answers?.first().copied(),
            Err(error) => {
                let job = finish.lease.job;
                let error = &error as &dyn std::error::Error;
                tracing::error!(job.id = %job, error, "cannot store a report");
            }
        }
        match &mut finish.report {
            Some(report) if finish.output.is_empty() && !report.cases.is_empty() => {
                *report = Tests::unread("the test cases could not be stored; see the worker's log");
            }
            _ => {
                finish.truncated |= !finish.output.is_empty();
                finish.output.clear();
            }
        }
        sleep(PAUSE).await;
    }
    None
}

/// The changes of one exchange, for those who watch: members of one batch are announced together.
#[derive(Default)]
pub(crate) struct Changes {
    by_batch: BTreeMap<BatchId, BTreeSet<JobId>>,
    alone: BTreeSet<JobId>,
    retries: Vec<Hint>,
}

impl Changes {
    /// An attempt ended, and the store answered its report.
    pub(crate) fn ended(
        &mut self,
        session: &Session,
        lease: LeaseRef,
        origin: Origin,
        answer: Finished,
    ) {
        session.held.remove(lease);
        if answer == Finished::Stale {
            tracing::warn!(job.id = %lease.job, "a report came too late: the lease was reclaimed");
            return;
        }
        self.changed(lease.job, origin.batch);
        self.retries.extend(origin.retry);
    }

    /// A job was leased.
    pub(crate) fn leased(&mut self, leased: &Leased) {
        self.changed(leased.lease.job, leased.run.batch);
    }

    fn changed(&mut self, job: JobId, batch: Option<BatchId>) {
        match batch {
            Some(batch) => self.by_batch.entry(batch).or_default().insert(job),
            None => self.alone.insert(job),
        };
    }

    pub(crate) async fn announce(self, session: &Session) {
        let queue = &session.parts.queue;
        if !self.retries.is_empty() {
            queue.offer(&self.retries).await;
        }
        for (batch, jobs) in self.by_batch {
            let job = if jobs.len() == 1 { jobs.first().copied() } else { None };
            queue.announce(Wakeup::Changed { job, batch: Some(batch) }).await;
        }
        for job in self.alone {
            queue.announce(Wakeup::Changed { job: Some(job), batch: None }).await;
        }
    }
}
