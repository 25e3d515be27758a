use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use jobrunner_core::lease::LeaseRef;
use tokio_util::sync::CancellationToken;

/// The leases of a session whose end is not reported yet, with the means to reach what runs.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<HashMap<LeaseRef, Reins>>);

/// How a running attempt is told to end. Clones reach the same attempt.
#[derive(Clone, Debug)]
pub(crate) struct Reins {
    /// Ends the command with grace.
    pub(crate) stop: CancellationToken,
    /// Kills the command: the lease is no longer ours, and nothing may be reported.
    pub(crate) lost: CancellationToken,
    /// Whether somebody canceled the job. A command that was stopped for any other reason did not
    /// end by anybody's wish, and is not reported as canceled.
    canceled: Arc<AtomicBool>,
}

impl Reins {
    /// Reins that end with grace together with `stop`, and are lost together with `lost`.
    pub(crate) fn under(stop: &CancellationToken, lost: &CancellationToken) -> Self {
        let canceled = Arc::new(AtomicBool::new(false));
        Self { stop: stop.child_token(), lost: lost.child_token(), canceled }
    }

    /// Somebody canceled the job.
    pub(crate) fn cancel(&self) {
        self.canceled.store(true, Ordering::Release);
        self.stop.cancel();
    }

    /// Whether somebody canceled the job.
    pub(crate) fn is_canceled(&self) -> bool {
        self.canceled.load(Ordering::Acquire)
    }
}

impl Held {
    pub(crate) fn insert(&self, lease: LeaseRef, reins: Reins) {
        self.lock().insert(lease, reins);
    }

    pub(crate) fn remove(&self, lease: LeaseRef) {
        self.lock().remove(&lease);
    }

    pub(crate) fn get(&self, lease: LeaseRef) -> Option<Reins> {
        self.lock().get(&lease).cloned()
    }

    /// All of them, in no particular order.
    pub(crate) fn leases(&self) -> Vec<LeaseRef> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LeaseRef, Reins>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
