//! Taking back what workers that went away have left.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    Queue, Store,
    lease::{Rescue, Rescued},
    queue::Wakeup,
};

/// How often unused queues are looked for, and how long a queue is kept that nobody uses.
const FORGETTING: Duration = Duration::from_secs(3600);
const UNUSED: Duration = Duration::from_secs(24 * 3600);

/// Takes back the leases of workers that went away, twice in a lease's time to live, until `done`.
/// Every worker does, and every server, so that it is done when no worker is left; the store lets
/// each lease be taken back once. Now and then queues are forgotten that nobody uses.
///
/// **Cancel safety**: dropping the future loses at most announcements.
pub async fn run(store: &dyn Store, queue: &dyn Queue, ttl: Duration, done: &CancellationToken) {
    let mut ticks = interval(ttl / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forgotten = Instant::now();
    while done.run_until_cancelled(ticks.tick()).await.is_some() {
        if forgotten.elapsed() >= FORGETTING {
            forgotten = Instant::now();
            forget_queues(store).await;
        }
        match done.run_until_cancelled(store.rescue(Rescue::Expired)).await {
            Some(Ok(rescued)) => {
                if !rescued.is_empty() {
                    tracing::info!(jobs = rescued.len(), "took back the jobs of lost workers");
                    announce(queue, &rescued).await;
                }
            }
            Some(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot look for lost workers");
            }
            None => return,
        }
    }
}

async fn forget_queues(store: &dyn Store) {
    match store.forget_queues(UNUSED).await {
        Ok(0) => {}
        Ok(queues) => tracing::info!(queues, "forgot queues that nobody used for a day"),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot look for unused queues");
        }
    }
}

/// Forgets the results of months that ended so many days ago, now and every hour, until `done`.
/// Every server does; a month goes once.
///
/// **Cancel safety**: what was begun is finished or has no effect.
pub async fn forget_results(store: &dyn Store, days: Option<u32>, done: &CancellationToken) {
    let Some(days) = days else { return };
    let mut ticks = interval(FORGETTING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while done.run_until_cancelled(ticks.tick()).await.is_some() {
        match done.run_until_cancelled(store.forget_results(days)).await {
            Some(Ok(0)) => {}
            Some(Ok(months)) => tracing::info!(months, days, "forgot the results of old months"),
            Some(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot forget old results");
            }
            None => return,
        }
    }
}

/// Tells everybody what became of leases that were taken back.
pub async fn announce(queue: &dyn Queue, rescued: &[Rescued]) {
    for lease in rescued {
        let job = Some(lease.lease.job);
        queue.announce(Wakeup::Changed { job, batch: lease.batch }).await;
    }
    if rescued.iter().any(|lease| lease.waits) {
        queue.offer(&[]).await;
    }
}
