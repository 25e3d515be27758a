//! What the embedded store costs, as ratios against limits measured in the same run.
//!
//! `cargo bench -p jobrunner-core --bench store`

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{path::Path, sync::Arc, time::Duration, time::Instant};

use jobrunner_core::{
    JobSpec, UserId,
    store::sqlite::SqliteStore,
    testkit::{Fixture, spec},
};
use sqlx::{Connection, Executor, SqliteConnection};

const JOBS: usize = 100_000;

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    let limit = raw_inserts(directory.path()).await;
    println!("limit: {JOBS} bare rows of the same size in one transaction: {limit:.2?}");

    let path = directory.path().join("bench.sqlite3");
    let store = SqliteStore::open(&path).await.expect("a store");
    let fixture = Fixture::new(Arc::new(store), ());
    let started = Instant::now();
    fixture.batch(UserId::new(), (0..1_000).map(member).collect()).await;
    println!("a batch of 1000: {:.2?}", started.elapsed());
    let few = claims(&fixture).await;

    let owner = UserId::new();
    let specs: Vec<JobSpec> = (0..JOBS).map(member).collect();
    let started = Instant::now();
    let batch = fixture.batch(owner, specs).await;
    let took = started.elapsed();
    println!("a batch of {JOBS}: {took:.2?}, {:.1} × the limit", ratio(took, limit));
    let many = claims(&fixture).await;
    println!(
        "a claim, start and finish of 64: {few:.2?} with 1000 waiting, {many:.2?} with {JOBS}: {:.2} ×",
        ratio(many, few)
    );
    let started = Instant::now();
    let canceled = fixture.store.cancel_batch(batch).await.expect("canceled");
    println!("a cancel of {}: {:.2?}", canceled.ended, started.elapsed());
}

fn member(n: usize) -> JobSpec {
    let command = ["python3", "-m", "pytest", "-x", &format!("tests/test_{n}.py")];
    JobSpec { command: command.map(str::to_owned).into(), ..spec(&format!("test {n}")) }
}

fn ratio(took: Duration, limit: Duration) -> f64 {
    took.as_secs_f64() / limit.as_secs_f64()
}

/// The mean time of taking 64 jobs from the queue to their end, over 16 rounds.
async fn claims(fixture: &Fixture) -> Duration {
    const ROUNDS: u32 = 15;
    let hand = fixture.hand().await;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        let leases: Vec<_> = hand.claim(64).await.into_iter().map(|leased| leased.lease).collect();
        let running = fixture.store.start(&leases).await.expect("a start");
        assert_eq!(running.len(), 64);
        let reports: Vec<_> = running.into_iter().map(|lease| hand.report(lease, None)).collect();
        fixture.store.finish(&reports).await.expect("a finish");
    }
    started.elapsed() / ROUNDS
}

/// The time for the same number of rows of the same size, with nothing but a key.
async fn raw_inserts(directory: &Path) -> Duration {
    let url = format!("sqlite://{}?mode=rwc", directory.join("raw.sqlite3").display());
    let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
    connection.execute("pragma journal_mode = wal").await.expect("wal");
    connection.execute("create table t (id blob primary key, spec text)").await.expect("a table");
    let text = serde_json::to_string(&member(0)).expect("JSON");
    let started = Instant::now();
    let mut transaction = connection.begin().await.expect("a transaction");
    sqlx::query(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1)
         insert into t select printf('%016d', i), ?2 from n",
    )
    .bind(JOBS as i64)
    .bind(text)
    .execute(&mut *transaction)
    .await
    .expect("rows");
    transaction.commit().await.expect("a commit");
    started.elapsed()
}
