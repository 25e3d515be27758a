//! What to claim next: what the queue proposes, or what the store chooses.

use std::time::Duration;

use jobrunner_core::{
    lease::{Claim, Leased, Pick},
    queue::Candidates,
};

use crate::session::Session;

/// How long to wait for a hint before looking for work without one.
pub(crate) const POLL: Duration = Duration::from_millis(500);

/// Whom to ask for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The queue, which may refer to the store.
    Queue,
    /// The queue, and the store when it knows nothing: it may have lost its jobs, and nobody hints
    /// at jobs whose scheduled time has come.
    QueueThenStore,
    /// The store, since what the queue knew was no longer true.
    Store,
}

/// What is claimed, and what its outcome says about further work.
pub(crate) struct Request {
    pub(crate) claim: Claim,
    want: u32,
}

/// Finds out what to claim. `None` when the queue knows of nothing and the store is not to be
/// asked.
pub(crate) async fn request(session: &Session, want: u32, ask: Ask) -> Option<Request> {
    let queues = &session.parts.config.queues;
    let candidates = match ask {
        Ask::Store => Candidates::AskStore,
        Ask::Queue | Ask::QueueThenStore => session.parts.queue.candidates(queues, want).await,
    };
    let pick = match candidates {
        Candidates::Ids(mut ids) if !ids.is_empty() => {
            ids.truncate(want as usize);
            Pick::Ids(ids)
        }
        Candidates::Ids(_) if ask == Ask::Queue => return None,
        Candidates::Ids(_) | Candidates::AskStore => Pick::Fair { queues: queues.clone(), want },
    };
    Some(Request { claim: Claim { session: session.id, pick }, want })
}

impl Request {
    /// Whom to ask for more at once, after these were leased; `None` is nobody.
    pub(crate) fn next(&self, leased: &[Leased]) -> Option<Ask> {
        match &self.claim.pick {
            // Many hints may be stale, those of a large batch that was canceled for instance: work
            // must not wait behind them.
            Pick::Ids(_) if leased.is_empty() => Some(Ask::Store),
            Pick::Ids(ids) => (ids.len() == self.want as usize).then_some(Ask::Queue),
            Pick::Fair { .. } => {
                (leased.len() == self.want as usize).then_some(Ask::QueueThenStore)
            }
        }
    }
}
