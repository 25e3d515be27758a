use std::time::Duration;

use tokio::task::block_in_place;

use super::{Backends, Fleet, Plan, load::Amount};

/// 240 jobs over about six seconds.
const LOAD: Amount = Amount { batches: 40, jobs_each: 6, every: Duration::from_millis(150) };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_wiped_under_load_costs_nothing() {
    let fleet = Fleet::start(Plan::over(Backends::PostgresAndRedis)).await;
    let load = fleet.load(LOAD);
    for wipe in 1..=6 {
        fleet.ledger.started(30 * wipe).await;
        fleet.redis.as_ref().expect("a Redis").wipe();
    }
    let reckoned = fleet.settle(&load.await.expect("submitted")).await;
    assert_eq!(reckoned.lost(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_on_while_redis_is_away_and_after_it_is_back_empty() {
    let mut fleet = Fleet::start(Plan::over(Backends::PostgresAndRedis)).await;
    let load = fleet.load(LOAD);
    fleet.ledger.started(60).await;
    block_in_place(|| fleet.redis.as_mut().expect("a Redis").stop());
    fleet.redis_to_be("error").await;
    // Whoever is started meanwhile does without it, too.
    fleet.replace_server(0).await;
    fleet.workers[0].signal(rustix::process::Signal::TERM);
    fleet.workers[0].ended().await;
    fleet.replace_worker(0);
    let mut batches = load.await.expect("submitted");
    let reckoned = fleet.settle(&batches).await;
    assert_eq!(reckoned.lost(), 0);

    block_in_place(|| fleet.redis.as_mut().expect("a Redis").start_again());
    fleet.redis_to_be("ok").await;
    // The first worker was replaced meanwhile.
    for worker in &fleet.workers[1..] {
        worker.says("Redis is back").await;
        let log = worker.log();
        let said = ["Redis is away", "Redis is back"].map(|text| log.matches(text).count());
        assert_eq!(said, [1, 1], "it is said once each way");
    }
    batches.extend(fleet.load(LOAD).await.expect("submitted"));
    let reckoned = fleet.settle(&batches).await;
    assert_eq!(reckoned.lost(), 0);
}
