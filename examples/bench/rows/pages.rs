//! What the pages of the dashboard ask a store for, with 2,000 batches and one of 100,000 jobs that
//! have ended, a tenth of them failed.

use std::time::{Duration, Instant};

use jobrunner_core::{
    BatchId, JobSpec, Status, Store, UserId,
    audit::AuditFilter,
    batch::{BatchFilter, NameFilter},
    job::{JobFilter, Order, Reason},
    page::PageRequest,
    store::BatchOrder,
    testkit::{Fixture, audit_event, new_batch, spec},
    user::Scope,
};
use tokio::runtime::Runtime;

use super::Scale;
use crate::{
    report::{Line, Unit},
    series::{Series, millis},
    site::Backend,
    stores::{self, Opened},
};

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    Runtime::new().expect("a runtime").block_on(async {
        let store = Opened::new(scale, backend).await;
        let batch = fill(scale, &store.fixture).await;
        let pages = Pages { scale, backend, store: store.fixture.store.as_ref(), batch };
        let mut lines = pages.of_all().await;
        lines.extend(pages.of_a_batch().await);
        lines
    })
}

/// Batches with a past; the large one.
async fn fill(scale: &Scale, fixture: &Fixture) -> BatchId {
    let owner = UserId::new();
    for n in 0..scale.count(2_000, 200) {
        let name = if n % 4 == 0 { "nightly".to_owned() } else { format!("suite {n}") };
        let order = BatchOrder { owner, batch: new_batch(&name), idempotency: None };
        let specs = (0..2).map(|k| Ok(spec(&format!("case {k}")))).collect::<Vec<_>>();
        fixture.store.submit_batch(order, Box::new(specs.into_iter())).await.expect("a batch");
    }
    let jobs = scale.count(100_000, 2_000);
    let specs = (0..jobs).map(|n| JobSpec { priority: 10, ..spec(&format!("regression/{n}")) });
    let batch = fixture.batch(owner, specs.collect()).await;
    let hand = stores::hand(fixture).await;
    let mut ended = 0;
    while ended < jobs {
        let leased = hand.claim(1_000).await;
        ended += leased.len();
        stores::end(&hand, leased, |n, lease| {
            let mut report = hand.report(lease, (n % 10 == 3).then_some(Reason::ExitCode));
            report.error_line = (n % 10 == 3).then(|| format!("assertion {} failed", n % 7));
            report.outcome.duration = Duration::from_millis((n as u64 * 7_919) % 10_000);
            report
        })
        .await;
    }
    for _ in 0..scale.count(10_000, 100) {
        fixture.store.record(audit_event()).await.expect("recorded");
    }
    batch
}

struct Pages<'a> {
    scale: &'a Scale,
    backend: Backend,
    store: &'a dyn Store,
    batch: BatchId,
}

impl Pages<'_> {
    async fn of_all(&self) -> Vec<Line> {
        let store = self.store;
        let all = BatchFilter::default();
        let name = Some(NameFilter::Exactly("nightly".to_owned()));
        let runs = BatchFilter { name, ..BatchFilter::default() };
        let anybodys = JobFilter::default();
        let filter = AuditFilter::default();
        vec![
            self.timed("200 batches", async || {
                store.batches(Scope::All, &all, PageRequest::first(200)).await.is_ok()
            })
            .await,
            self.timed("the counts of everybody", async || {
                store.counts(Scope::All, None).await.is_ok()
            })
            .await,
            self.timed("30 runs of a name", async || {
                let page = store.batches(Scope::All, &runs, PageRequest::first(30)).await;
                page.is_ok_and(|page| page.items.len() == 30)
            })
            .await,
            self.timed("everybody's newest jobs", async || {
                store.jobs(Scope::All, &anybodys, PageRequest::first(100)).await.is_ok()
            })
            .await,
            self.timed("the audit", async || {
                store.audit_events(&filter, PageRequest::first(100)).await.is_ok()
            })
            .await,
        ]
    }

    async fn of_a_batch(&self) -> Vec<Line> {
        let (store, batch) = (self.store, self.batch);
        let shown = store.batch(batch, Scope::All).await.expect("an answer").expect("a batch");
        let (from, to) = (shown.started_at.expect("a start"), shown.finished_at.expect("an end"));
        let mut lines = vec![
            self.timed("a batch", async || store.batch(batch, Scope::All).await.is_ok()).await,
            self.timed("the causes of its failures", async || {
                store.causes(batch).await.is_ok_and(|causes| causes.len() == 7)
            })
            .await,
            self.timed("its timeline", async || store.timeline(batch, from, to, 120).await.is_ok())
                .await,
        ];
        let none = JobFilter::default;
        let lists = [
            ("its newest jobs", none()),
            ("those that failed", JobFilter { status: Some(Status::Failed), ..none() }),
            ("those of a reason", JobFilter { reason: Some(Reason::ExitCode), ..none() }),
            ("those of part of a name", JobFilter { name: Some("*999*".to_owned()), ..none() }),
            ("by name", JobFilter { order: Order::Name, ..none() }),
            ("the longest first", JobFilter { order: Order::Longest, ..none() }),
            ("the oldest first", JobFilter { order: Order::Oldest, ..none() }),
        ];
        for (what, filter) in lists {
            let filter = JobFilter { batch: Some(batch), ..filter };
            let line = self.timed(what, async || {
                let page = store.jobs(Scope::All, &filter, PageRequest::first(100)).await;
                page.is_ok_and(|page| !page.items.is_empty())
            });
            lines.push(line.await);
        }
        lines
    }

    async fn timed(&self, what: &str, question: impl AsyncFn() -> bool) -> Line {
        let mut times = Series::default();
        // The first time is another matter: plans are made, pages are read.
        for round in 0..=self.scale.rounds {
            let started = Instant::now();
            assert!(question().await, "{what}");
            if round > 0 {
                times.push(millis(started.elapsed()));
            }
        }
        let what = format!("asked of the store, {}: {what}", self.backend.as_str());
        Line::new(what, Unit::Milliseconds, times)
    }
}
