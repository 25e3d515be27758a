//! Claims while somebody keeps an old snapshot open, as a dump does: what has ended cannot be
//! cleaned up.

use std::time::Instant;

use jobrunner_core::{UserId, testkit::Hand};
use sqlx::{Connection, Executor, PgConnection};
use tokio::runtime::Runtime;

use super::Scale;
use crate::{
    report::{Line, Unit},
    series::{Series, millis},
    site::Backend,
    stores::{self, Opened},
    target::Target,
};

const GROUP: usize = 64;

pub(crate) fn measure(scale: &Scale) -> Vec<Line> {
    Runtime::new().expect("a runtime").block_on(compare(scale))
}

async fn compare(scale: &Scale) -> Vec<Line> {
    let jobs = scale.count(500_000, 2_000);
    // Figures are of so many jobs each; those beside the snapshot are of the last of them.
    let window = scale.count(25_600, 640);
    let store = Opened::new(scale, Backend::Postgres).await;
    let rounds = scale.rounds as usize;
    let mut left = jobs + 2 * rounds * window;
    let owner = UserId::new();
    while left > 0 {
        let size = left.min(100_000);
        store.fixture.batch(owner, stores::many(size)).await;
        left -= size;
    }
    let hand = stores::hand(&store.fixture).await;
    let before = windows(&hand, rounds, window).await;
    let mut reader = PgConnection::connect(&store.url).await.expect("a connection");
    reader.execute("begin isolation level repeatable read").await.expect("begun");
    reader.execute("select count(*) from jobrunner.job").await.expect("a snapshot");
    claims(&hand, jobs.saturating_sub(rounds * window)).await;
    let after = windows(&hand, rounds, window).await;
    reader.execute("commit").await.expect("the snapshot was held until now");
    let what = format!("an old snapshot, {jobs} jobs ended since, Postgres: claim of {GROUP}, p99");
    vec![
        Line::new(what, Unit::Milliseconds, after)
            .beside("without", before)
            .reaching(Target::ratio_at_most(3.0)),
    ]
}

/// The 99th percentiles of claims, in milliseconds, of so many jobs each.
async fn windows(hand: &Hand, count: usize, window: usize) -> Series {
    let mut worst = Series::default();
    for _ in 0..count {
        worst.push(claims(hand, window).await.quantile(0.99));
    }
    worst
}

async fn claims(hand: &Hand, jobs: usize) -> Series {
    let mut times = Series::default();
    for _ in 0..jobs / GROUP {
        let started = Instant::now();
        let leased = hand.claim(u32::try_from(GROUP).expect("few")).await;
        times.push(millis(started.elapsed()));
        assert_eq!(leased.len(), GROUP, "a full group");
        stores::pass(hand, leased).await;
    }
    times
}
