use std::time::Duration;

use jobrunner_core::{Error, lease::Renewal};
use tokio::{
    select,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::session::Session;

/// The pause before a renewal that failed is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// The longest time between two renewals, so that a cancel whose announcement was lost is heard of.
const SELDOM: Duration = Duration::from_secs(2);

/// Renews the leases five times in their time to live and every two seconds at least, at once when
/// jobs may have been canceled, and passes on what it learns. Fences the session off when four
/// fifths of that time have passed without a renewal: the store may give the jobs to somebody else
/// at the end of it. Returns when `done`.
///
/// Time is that of the monotonic clock, which goes on while the process is stopped: one that was
/// stopped for too long finds itself fenced off when it continues.
pub(crate) async fn run(session: &Session, done: &CancellationToken) {
    let ttl = session.parts.config.lease_ttl;
    let patience = ttl * 4 / 5;
    let period = (ttl / 5).min(SELDOM);
    // The session was opened just now.
    let mut renewed = Instant::now();
    let mut next = renewed + period;
    let mut is_failing = false;
    loop {
        select! {
            () = sleep_until(next) => {}
            () = session.cancels.notified() => {}
            () = done.cancelled() => return,
        }
        // The store counts from some moment within the call; the beginning is on the safe side.
        let asked = Instant::now();
        let held = session.held.leases();
        let answer = select! {
            answer = timeout_at(renewed + patience, session.parts.store.renew(session.id, &held)) => answer,
            () = done.cancelled() => return,
        };
        match answer {
            Ok(Ok(renewal)) => {
                (renewed, next) = (asked, asked + period);
                is_failing = false;
                pass_on(session, renewal);
            }
            Ok(Err(Error::NotFound(_))) => return session.fence("the store ended its session"),
            Ok(Err(error)) => {
                if !std::mem::replace(&mut is_failing, true) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "cannot renew the leases");
                }
                next = (Instant::now() + RETRY).min(renewed + patience);
            }
            Err(_) => {}
        }
        if Instant::now() >= renewed + patience {
            return session.fence("its leases could not be renewed in time");
        }
    }
}

fn pass_on(session: &Session, renewal: Renewal) {
    for lease in renewal.lost {
        // A lease that was reported while the store was asked is gone too, and is not held any
        // more.
        if let Some(reins) = session.held.get(lease) {
            reins.lost.cancel();
        }
    }
    for lease in renewal.cancel {
        if let Some(reins) = session.held.get(lease) {
            reins.cancel();
        }
    }
    if renewal.drain && !session.paused.is_cancelled() {
        tracing::info!(session.id = %session.id, "an administrator drains the worker");
        session.drain();
    }
}
