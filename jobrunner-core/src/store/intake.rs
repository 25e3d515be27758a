//! Single submissions that arrive at one time and are stored together: what a store's task that
//! gathers them takes, and what it gives back.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{Idempotency, Submitted, engine::spec};
use crate::{JobId, JobSpec, Result, UserId};

/// How many submissions are stored together at most.
pub(super) const GROUP: usize = 128;

/// How many bytes of specifications are stored together, about.
pub(super) const GROUP_BYTES: usize = 4 << 20;

/// A job to be stored.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: JobId,
    pub(super) owner: UserId,
    pub(super) spec: JobSpec,
    pub(super) idempotency: Option<Idempotency>,
    /// The specification as it is stored.
    pub(super) rendered: String,
}

/// What became of a job that was handed over: `None` if it is not stored, and cannot be together
/// with others.
pub(super) type Settled = Option<Result<Submitted<JobId>>>;

/// What the caller of a submission gets.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is stored, or was by the same request before, or was refused.
    Settled(Result<Submitted<JobId>>),
    /// The caller stores it alone.
    Alone(Box<Asked>),
}

/// A job, and who waits for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) asked: Box<Asked>,
    outcome: oneshot::Sender<Outcome>,
}

/// Whose a request with a key is, and the key.
pub(super) type Key = (Uuid, String);

/// The digest of the first request with a key, and what it made.
pub(super) type Known = HashMap<Key, (Vec<u8>, Uuid)>;

impl Asked {
    pub(super) fn new(
        owner: UserId,
        spec: JobSpec,
        idempotency: Option<Idempotency>,
    ) -> Result<Box<Self>> {
        let rendered = spec::render(&spec)?;
        Ok(Box::new(Self { id: JobId::new(), owner, spec, idempotency, rendered }))
    }

    pub(super) fn key(&self) -> Option<Key> {
        let key = self.idempotency.as_ref()?.key.clone();
        Some((self.owner.as_uuid(), key))
    }

    /// What becomes of a request whose key is known.
    pub(super) fn repeats(&self, known: &Known) -> Settled {
        let (digest, made) = known.get(&self.key()?)?;
        Some(self.idempotency.as_ref()?.repeated(digest, *made))
    }
}

impl Request {
    /// A job to hand over, and where its outcome will arrive.
    pub(super) fn new(asked: Box<Asked>) -> (Self, oneshot::Receiver<Outcome>) {
        let (outcome, arriving) = oneshot::channel();
        (Self { asked, outcome }, arriving)
    }

    /// Lets the caller know.
    pub(super) fn settle(self, settled: Settled) {
        let Self { asked, outcome } = self;
        if outcome.send(settled.map_or(Outcome::Alone(asked), Outcome::Settled)).is_err() {
            tracing::trace!("the caller of a submission no longer waits for it");
        }
    }
}

/// Waits for the next to arrive, and takes with it all that have arrived, `most` at most. Whoever
/// is ready to hand something over, but did not come to it yet, is let do so first: that takes no
/// time when nobody is.
///
/// Returns `false` when nobody is left who could hand anything over.
pub(super) async fn take<T>(
    arriving: &mut mpsc::Receiver<T>,
    arrived: &mut Vec<T>,
    most: usize,
) -> bool {
    if arriving.recv_many(arrived, most).await == 0 {
        return false;
    }
    tokio::task::yield_now().await;
    while arrived.len() < most
        && let Ok(next) = arriving.try_recv()
    {
        arrived.push(next);
    }
    true
}

/// Takes the first requests out of `arrived`, as many as are stored together.
pub(super) fn together(arrived: &mut Vec<Request>) -> Vec<Request> {
    let mut bytes = 0;
    let fitting = arrived.iter().take(GROUP).take_while(|request| {
        bytes += request.asked.rendered.len();
        bytes <= GROUP_BYTES
    });
    // One that is larger than that is stored by itself.
    let count = fitting.count().max(1).min(arrived.len());
    arrived.drain(..count).collect()
}

/// Those of a group that are the first with their key, or have none.
pub(super) fn firsts(group: &[Request]) -> Vec<&Request> {
    let mut seen = HashSet::new();
    let is_first = |request: &&Request| request.asked.key().is_none_or(|key| seen.insert(key));
    group.iter().filter(is_first).collect()
}

/// What becomes of each of a group, given which of its jobs were stored when and what is known of
/// keys. The keys of what was stored are known from now on.
pub(super) fn settle(
    group: &[Request],
    stored: &HashMap<Uuid, DateTime<Utc>>,
    mut known: Known,
) -> Vec<Settled> {
    for Request { asked, .. } in group {
        let id = asked.id.as_uuid();
        if let (Some(key), Some(once), true) =
            (asked.key(), &asked.idempotency, stored.contains_key(&id))
        {
            known.insert(key, (once.digest.to_vec(), id));
        }
    }
    let settled = |Request { asked, .. }: &Request| match stored.get(&asked.id.as_uuid()) {
        Some(at) => Some(Ok(Submitted { id: asked.id, made_at: Some(*at) })),
        None => asked.repeats(&known),
    };
    group.iter().map(settled).collect()
}
