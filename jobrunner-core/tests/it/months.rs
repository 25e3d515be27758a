//! Results go month by month.

use std::{path::Path, sync::Arc};

use jobrunner_core::{
    Store, UserId, rescue,
    store::{
        postgres::{PostgresOptions, PostgresStore},
        sqlite::SqliteStore,
    },
    testkit::{Fixture, servers::PrivatePostgres, spec, wait_until},
    verdict::ClassCounts,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};
use tokio_util::sync::CancellationToken;

/// Two months that ended at least 400 days ago, in days before today, and one that did not.
const OLD: [i64; 2] = [500, 700];
const RECENT: i64 = 300;

/// Stores a result of each age: an old one of two months, a recent one, and one of today.
async fn fill(store: Arc<dyn Store>, mut change: impl AsyncFnMut(String)) {
    let fixture = Fixture::new(store, ());
    let hand = fixture.hand().await;
    for (batch, age) in OLD.into_iter().chain([RECENT, 0]).enumerate() {
        fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
        hand.run_one(None).await;
        hand.run_one(None).await;
        let run = batch + 1;
        change(format!("update jobrunner.result set day = day - {age} where run_no = {run}")).await;
    }
}

/// Waits until servers have forgotten what is older than 400 days.
async fn forget(store: &dyn Store, left: impl AsyncFn() -> i64) {
    let done = CancellationToken::new();
    let forgetting = rescue::forget_results(store, Some(400), &done);
    let forgotten = async {
        wait_until("old results are forgotten", || async { (left().await == 4).then_some(()) })
            .await;
        done.cancel();
    };
    tokio::join!(forgetting, forgotten);
    assert_eq!(store.forget_results(400).await.expect("an answer"), 0, "they go once");
    assert_eq!(left().await, 4);
}

/// Kept for ever: nothing is done, and it ends at once.
async fn keep(store: &dyn Store) {
    rescue::forget_results(store, None, &CancellationToken::new()).await;
}

#[tokio::test]
async fn a_server_forgets_old_months_of_an_embedded_store_and_keeps_the_others() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("test.sqlite3");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&file).await.expect("a store"));
    fill(store.clone(), async |sql| sqlite(&file, &sql.replace("jobrunner.", "")).await).await;
    let left = async || {
        let url = format!("sqlite://{}", file.display());
        let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
        let left = sqlx::query_scalar("select count(*) from result").fetch_one(&mut connection);
        left.await.expect("a number")
    };
    keep(store.as_ref()).await;
    assert_eq!(left().await, 8);
    forget(store.as_ref(), left).await;
}

async fn sqlite(file: &Path, sql: &str) {
    let url = format!("sqlite://{}", file.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
    connection.execute(AssertSqlSafe(sql.to_owned()).into_sql_str()).await.expect("changed");
}

/// What there is a partition for is dropped with it, and what there is none for is deleted.
#[tokio::test]
async fn a_server_drops_the_partitions_of_old_months_and_keeps_the_others() {
    let url = PrivatePostgres::shared().create_database();
    PostgresStore::migrate(&url).await.expect("a schema");
    let store: Arc<dyn Store> =
        Arc::new(PostgresStore::connect(&url, PostgresOptions::default()).await.expect("a store"));
    postgres(&url, "select jobrunner.make_months(current_date - date '1970-01-01' - 500, 0)").await;
    fill(store.clone(), async |sql| postgres(&url, &sql).await).await;
    let count = async |sql: &'static str| -> i64 {
        let mut connection = PgConnection::connect(&url).await.expect("a connection");
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number")
    };
    let partitions =
        "select count(*) from pg_inherits where inhparent = 'jobrunner.result'::regclass";
    let left = async || count("select count(*) from jobrunner.result").await;
    // This month, two ahead, the old one and the one of all others.
    assert_eq!((left().await, count(partitions).await), (8, 5));
    keep(store.as_ref()).await;
    assert_eq!(left().await, 8);
    forget(store.as_ref(), left).await;
    assert_eq!(count(partitions).await, 4);
}

/// Ends of jobs would wait behind the one who waits to drop.
#[tokio::test]
async fn a_month_that_a_reader_holds_is_not_waited_for() {
    let url = PrivatePostgres::shared().create_database();
    PostgresStore::migrate(&url).await.expect("a schema");
    let store = PostgresStore::connect(&url, PostgresOptions::default()).await.expect("a store");
    postgres(&url, "select jobrunner.make_months(current_date - date '1970-01-01' - 500, 0)").await;
    let mut reader = PgConnection::connect(&url).await.expect("a connection");
    let mut reading = reader.begin().await.expect("a transaction");
    reading.execute("select count(*) from jobrunner.result").await.expect("it reads");

    let refused = jobrunner_core::store::ResultStore::forget_results(&store, 400).await;

    assert!(refused.is_err(), "{refused:?}");
    reading.rollback().await.expect("it ends");
    let dropped = jobrunner_core::store::ResultStore::forget_results(&store, 400).await;
    assert_eq!(dropped.expect("an answer"), 1);
}

async fn postgres(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    connection.execute(AssertSqlSafe(sql.to_owned()).into_sql_str()).await.expect("changed");
}

#[tokio::test]
async fn classes_of_a_run_whose_results_are_forgotten_stay_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("test.sqlite3");
    let fixture = Fixture::new(Arc::new(SqliteStore::open(&file).await.expect("a store")), ());
    let batch = fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
    let hand = fixture.hand().await;
    hand.run_one(None).await;
    hand.run_one(None).await;
    sqlite(&file, "update result set day = day - 500").await;
    assert_eq!(fixture.store.forget_results(400).await.expect("an answer"), 1);
    let verdict = fixture.store.verdict(batch).await.expect("an answer").expect("it is a run");
    assert_eq!(verdict.counts, ClassCounts { passed: 2, ..ClassCounts::default() });
}
