//! What every queue must do.

/// What is proposed to workers.
pub mod candidates;

/// Announcements and those who wait for them.
pub mod wakeups {
    use std::{any::Any, sync::Arc};

    use futures_util::{StreamExt, stream::BoxStream};
    use tokio::time::timeout;

    use crate::{
        BatchId, JobId, Queue, UserId,
        queue::{Hint, Wakeup},
        testkit::PATIENCE,
    };

    async fn heard(listener: &mut BoxStream<'static, Wakeup>, wanted: &Wakeup) -> bool {
        let search = async {
            while let Some(wakeup) = listener.next().await {
                if wakeup == *wanted {
                    return true;
                }
            }
            false
        };
        timeout(PATIENCE, search).await.unwrap_or(false)
    }

    /// A worker that waits for work hears of a job.
    pub async fn an_offer_wakes_those_who_wait<K: Any>((queue, _keep): &(Arc<dyn Queue>, K)) {
        let mut listener = queue.wakeups();
        let (queue_name, owner) = ("default".to_owned(), UserId::new());
        let hint = Hint::Job { job: JobId::new(), priority: 5, queue: queue_name, owner };
        queue.offer(&[hint]).await;
        assert!(heard(&mut listener, &Wakeup::Work).await);
        queue.offer(&[]).await;
        assert!(heard(&mut listener, &Wakeup::Work).await, "also when the jobs are not named");
    }

    /// An announcement goes to all.
    pub async fn announcements_reach_every_listener<K: Any>((queue, _keep): &(Arc<dyn Queue>, K)) {
        let (mut one, mut other) = (queue.wakeups(), queue.wakeups());
        let changed = Wakeup::Changed { job: Some(JobId::new()), batch: Some(BatchId::new()) };
        for wakeup in [Wakeup::Cancel, changed] {
            queue.announce(wakeup.clone()).await;
            assert!(heard(&mut one, &wakeup).await);
            assert!(heard(&mut other, &wakeup).await);
        }
    }

    /// Nobody is kept waiting by a slow listener, who learns that something was missed.
    pub async fn a_listener_that_falls_behind_is_told<K: Any>(
        (queue, _keep): &(Arc<dyn Queue>, K),
    ) {
        let mut slow = queue.wakeups();
        for _ in 0..100_000 {
            queue.announce(Wakeup::Cancel).await;
        }
        assert!(heard(&mut slow, &Wakeup::Lagged).await);
    }
}
