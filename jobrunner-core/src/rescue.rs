//! Taking back what workers that went away have left.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    Queue, Store,
    lease::{Rescue, Rescued},
    queue::Wakeup,
};

/// Takes back the leases of workers that went away, twice in a lease's time to live, until `done`.
/// Every worker does, and every server, so that it is done when no worker is left; the store lets
/// each lease be taken back once.
///
/// **Cancel safety**: dropping the future loses at most announcements.
pub async fn run(store: &dyn Store, queue: &dyn Queue, ttl: Duration, done: &CancellationToken) {
    let mut ticks = interval(ttl / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while done.run_until_cancelled(ticks.tick()).await.is_some() {
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
