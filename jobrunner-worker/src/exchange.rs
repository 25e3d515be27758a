//! The heart of a worker: attempts that have ended are exchanged for jobs to run next.
//!
//! One call of the store is under way at a time. It records how attempts ended and leases what is
//! next, a little more than there are free slots when jobs are short, so that a slot never waits
//! for the store. What ends meanwhile is gathered for the next call; nothing waits for company
//! otherwise.

use std::{
    future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt};
use jobrunner_core::{
    Error, Result,
    lease::{Exchanged, Finish, LeaseRef, Leased},
};
use tokio::{
    select,
    sync::{Semaphore, mpsc},
    task::{JoinError, JoinSet},
    time::{sleep, sleep_until},
};

use crate::{
    ahead::Ahead,
    attempt,
    backoff::until_available,
    finish::{self, Changes, Origin, Report, Reports},
    pull::{self, Ask, POLL, Request},
    session::Session,
};

/// The most reports in one call of the store.
const GROUP: usize = 256;

/// How long reports are gathered as long as slots are kept busy by jobs that are leased already.
const GATHER: Duration = Duration::from_millis(25);

/// Keeps the slots busy until nothing more is to be claimed, then waits until the session is to end
/// and everything that was started has ended and is reported.
pub(crate) async fn run(session: &Arc<Session>) {
    let (reports, reported) = finish::channel();
    let slots = session.parts.config.slots.max(1);
    let desk = Desk {
        session,
        slots: Arc::new(Semaphore::new(slots as usize)),
        ahead: Ahead::of(slots),
        attempts: JoinSet::new(),
        reports,
        reported,
        gathered: Vec::new(),
        since: Instant::now(),
        ask: Some(Ask::Queue),
        are_repeated: false,
    };
    desk.work().await;
}

/// Everything that passes between the slots and the store.
struct Desk<'a> {
    session: &'a Arc<Session>,
    slots: Arc<Semaphore>,
    /// Leased, and waiting for a slot.
    ahead: Ahead,
    attempts: JoinSet<Duration>,
    reports: Reports,
    reported: mpsc::Receiver<Report>,
    /// To be reported by the next exchange.
    gathered: Vec<Report>,
    /// When the first of them was gathered.
    since: Instant,
    /// Whom to ask for work; `None` until there may be some.
    ask: Option<Ask>,
    /// Whether the jobs that were leased last had been started before: there may be more of them,
    /// one by one, and nobody hints at them.
    are_repeated: bool,
}

/// An exchange that has ended.
struct Outcome {
    request: Option<Request>,
    reports: Vec<(Finish, Origin)>,
    /// `None` when the session was fenced off before there was an answer.
    answer: Result<Option<Exchanged>>,
}

