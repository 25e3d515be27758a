use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jobrunner_core::{
    BatchId, JobId, Result,
    lease::{Finish, Finished},
    queue::{Hint, Wakeup},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout_at},
};

use crate::{backoff::until_available, session::Session};

/// The most reports in one call of the store.
const GROUP: usize = 256;

/// How many reports may wait for the one that is being stored. Behind it attempts keep their slots.
const WAITING: usize = 64;

/// How long reports are gathered, as long as they come one soon after the other.
const GATHER: Duration = Duration::from_millis(10);

/// How often a report is tried again that the store can be reached for but does not take.
const REFUSALS: u32 = 5;

/// The end of an attempt, to be stored and announced.
pub(crate) struct Report {
    pub(crate) finish: Finish,
    pub(crate) batch: Option<BatchId>,
    /// The job, if it may wait again.
    pub(crate) retry: Option<Hint>,
}

/// Where attempts hand in their reports.
#[derive(Clone)]
pub(crate) struct Reports(mpsc::Sender<Report>);

/// A place for one report. Dropping it gives it back.
pub(crate) struct Place(mpsc::OwnedPermit<Report>);

/// What is to be reported.
pub(crate) struct Reported(mpsc::Receiver<Report>);

/// A bounded channel for reports.
pub(crate) fn channel() -> (Reports, Reported) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Reports(sender), Reported(receiver))
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

/// Stores reports in groups until all who could hand one in are gone. A report that comes alone is
/// stored at once; when they come fast, one call takes what came within 10 ms.
pub(crate) async fn run(session: &Session, mut reported: Reported) {
    let mut last = None;
    let mut group = Vec::new();
    while reported.0.recv_many(&mut group, GROUP).await > 0 {
        if last.is_some_and(|last: Instant| last.elapsed() < GATHER) {
            gather(&mut reported.0, &mut group).await;
        }
        store(session, std::mem::take(&mut group)).await;
        last = Some(Instant::now());
    }
}

async fn gather(reports: &mut mpsc::Receiver<Report>, group: &mut Vec<Report>) {
    let until = Instant::now() + GATHER;
    while group.len() < GROUP {
        match timeout_at(until, reports.recv()).await {
            Ok(Some(report)) => group.push(report),
            Ok(None) | Err(_) => return,
        }
    }
}

async fn store(session: &Session, reports: Vec<Report>) {
    let mut ends = Ends::default();
    let mut finishes = Vec::with_capacity(reports.len());
    let mut origins = Vec::with_capacity(reports.len());
    for Report { finish, batch, retry } in reports {
        finishes.push(finish);
        origins.push((batch, retry));
    }
    let answers = until_available(&session.fenced, || session.parts.store.finish(&finishes)).await;
    match answers {
        Ok(Some(answers)) => {
            for ((finish, origin), answer) in finishes.iter().zip(origins).zip(answers) {
                ends.note(session, finish, origin, answer);
            }
        }
        Ok(None) => {}
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot store the reports");
            // One of them may be the cause: each gets its own chance.
            for (finish, origin) in finishes.into_iter().zip(origins) {
                let lease = finish.lease;
                match store_alone(session, finish).await {
                    Some((finish, answer)) => ends.note(session, &finish, origin, answer),
                    // Not held any more, so the store takes it back as a lost attempt.
                    None => session.held.remove(lease),
                }
            }
        }
    }
    ends.announce(session).await;
}

/// Tries a report several times, from the second time on without the output that it carries: how a
/// job ended matters more than its last words.
async fn store_alone(session: &Session, mut finish: Finish) -> Option<(Finish, Finished)> {
    for _ in 0..REFUSALS {
        let one = std::slice::from_ref(&finish);
        let answer: Result<_> =
            until_available(&session.fenced, || session.parts.store.finish(one)).await;
        match answer {
            Ok(answers) => return answers?.first().map(|answer| (finish, *answer)),
            Err(error) => {
                let job = finish.lease.job;
                let error = &error as &dyn std::error::Error;
                tracing::error!(job.id = %job, error, "cannot store a report");
            }
        }
        finish.truncated |= !finish.output.is_empty();
        finish.output.clear();
        sleep(GATHER).await;
    }
    None
}

/// What a group of reports changed.
#[derive(Default)]
struct Ends {
    by_batch: BTreeMap<BatchId, BTreeSet<JobId>>,
    alone: BTreeSet<JobId>,
    retries: Vec<Hint>,
}

impl Ends {
    fn note(
        &mut self,
        session: &Session,
        finish: &Finish,
        (batch, retry): (Option<BatchId>, Option<Hint>),
        answer: Finished,
    ) {
        let job = finish.lease.job;
        session.held.remove(finish.lease);
        if answer == Finished::Stale {
            tracing::warn!(job.id = %job, "a report came too late: the lease was taken back");
            return;
        }
        match batch {
            Some(batch) => self.by_batch.entry(batch).or_default().insert(job),
            None => self.alone.insert(job),
        };
        self.retries.extend(retry);
    }

    async fn announce(self, session: &Session) {
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
