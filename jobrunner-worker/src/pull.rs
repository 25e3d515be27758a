use std::{collections::HashSet, sync::Arc, time::Duration};

use jobrunner_core::{
    Error, Result,
    lease::{LeaseRef, Leased, Pick},
    queue::{Candidates, Wakeup},
};
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, JoinSet},
    time::sleep,
};

use crate::{attempt, backoff::until_available, finish::Reports, session::Session};

/// The most jobs that are claimed at a time.
const GROUP: u32 = 256;

/// How long to wait for a hint before looking for work without one.
const POLL: Duration = Duration::from_millis(500);

/// Keeps the slots busy until nothing more is to be claimed, then waits until the session is to end
/// and everything that was started has ended.
pub(crate) async fn run(session: &Arc<Session>, reports: Reports) {
    let count = session.parts.config.slots.max(1);
    let slots = Arc::new(Semaphore::new(count as usize));
    let mut attempts = JoinSet::new();
    let mut ask = Ask::Queue;
    while let Some(permits) = free_slots(session, &slots, count.min(GROUP)).await {
        while let Some(ended) = attempts.try_join_next() {
            note(ended);
        }
        let (started, next) = claim_and_start(session, permits, ask).await;
        for (leased, permit) in started {
            attempts.spawn(attempt::run(Arc::clone(session), leased, permit, reports.clone()));
        }
        ask = match next {
            Some(next) => next,
            None => wait_for_work(session).await,
        };
    }
    // An administrator's drain does not end the session: the worker is still to be seen.
    loop {
        select! {
            () = session.leaving.cancelled() => break,
            Some(ended) = attempts.join_next() => note(ended),
        }
    }
    while let Some(ended) = attempts.join_next().await {
        note(ended);
    }
}

/// Waits for a free slot, and takes all that are free. `None` when nothing more is to be claimed.
async fn free_slots(
    session: &Session,
    slots: &Arc<Semaphore>,
    most: u32,
) -> Option<OwnedSemaphorePermit> {
    let first = Arc::clone(slots).acquire_owned();
    let mut permits = session.paused.run_until_cancelled(first).await?.ok()?;
    while permits.num_permits() < most as usize {
        match Arc::clone(slots).try_acquire_owned() {
            Ok(permit) => permits.merge(permit),
            Err(_) => break,
        }
    }
    Some(permits)
}

/// Whom to ask for work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// The queue, which may refer to the store.
    Queue,
    /// The queue, and the store when it knows nothing: it may have lost its jobs, and nobody hints at
    /// jobs whose scheduled time has come.
    QueueThenStore,
    /// The store, since what the queue knew was no longer true.
    Store,
}

async fn wait_for_work(session: &Session) -> Ask {
    select! {
        () = session.work.notified() => Ask::Queue,
        () = session.paused.cancelled() => Ask::Queue,
        () = sleep(POLL) => Ask::QueueThenStore,
    }
}

/// Claims up to one job for each slot and records that their commands are about to be started.
/// Answers those that may be, each with its slot, and whom to ask for more at once; `None` is nobody.
async fn claim_and_start(
    session: &Session,
    mut permits: OwnedSemaphorePermit,
    ask: Ask,
) -> (Vec<(Leased, OwnedSemaphorePermit)>, Option<Ask>) {
    let nothing = (Vec::new(), None);
    let want = u32::try_from(permits.num_permits()).unwrap_or(GROUP);
    let claiming = session.fenced.run_until_cancelled(claim(session, want, ask));
    let Claim { leased: claimed, next } = match claiming.await {
        Some(Ok(claim)) if !claim.leased.is_empty() => claim,
        Some(Ok(claim)) => return (Vec::new(), claim.next),
        None => return nothing,
        Some(Err(Error::NotFound(_))) => {
            session.fence("the store ended its session");
            return nothing;
        }
        Some(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot claim jobs");
            return nothing;
        }
    };
    let leases: Vec<LeaseRef> = claimed.iter().map(|leased| leased.lease).collect();
    if session.paused.is_cancelled() {
        release(session, &leases).await;
        return nothing;
    }
    // Before the start, so that no cancel can slip in between unseen.
    for lease in &leases {
        session.hold(*lease);
    }
    let start = until_available(&session.fenced, || session.parts.store.start(&leases)).await;
    let started: HashSet<LeaseRef> = match start {
        Ok(started) => started.unwrap_or_default().into_iter().collect(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot start jobs");
            HashSet::new()
        }
    };
    announce(session, claimed.iter().filter(|leased| started.contains(&leased.lease))).await;
    let mut ready = Vec::with_capacity(claimed.len());
    for leased in claimed {
        let slot = if started.contains(&leased.lease) { permits.split(1) } else { None };
        match slot {
            Some(slot) => ready.push((leased, slot)),
            None => session.held.remove(leased.lease),
        }
    }
    (ready, next)
}

/// Tells those who watch that jobs run now; members of one batch are told of together.
async fn announce(session: &Session, started: impl Iterator<Item = &Leased> + Send) {
    let mut batches = HashSet::new();
    for leased in started {
        let job = leased.batch.is_none().then_some(leased.lease.job);
        if leased.batch.is_none_or(|batch| batches.insert(batch)) {
            let changed = Wakeup::Changed { job, batch: leased.batch };
            session.parts.queue.announce(changed).await;
        }
    }
}

struct Claim {
    leased: Vec<Leased>,
    /// Whom to ask for more at once: behind a full group there is probably some.
    next: Option<Ask>,
}

async fn claim(session: &Session, want: u32, ask: Ask) -> Result<Claim> {
    let queues = &session.parts.config.queues;
    let store = &session.parts.store;
    let candidates = match ask {
        Ask::Store => Candidates::AskStore,
        Ask::Queue | Ask::QueueThenStore => session.parts.queue.candidates(queues, want).await,
    };
    match candidates {
        Candidates::Ids(mut ids) if !ids.is_empty() => {
            ids.truncate(want as usize);
            let is_full = ids.len() == want as usize;
            let leased = store.claim(session.id, Pick::Ids(ids)).await?;
            // Many hints may be stale, those of a large batch that was canceled for instance: work must
            // not wait behind them.
            let next =
                if leased.is_empty() { Some(Ask::Store) } else { is_full.then_some(Ask::Queue) };
            Ok(Claim { leased, next })
        }
        Candidates::Ids(_) if ask == Ask::Queue => Ok(Claim { leased: Vec::new(), next: None }),
        Candidates::Ids(_) | Candidates::AskStore => {
            let pick = Pick::Fair { queues: queues.clone(), want };
            let leased = store.claim(session.id, pick).await?;
            let is_full = leased.len() == want as usize;
            Ok(Claim { leased, next: is_full.then_some(Ask::QueueThenStore) })
        }
    }
}

async fn release(session: &Session, leases: &[LeaseRef]) {
    let releasing = session.fenced.run_until_cancelled(session.parts.store.release(leases));
    if let Some(Err(error)) = releasing.await {
        // The end of the session gives them back too.
        tracing::warn!(error = &error as &dyn std::error::Error, "cannot release jobs");
    }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "an attempt was not carried out to its end");
    }
}
