//! What the store of a team costs, as ratios against limits measured in the same run, on a private server
//! that keeps its promises about durability.
//!
//! `cargo bench -p jobrunner-core --all-features --bench postgres`; with `-- --plans` it also prints how
//! the server carries out the statements of a claim with a million waiting jobs.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use jobrunner_core::{
    JobSpec, UserId,
    store::postgres::{PostgresOptions, PostgresStore},
    testkit::{Fixture, Hand, servers::PrivatePostgres, spec},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};

/// A large batch.
const JOBS: usize = 100_000;

/// How many large batches wait in the end.
const BATCHES: usize = 10;

const WORKERS: usize = 4;

const GROUP: u32 = 64;

#[tokio::main]
async fn main() {
    let server = PrivatePostgres::builder().durable().start();
    let url = server.create_database();
    let limit = bare_rows(&url).await;
    println!("limit: {JOBS} bare rows of the same size in one transaction: {limit:.2?}");

    PostgresStore::migrate(&url).await.expect("a schema");
    let store = PostgresStore::connect(&url, PostgresOptions::default()).await.expect("a store");
    let fixture = Fixture::new(Arc::new(store), ());
    let owner = UserId::new();
    fixture.batch(owner, (0..1_000).map(member).collect()).await;
    let workers = join_all((0..WORKERS).map(|_| fixture.hand())).await;
    let few = claims(&fixture, &workers).await;
    let ends = cycles(&fixture, &workers[0]).await;

    let mut batches = Vec::new();
    for n in 0..BATCHES {
        let specs: Vec<JobSpec> = (0..JOBS).map(member).collect();
        let started = Instant::now();
        batches.push(fixture.batch(owner, specs).await);
        let took = started.elapsed();
        println!("batch {} of {JOBS}: {took:.2?}, {:.1} × the limit", n + 1, ratio(took, limit));
    }
    let many = claims(&fixture, &workers).await;
    println!(
        "a claim of {GROUP} by each of {WORKERS} workers at once, median: {few:.2?} with 1,000 waiting, \
         {many:.2?} with {}: {:.2} ×",
        BATCHES * JOBS,
        ratio(many, few),
    );
    println!("a claim, start and finish of {GROUP} by one worker: {ends:.2?}");
    newcomers(&fixture, &workers).await;
    if std::env::args().any(|argument| argument == "--plans") {
        plans(&url).await;
    }
    let started = Instant::now();
    let canceled = fixture.store.cancel_batch(batches[BATCHES - 1]).await.expect("canceled");
    println!("a cancel of {}: {:.2?}", canceled.ended, started.elapsed());
}

fn member(n: usize) -> JobSpec {
    let command = ["python3", "-m", "pytest", "-x", &format!("tests/test_{n}.py")];
    JobSpec { command: command.map(str::to_owned).into(), ..spec(&format!("test {n}")) }
}

fn ratio(took: Duration, limit: Duration) -> f64 {
    took.as_secs_f64() / limit.as_secs_f64()
}

/// The median time of a claim while all workers claim at once. What is claimed is given back.
async fn claims(fixture: &Fixture, workers: &[Hand]) -> Duration {
    const ROUNDS: usize = 25;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let claiming = workers.iter().map(|worker| async {
            let started = Instant::now();
            let leased = worker.claim(GROUP).await;
            (started.elapsed(), leased)
        });
        for (took, leased) in join_all(claiming).await {
            assert_eq!(leased.len(), GROUP as usize, "a full group");
            times.push(took);
            let leases: Vec<_> = leased.into_iter().map(|leased| leased.lease).collect();
            fixture.store.release(&leases).await.expect("released");
        }
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// The mean time of taking a group from the queue to its end.
async fn cycles(fixture: &Fixture, worker: &Hand) -> Duration {
    const ROUNDS: u32 = 10;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        let leases: Vec<_> =
            worker.claim(GROUP).await.into_iter().map(|leased| leased.lease).collect();
        let running = fixture.store.start(&leases).await.expect("a start");
        let reports: Vec<_> = running.into_iter().map(|lease| worker.report(lease, None)).collect();
        fixture.store.finish(&reports).await.expect("a finish");
    }
    started.elapsed() / ROUNDS
}

/// Two users submit ten jobs each behind a million of somebody else's.
async fn newcomers(fixture: &Fixture, workers: &[Hand]) {
    let small = [UserId::new(), UserId::new()];
    let started = Instant::now();
    for owner in small {
        fixture.batch(owner, (0..10).map(member).collect()).await;
    }
    let (mut theirs, mut claims) = (0, 0);
    while theirs < 20 {
        let leased = workers[claims % workers.len()].claim(GROUP).await;
        theirs += leased.iter().filter(|leased| small.contains(&leased.owner)).count();
        claims += 1;
        assert!(claims < 100, "the newcomers' jobs are not claimed");
    }
    println!(
        "20 jobs of two newcomers: all claimed by {claims} claims of {GROUP}, {:.2?} after they were \
         submitted",
        started.elapsed()
    );
}

/// The time for the same number of rows of the same size, with nothing but a key.
async fn bare_rows(url: &str) -> Duration {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    connection.execute("create table bare (id uuid primary key, spec text)").await.expect("made");
    let text = serde_json::to_string(&member(0)).expect("JSON");
    let started = Instant::now();
    sqlx::query("insert into bare select gen_random_uuid(), $2 from generate_series(1, $1)")
        .bind(JOBS as i64)
        .bind(text)
        .execute(&mut connection)
        .await
        .expect("rows");
    let took = started.elapsed();
    connection.execute("drop table bare").await.expect("dropped");
    took
}

/// Prints the plans of the statements that a claim is made of.
async fn plans(url: &str) {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let lanes: Vec<i64> = sqlx::query_scalar("select id from jobrunner.lane")
        .fetch_all(&mut connection)
        .await
        .expect("lanes");
    let lanes = format!("'{{{}}}'::bigint[]", join(&lanes));
    let statements = [
        (
            "claim/lanes",
            include_str!("../queries/postgres/claim/lanes.sql"),
            vec!["'{}'::text[]", "8"],
        ),
        ("claim/heads", include_str!("../queries/postgres/claim/heads.sql"), vec![&lanes, "64"]),
        ("claim/promote", include_str!("../queries/postgres/claim/promote.sql"), vec![]),
    ];
    for (name, sql, values) in statements {
        let mut sql = sql.to_owned();
        for (n, value) in values.iter().enumerate() {
            sql = sql.replace(&format!("${}", n + 1), value);
        }
        let explain = format!("explain (analyze, buffers, costs off, summary off) {sql}");
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain).into_sql_str())
            .fetch_all(&mut connection)
            .await
            .expect("a plan");
        println!("\n### {name}\n\n```text\n{}\n```", plan.join("\n"));
    }
}

fn join(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}
