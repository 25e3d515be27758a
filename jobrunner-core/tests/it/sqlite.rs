use std::{path::Path, sync::Arc};

use jobrunner_core::{
    Conflict, Error, Status, UserId,
    store::sqlite::SqliteStore,
    store_conformance, store_model,
    testkit::{Fixture, audit_event, spec},
};
use sqlx::{AssertSqlSafe, Connection, Executor, SqlSafeStr, SqliteConnection};

use crate::statements;

pub(crate) async fn sqlite() -> Fixture {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(&directory.path().join("test.sqlite3")).await.expect("a store");
    Fixture::new(Arc::new(store), directory)
}

store_conformance!(sqlite);
store_model!(sqlite, 64);

async fn open(directory: &Path) -> Fixture {
    let store = SqliteStore::open(&directory.join("test.sqlite3")).await.expect("a store");
    Fixture::new(Arc::new(store), ())
}

#[tokio::test]
async fn what_was_stored_is_there_after_the_file_is_opened_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let batch = {
        let fixture = open(directory.path()).await;
        let batch = fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
        fixture.hand().await.run_one(None).await;
        batch
    };
    let fixture = open(directory.path()).await;
    let counts = fixture.look_at_batch(batch).await.counts;
    assert_eq!((counts.passed, counts.waiting), (1, 1));
    fixture.recount(batch).await;
    fixture.hand().await.run_one(None).await;
    assert_eq!(fixture.look_at_batch(batch).await.status, Status::Passed);
}

/// What is known of lanes and queues is what the database says, whoever else changes it.
#[tokio::test]
async fn p1_a_job_whose_lane_has_vanished_gets_another_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = open(directory.path()).await;
    let owner = UserId::new();
    let mut connection = raw_connection(directory.path()).await;
    let hand = fixture.hand().await;
    for vanish in ["delete from lane", "delete from queue"] {
        fixture.job(owner, spec("before")).await;
        assert_eq!(hand.claim(10).await.len(), 1);
        connection.execute(vanish).await.expect("it is gone");
        let job = fixture.job(owner, spec("after")).await;
        let claimed = hand.claim(10).await;
        assert_eq!(claimed.iter().map(|leased| leased.lease.job).collect::<Vec<_>>(), [job]);
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused_with_advice() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(open(directory.path()).await);
    let mut connection = raw_connection(directory.path()).await;
    let later = "insert into jobrunner_migration
                 select version + 1000, description, installed_on, success, checksum, execution_time
                 from jobrunner_migration";
    connection.execute(later).await.expect("a row");
    let refused = SqliteStore::open(&directory.path().join("test.sqlite3")).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::SchemaTooNew))), "{refused:?}");
}

/// Each is a statement that fits the schema, and no file is left that belongs to none.
#[tokio::test]
async fn every_statement_can_be_prepared() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(open(directory.path()).await);
    let mut connection = raw_connection(directory.path()).await;
    let statements = statements::of("sqlite");
    assert!(statements.len() > 50, "only {} statements were found", statements.len());
    for (name, sql) in statements {
        let statement = connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
        assert!(statement.is_ok(), "{name}: {:?}", statement.err());
    }
    assert_eq!(statements::unused("sqlite", &[]), [""; 0]);
}

#[tokio::test]
async fn what_is_recorded_for_the_audit_is_kept_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = open(directory.path()).await;
    fixture.store.record(audit_event()).await.expect("recorded");
    let mut connection = raw_connection(directory.path()).await;
    for change in ["update audit_event set actor_email = 'x'", "delete from audit_event"] {
        let refused = connection.execute(change).await.expect_err("it is kept").to_string();
        assert!(refused.contains("neither changed nor deleted"), "{refused}");
    }
}

async fn raw_connection(directory: &Path) -> SqliteConnection {
    let url = format!("sqlite://{}", directory.join("test.sqlite3").display());
    SqliteConnection::connect(&url).await.expect("a connection")
}
