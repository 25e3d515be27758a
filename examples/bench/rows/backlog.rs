//! What a store costs with a thousand jobs waiting, and with a million.

use std::time::{Duration, Instant};

use jobrunner_core::{
    BatchId, UserId,
    job::JobFilter,
    page::PageRequest,
    testkit::{Fixture, Hand},
    user::Scope,
};
use tokio::runtime::Runtime;

use super::Scale;
use crate::{
    report::{Line, Unit},
    series::{Series, millis},
    site::Backend,
    stores::{self, Opened},
    target::Target,
};

/// How many jobs are claimed and ended at one time.
const GROUP: u32 = 16;

/// How often each step is repeated in a round.
const TIMES: usize = 20;

const STEPS: [&str; 5] = ["claim of 16", "finish of 16", "list", "stats", "page of a batch"];

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    Runtime::new().expect("a runtime").block_on(compare(scale, backend))
}

async fn compare(scale: &Scale, backend: Backend) -> Vec<Line> {
    let size = scale.count(100_000, 1_000);
    let batches = scale.count(10, 2);
    let store = Opened::new(scale, backend).await;
    let fixture = &store.fixture;
    let hand = stores::hand(fixture).await;
    let owner = UserId::new();
    let mut few = Vec::new();
    for round in 0..=scale.rounds {
        // As many as were taken before.
        let batch = fixture.batch(owner, stores::many(TIMES * GROUP as usize)).await;
        fixture.batch(UserId::new(), stores::many(1_000)).await;
        let times = steps(fixture, &hand, owner, batch).await;
        // In the first round statements are planned and nothing is in memory yet.
        if round > 0 {
            few.push(times);
        }
        drain(&hand).await;
    }
    let mut filled = Vec::new();
    for _ in 0..batches {
        filled.push(fixture.batch(owner, stores::many(size)).await);
    }
    let mut many = Vec::new();
    for _ in 0..scale.rounds {
        many.push(steps(fixture, &hand, owner, filled[0]).await);
    }
    let waiting = batches * size;
    let mut lines = Vec::new();
    for (place, step) in STEPS.into_iter().enumerate() {
        let of = |rounds: &[[f64; 5]]| rounds.iter().map(|round| round[place]).collect::<Series>();
        let what = format!("{waiting} waiting, {}: {step}", backend.as_str());
        lines.push(
            Line::new(what, Unit::Milliseconds, of(&many))
                .beside("1,000 waiting", of(&few))
                .reaching(Target::ratio_at_most(1.5)),
        );
    }
    let what = |what: &str| format!("{waiting} waiting, {}: {what}", backend.as_str());
    let took = newcomers(fixture, &hand).await;
    let once = |took| [millis(took)].into_iter().collect::<Series>();
    lines.push(Line::new(
        what("jobs of two newcomers, submission to claim"),
        Unit::Milliseconds,
        once(took),
    ));
    let started = Instant::now();
    let canceled = fixture.store.cancel_batch(filled[batches - 1]).await.expect("canceled");
    let took = started.elapsed();
    assert!(canceled.ended > 0, "members were canceled");
    lines.push(Line::new(what("cancel of a batch"), Unit::Milliseconds, once(took)));
    lines
}

/// The medians of all steps, in milliseconds.
async fn steps(fixture: &Fixture, hand: &Hand, owner: UserId, batch: BatchId) -> [f64; 5] {
    let mut times = [const { Vec::new() }; 5];
    let mine = JobFilter { owner: Some(owner), ..JobFilter::default() };
    let members = JobFilter { batch: Some(batch), ..JobFilter::default() };
    for _ in 0..TIMES {
        let mut clock = Clock(Instant::now());
        let leased = hand.claim(GROUP).await;
        times[0].push(clock.lap());
        assert_eq!(leased.len(), GROUP as usize, "a full group");
        stores::pass(hand, leased).await;
        times[1].push(clock.lap());
        let store = &fixture.store;
        let page = store.jobs(Scope::All, &mine, PageRequest::first(100)).await.expect("a page");
        times[2].push(clock.lap());
        assert_eq!(page.items.len(), 100);
        let counts = store.counts(Scope::All, Some(owner)).await.expect("counts");
        times[3].push(clock.lap());
        assert!(counts.total > 0);
        fixture.look_at_batch(batch).await;
        store.jobs(Scope::All, &members, PageRequest::first(100)).await.expect("a page");
        times[4].push(clock.lap());
    }
    times.map(|times| times.into_iter().collect::<Series>().median())
}

/// Two users submit ten jobs each behind everybody else's: how long until all of them are claimed.
async fn newcomers(fixture: &Fixture, hand: &Hand) -> Duration {
    let small = [UserId::new(), UserId::new()];
    let started = Instant::now();
    for owner in small {
        fixture.batch(owner, stores::many(10)).await;
    }
    let mut theirs = 0;
    while theirs < 20 {
        let leased = hand.claim(64).await;
        theirs += leased.iter().filter(|leased| small.contains(&leased.run.owner)).count();
        assert!(started.elapsed() < Duration::from_secs(60), "the newcomers' jobs are not claimed");
    }
    started.elapsed()
}

/// Runs everything that waits.
async fn drain(hand: &Hand) {
    loop {
        let leased = hand.claim(1_000).await;
        if leased.is_empty() {
            return;
        }
        stores::pass(hand, leased).await;
    }
}

struct Clock(Instant);

impl Clock {
    /// Milliseconds since the last time.
    fn lap(&mut self) -> f64 {
        let now = Instant::now();
        millis(now - std::mem::replace(&mut self.0, now))
    }
}
