//! A worker whose store loses answers, and one whose queue tells what is no longer true.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jobrunner_core::{
    JobId, Queue,
    queue::{Candidates, Hint, Link, LocalQueue, Wakeup},
    testkit::Faulty,
};

use crate::site::{Site, config_with, executor};

#[tokio::test(flavor = "multi_thread")]
async fn p3_every_result_is_right_though_one_answer_in_ten_is_lost() {
    const JOBS: usize = 120;
    for seed in 1..=3 {
        let site = Site::new().await;
        let store = Arc::new(Faulty::random(site.store(), seed, 10));
        let queue = Arc::new(LocalQueue::new());
        // What the worker never heard that it has leased comes back when this is over.
        let config = config_with(|config| config.lease_ttl = Duration::from_secs(5));
        let worker = site.start_over(store, queue, executor(), config);
        let specs = (0..JOBS).map(|n| {
            let number = n % 3;
            site.script(&format!("echo {n} $JOBRUNNER_ATTEMPT >> ledger; exit {number}"))
        });
        let batch = site.submit_batch(specs.collect()).await;

        let counts = site.wait_for_batch(&batch).await.counts;
        assert_eq!((counts.passed, counts.failed), (40, 80), "seed {seed}");
        let mut starts: BTreeMap<String, usize> = BTreeMap::new();
        for line in site.lines("ledger") {
            *starts.entry(line).or_default() += 1;
        }
        assert!(starts.values().all(|times| *times == 1), "seed {seed}: {starts:?}");
        let mut attempts = 0;
        for (n, job) in site.members(&batch).await.into_iter().enumerate() {
            let result = job.result.expect("a result");
            assert_eq!(result.exit_code, i32::try_from(n % 3).ok(), "seed {seed}");
            attempts += site.attempts(job.id).await.len();
        }
        assert_eq!(starts.len(), attempts, "seed {seed}: what ran is what is recorded");
        worker.stop().await;
    }
}

/// A queue that remembers only jobs that are gone, as Redis does when a large batch was canceled.
struct Stale {
    wakeups: LocalQueue,
    left: AtomicUsize,
}

#[async_trait]
impl Queue for Stale {
    async fn offer(&self, hints: &[Hint]) {
        self.wakeups.offer(hints).await;
    }

    async fn candidates(&self, _queues: &[String], want: u32) -> Candidates {
        self.left.fetch_sub(want as usize, Ordering::Relaxed);
        Candidates::Ids((0..want).map(|_| JobId::new()).collect())
    }

    async fn announce(&self, wakeup: Wakeup) {
        self.wakeups.announce(wakeup).await;
    }

    fn wakeups(&self) -> BoxStream<'static, Wakeup> {
        self.wakeups.wakeups()
    }

    async fn link(&self) -> Link {
        Link::Up
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p9_no_job_waits_behind_hints_that_are_no_longer_true() {
    const STALE: usize = 1_000_000;
    let site = Site::new().await;
    let queue = Arc::new(Stale { wakeups: LocalQueue::new(), left: AtomicUsize::new(STALE) });
    let batch = site.submit_batch((0..60).map(|_| site.script("true")).collect()).await;
    let config = config_with(|config| config.slots = 2);
    let worker = site.start_over(site.store(), Arc::clone(&queue) as _, executor(), config);

    assert_eq!(site.wait_for_batch(&batch).await.counts.passed, 60);
    let asked = STALE - queue.left.load(Ordering::Relaxed);
    assert!(asked < 5_000, "{asked} hints were tried for 60 jobs");
    worker.stop().await;
}