impl Desk<'_> {
    async fn work(mut self) {
        let mut exchange: Option<BoxFuture<'_, Outcome>> = None;
        while exchange.is_some() || !self.is_done() {
            if self.session.paused.is_cancelled() && !self.ahead.is_empty() {
                self.release().await;
            }
            if exchange.is_none() && self.is_due() {
                exchange = Some(self.begin());
            }
            let is_idle = exchange.is_none();
            let gather = (is_idle && !self.gathered.is_empty()).then_some(self.since + GATHER);
            let ended = async {
                match &mut exchange {
                    Some(exchange) => exchange.await,
                    None => future::pending().await,
                }
            };
            select! {
                biased;
                Ok(permit) = Arc::clone(&self.slots).acquire_owned(), if !self.ahead.is_empty() => {
                    if let Some(leased) = self.ahead.next() {
                        let (session, reports) = (Arc::clone(self.session), self.reports.clone());
                        self.attempts.spawn(attempt::run(session, leased, permit, reports));
                    }
                }
                Some(report) = self.reported.recv(), if self.gathered.len() < GROUP => self.gather(report),
                Some(ended) = self.attempts.join_next() => self.note(ended),
                outcome = ended => {
                    exchange = None;
                    self.settle(outcome).await;
                }
                () = until(gather) => {}
                () = until(self.ahead.due()) => self.release().await,
                () = self.session.work.notified() => self.ask = self.ask.or(Some(Ask::Queue)),
                () = sleep(POLL), if is_idle && self.ask.is_none() => self.ask = Some(Ask::QueueThenStore),
                () = self.session.paused.cancelled(), if !self.session.paused.is_cancelled() => {}
                () = self.session.leaving.cancelled(), if !self.session.leaving.is_cancelled() => {}
            }
        }
    }

    /// Whether the session is to end and nothing of it runs or is to be reported. An
    /// administrator's drain does not end the session: the worker is still to be seen.
    fn is_done(&self) -> bool {
        self.session.leaving.is_cancelled()
            && self.ahead.is_empty()
            && self.attempts.is_empty()
            && self.gathered.is_empty()
            && self.reported.is_empty()
    }

    fn gather(&mut self, report: Report) {
        if self.gathered.is_empty() {
            self.since = Instant::now();
        }
        self.gathered.push(report);
        while self.gathered.len() < GROUP {
            let Ok(report) = self.reported.try_recv() else { break };
            self.gathered.push(report);
        }
    }

    fn note(&mut self, ended: Result<Duration, JoinError>) {
        match ended {
            Ok(took) => self.ahead.measured(took),
            Err(error) => tracing::error!(%error, "an attempt was not carried out to its end"),
        }
    }

    /// How many more jobs to lease.
    fn want(&self) -> u32 {
        if self.session.paused.is_cancelled() {
            return 0;
        }
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        let wanted = free.saturating_add(self.ahead.target());
        wanted.saturating_sub(self.ahead.len()).min(GROUP as u32)
    }

    /// Whether an exchange should begin now: there are slots to fill, or reports that wait for
    /// nothing, or for long enough, or what is leased ahead runs out.
    fn is_due(&self) -> bool {
        let runs_out = self.ahead.is_empty() || self.ahead.len() < self.ahead.target() / 2;
        let may_claim = self.ask.is_some() && self.want() > 0 && runs_out;
        let is_gathered = !self.gathered.is_empty()
            && (runs_out || self.gathered.len() >= GROUP || self.since.elapsed() >= GATHER);
        may_claim || is_gathered
    }

    fn begin(&mut self) -> BoxFuture<'static, Outcome> {
        let session = Arc::clone(self.session);
        let reports: Vec<(Finish, Origin)> =
            self.gathered.drain(..).map(|report| (report.finish, report.origin)).collect();
        let want = self.want();
        let ask = if want > 0 { self.ask.take() } else { None };
        exchange(session, reports, want, ask).boxed()
    }

    async fn settle(&mut self, outcome: Outcome) {
        let Outcome { request, reports, answer } = outcome;
        let mut changes = Changes::default();
        match answer {
            Ok(Some(Exchanged { finished, leased })) => {
                let has_ended = !reports.is_empty();
                self.ask = match &request {
                    Some(request) => request.next(&leased).or(self.ask),
                    // What has ended makes room under the limits of owners, of which nobody hints.
                    // A report that nothing was asked with does not wait for the answer to that.
                    None if self.are_repeated => {
                        self.ask.or(has_ended.then_some(Ask::QueueThenStore))
                    }
                    None => self.ask.or(has_ended.then_some(Ask::Queue)),
                };
                if !leased.is_empty() {
                    self.are_repeated = leased.iter().any(|leased| leased.run.attempt > 1);
                }
                for ((finish, origin), answer) in reports.into_iter().zip(finished) {
                    changes.ended(self.session, finish.lease, origin, answer);
                }
                for leased in leased {
                    changes.leased(&leased);
                    self.hold(leased);
                }
            }
            Ok(None) => {}
            Err(Error::NotFound(_)) if request.is_some() => {
                self.session.fence("the store ended its session");
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "an exchange failed");
                changes = finish::store_each(self.session, reports).await;
            }
        }
        let session = Arc::clone(self.session);
        changes.announce(&session).await;
    }

    fn hold(&mut self, leased: Leased) {
        self.session.hold(leased.lease);
        self.ahead.push(leased);
    }

    /// Gives back what waits for a slot.
    async fn release(&mut self) {
        let leases: Vec<LeaseRef> = self.ahead.give_up();
        for lease in &leases {
            self.session.held.remove(*lease);
        }
        let releasing =
            self.session.fenced.run_until_cancelled(self.session.parts.store.release(&leases));
        if let Some(Err(error)) = releasing.await {
            // Renewals, or the end of the session, give them back too.
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot release jobs");
        }
    }
}

async fn exchange(
    session: Arc<Session>,
    reports: Vec<(Finish, Origin)>,
    want: u32,
    ask: Option<Ask>,
) -> Outcome {
    let request = match ask {
        None => None,
        Some(ask) => {
            let asked = session.fenced.run_until_cancelled(pull::request(&session, want, ask));
            asked.await.flatten()
        }
    };
    let (finishes, origins): (Vec<Finish>, Vec<Origin>) = reports.into_iter().unzip();
    let claim = request.as_ref().map(|request| request.claim.clone());
    let call = || session.parts.store.exchange(&finishes, claim.clone());
    let answer = match (finishes.is_empty(), &request) {
        (true, None) => Ok(Some(Exchanged::default())),
        // Without a report there is nothing to lose by asking again later.
        (true, Some(_)) => session.fenced.run_until_cancelled(call()).await.transpose(),
        (false, _) => until_available(&session.fenced, call).await,
    };
    Outcome { request, reports: finishes.into_iter().zip(origins).collect(), answer }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => future::pending().await,
    }
}
