use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use super::Service;
use crate::{
    Batch, BatchId, Result,
    authz::Principal,
    batch::Counts,
    insight::{self, Cause, Moment},
};

/// Of how many batches what was found is kept, the last ones that somebody looked at.
const KEPT: usize = 16;

/// For how long the timeline of a batch that goes on is told again.
const FRESH: Duration = Duration::from_secs(2);

/// What was found of batches as a whole: all who look at a batch at the same time wait for one
/// question to the store, and share the answer.
#[derive(Default)]
pub(super) struct Insights {
    causes: Memo<Vec<Cause>>,
    timelines: Memo<Vec<Moment>>,
}

/// Found for each batch, with how the batch stood just before.
struct Memo<V>(Mutex<VecDeque<(BatchId, Slot<V>)>>);

type Slot<V> = Arc<tokio::sync::Mutex<Option<Found<V>>>>;

struct Found<V> {
    stood: Stood,
    at: Instant,
    value: V,
}

/// How a batch stands: with everything that happens to its members one of these changes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stood {
    counts: Counts,
    finished_at: Option<DateTime<Utc>>,
}

impl From<&Batch> for Stood {
    fn from(batch: &Batch) -> Self {
        Self { counts: batch.counts, finished_at: batch.finished_at }
    }
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Clone> Memo<V> {
    /// What is known of a batch if it is still right, or what `look` finds.
    async fn get(
        &self,
        id: BatchId,
        stands: Stood,
        is_right: impl Fn(&Found<V>) -> bool,
        look: impl Future<Output = Result<V>>,
    ) -> Result<V> {
        let slot = self.slot(id);
        let mut known = slot.lock().await;
        if let Some(found) = known.as_ref().filter(|it| it.stood == stands && is_right(it)) {
            return Ok(found.value.clone());
        }
        let at = Instant::now();
        let value = look.await?;
        *known = Some(Found { stood: stands, at, value: value.clone() });
        Ok(value)
    }

    fn slot(&self, id: BatchId) -> Slot<V> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slots.iter().position(|(batch, _)| *batch == id);
        let (_, slot) =
            known.and_then(|place| slots.remove(place)).unwrap_or((id, Slot::default()));
        slots.push_front((id, Arc::clone(&slot)));
        slots.truncate(KEPT);
        slot
    }
}

impl Service {
    /// Why members of a batch failed, the most frequent cause first.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound), also for what the caller may not see.
    pub async fn causes(&self, caller: &Principal, id: BatchId) -> Result<Vec<Cause>> {
        let batch = self.batch(caller, id).await?;
        let stands = Stood::from(&batch);
        self.insights.causes.get(id, stands, |_| true, self.parts.store.causes(id)).await
    }

    /// How a batch went from its start to its end, or until now, in at most 121 moments; none
    /// before it was started. Of a batch that goes on without a change, now may be two seconds ago.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound), also for what the caller may not see.
    pub async fn timeline(&self, caller: &Principal, id: BatchId) -> Result<Vec<Moment>> {
        const PARTS: u32 = 120;
        let batch = self.batch(caller, id).await?;
        let Some(from) = batch.started_at else { return Ok(Vec::new()) };
        let is_right = |found: &Found<_>| batch.finished_at.is_some() || found.at.elapsed() < FRESH;
        let look = async {
            let to = batch.finished_at.unwrap_or_else(Utc::now);
            let parts = self.parts.store.timeline(id, from, to, PARTS).await?;
            Ok(insight::moments(from, to, &parts))
        };
        self.insights.timelines.get(id, Stood::from(&batch), is_right, look).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[tokio::test]
    async fn who_looks_at_the_same_time_waits_for_one_answer() {
        let (memo, asked) = (Memo::default(), AtomicUsize::new(0));
        let id = BatchId::new();
        let mut stands = Stood { counts: Counts::default(), finished_at: None };
        let look = async || {
            tokio::task::yield_now().await;
            Ok(asked.fetch_add(1, SeqCst) + 1)
        };
        let get = async |id, stands, is_right: bool| {
            memo.get(id, stands, |_| is_right, look()).await.expect("an answer")
        };
        assert_eq!(tokio::join!(get(id, stands, true), get(id, stands, true)), (1, 1));
        stands.counts.failed += 1;
        assert_eq!(get(id, stands, true).await, 2);
        assert_eq!(get(id, stands, false).await, 3);
        for number in 4..=(3 + KEPT) {
            assert_eq!(get(BatchId::new(), stands, true).await, number);
        }
        assert_eq!(get(id, stands, true).await, 4 + KEPT);
    }
}
