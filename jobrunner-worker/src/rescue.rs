use jobrunner_core::lease::Rescue;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::session::{Session, announce_rescued};

/// Takes back the leases of workers that went away, twice in a lease's time to live. Every worker
/// does; the store lets each lease be taken back once. Returns when `done`.
pub(crate) async fn run(session: &Session, done: &CancellationToken) {
    let mut ticks = interval(session.parts.config.lease_ttl / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while done.run_until_cancelled(ticks.tick()).await.is_some() {
        let rescuing = session.parts.store.rescue(Rescue::Expired);
        match done.run_until_cancelled(rescuing).await {
            Some(Ok(rescued)) => {
                if !rescued.is_empty() {
                    tracing::info!(jobs = rescued.len(), "took back the jobs of lost workers");
                    announce_rescued(session.parts.queue.as_ref(), &rescued).await;
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
