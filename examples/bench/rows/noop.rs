//! What a service does about jobs that cost nothing: every transition is committed, nothing is run.

use std::time::Duration;

use jobrunner_core::{BatchId, UserId, queue::Hint, testkit::Fixture};
use tokio::runtime::Runtime;

use super::Scale;
use crate::{
    bare,
    noop::{Workers, backends},
    report::{Line, Unit},
    series::Series,
    site::{Backend, Crew, Site},
    stores,
    target::Target,
};

/// One worker of many slots, and all jobs waiting for it.
pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    const SLOTS: usize = 64;
    let jobs = scale.count(20_000, 200);
    let site = Site::start(scale, backend, Crew::NOBODY);
    let runtime = Runtime::new().expect("a runtime");
    let [mut rates, mut limit] = [const { Vec::new() }; 2];
    for _ in 0..scale.rounds {
        limit.push(bare::postgres_groups(site.database(), SLOTS, &"x".repeat(200)));
        let id = site.submit_batch(jobs, &["true"]);
        let took = runtime.block_on(async {
            let workers = Workers::start(&site, Crew::of(SLOTS)).await;
            site.wait_for_batch(&id, jobs, workers.since);
            let took = workers.since.elapsed();
            workers.end().await;
            took
        });
        rates.push(jobs as f64 / took.as_secs_f64());
    }
    let what = format!("no-op executor, {}, {SLOTS} slots", backend.as_str());
    vec![
        Line::new(what, Unit::JobsPerSecond, rates.into_iter().collect())
            .beside("bare rows, 64 a commit", limit.into_iter().collect())
            .reaching(Target::at_least(12_000.0)),
    ]
}

/// Four workers and a hundred owners: what Redis is for.
pub(crate) fn many_lanes(scale: &Scale) -> Vec<Line> {
    let without = crowd(scale, Backend::Postgres);
    let with = crowd(scale, Backend::PostgresAndRedis);
    let what = |figure: &str| format!("4 workers, 100 lanes, no-op, with Redis: {figure}");
    vec![
        Line::new(what("jobs"), Unit::JobsPerSecond, with.rates)
            .beside("without", without.rates)
            .reaching(Target::ratio_at_least(1.0)),
        Line::new(what("time of the database, a job"), Unit::Microseconds, with.database)
            .beside("without", without.database)
            .reaching(Target::ratio_at_most(1.0)),
    ]
}

struct Crowd {
    rates: Series,
    /// How long statements took, in microseconds a job.
    database: Series,
}

fn crowd(scale: &Scale, backend: Backend) -> Crowd {
    const CREW: Crew = Crew { workers: 4, slots: 8 };
    let (owners, each) = (scale.count(100, 5), scale.count(100, 10));
    let jobs = owners * each;
    let site = Site::start(scale, backend, Crew::NOBODY);
    let postgres = site.postgres().expect("a server");
    postgres.count_statements(site.database());
    let runtime = Runtime::new().expect("a runtime");
    let mut crowd = Crowd { rates: Series::default(), database: Series::default() };
    for _ in 0..scale.rounds {
        runtime.block_on(async {
            let parts = backends(&site).await;
            let fixture = Fixture::new(parts.store, ());
            let mut batches = Vec::new();
            for _ in 0..owners {
                let batch = fixture.batch(UserId::new(), stores::many(each)).await;
                batches.push(batch);
                parts.queue.offer(&[Hint::Batch(batch)]).await;
            }
            let before = postgres.statement_time(site.database());
            let workers = Workers::start(&site, CREW).await;
            wait_for_all(&fixture, batches).await;
            let took = workers.since.elapsed();
            workers.end().await;
            let spent = postgres.statement_time(site.database()) - before;
            crowd.rates.push(jobs as f64 / took.as_secs_f64());
            crowd.database.push(spent * 1e3 / jobs as f64);
        });
    }
    scale.profile(postgres, site.database());
    crowd
}

async fn wait_for_all(fixture: &Fixture, batches: Vec<BatchId>) {
    for batch in batches {
        loop {
            let counts = fixture.look_at_batch(batch).await.counts;
            if counts.all_ended() {
                assert_eq!(counts.passed, counts.total, "all have passed");
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
