//! A database of an earlier version keeps everything when it is brought up to date.
//!
//! `migration/*_0009.sql` are dumps of schema 9, made by the last program that had it while two
//! jobs were running: jobs of every status, deferred, scheduled and repeated, batches, a rerun,
//! output, accounts and the audit. `*_0009.json` is what its API said of them.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::BytesMut;
use jobrunner_core::{
    Batch, Job, JobId, Status, Store, User,
    attempt::Attempt,
    audit::{AuditEvent, AuditFilter},
    batch::BatchFilter,
    job::JobFilter,
    lease::Rescue,
    log::{LogKey, Stream},
    page::PageRequest,
    store::{
        postgres::{PostgresOptions, PostgresStore},
        sqlite::SqliteStore,
    },
    testkit::{Fixture, servers::PrivatePostgres},
    user::Scope,
};
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};

/// What the API of the program of that version said.
#[derive(Deserialize)]
struct Before {
    jobs: Vec<Job>,
    attempts: Vec<Attempts>,
    batches: Vec<Batch>,
    users: Vec<User>,
    events: Vec<AuditEvent>,
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Attempts {
    job: JobId,
    attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Log {
    job: JobId,
    stdout: String,
    stderr: String,
}

fn before(json: &str) -> Before {
    serde_json::from_str(json).expect("what the API said")
}

async fn text(store: &dyn Store, job: JobId, stream: Stream) -> String {
    let attempt = store.log_info(job, None).await.expect("a log").attempt;
    let key = LogKey { job, attempt };
    let chunks = store.read_log(key, stream, 0, 1 << 20).await.expect("chunks");
    let bytes: BytesMut = chunks.into_iter().flat_map(|chunk| chunk.bytes).collect();
    String::from_utf8(bytes.to_vec()).expect("a text")
}

/// Everything is as it was, by each way to look at it.
async fn everything_is_kept(store: &dyn Store, before: &Before) {
    let all = PageRequest::first(1000);
    let jobs = store.jobs(Scope::All, &JobFilter::default(), all).await.expect("jobs");
    assert_eq!(jobs.items, before.jobs);
    for job in &before.jobs {
        assert_eq!(store.job(job.id, Scope::All).await.expect("an answer").as_ref(), Some(job));
        let filter = JobFilter { status: Some(job.status), ..JobFilter::default() };
        let listed = store.jobs(Scope::Owner(job.owner_id), &filter, all).await.expect("jobs");
        assert!(listed.items.contains(job), "{job:?} is listed by its status and owner");
    }
    for Attempts { job, attempts } in &before.attempts {
        assert_eq!(store.attempts(*job).await.expect("attempts"), *attempts);
    }
    let batches = store.batches(Scope::All, &BatchFilter::default(), all).await.expect("batches");
    assert_eq!(batches.items, before.batches);
    assert_eq!(store.users(all).await.expect("users").items, before.users);
    let events = store.audit_events(&AuditFilter::default(), all).await.expect("events");
    assert_eq!(events.items, before.events);
    for log in &before.logs {
        assert_eq!(text(store, log.job, Stream::Stdout).await, log.stdout);
        assert_eq!(text(store, log.job, Stream::Stderr).await, log.stderr);
    }
    let counts = store.counts(Scope::All, None).await.expect("counts");
    for status in Status::ALL {
        let jobs = before.jobs.iter().filter(|job| job.status == status).count();
        assert_eq!(counts.of(status), jobs as u64, "{status}");
    }
    for user in &before.users {
        let account = store.account(user.id).await.expect("an answer").expect("an account");
        assert!(account.password_hash.starts_with("$argon2"), "a password still fits");
    }
}

/// What was open goes on: lost workers are noticed, and everything that is due is run to its end.
async fn what_was_open_ends(store: Arc<dyn Store>, before: &Before) {
    let fixture = Fixture::new(store, ());
    let running = before.jobs.iter().filter(|job| job.status == Status::Running).count();
    let rescued = fixture.store.rescue(Rescue::All).await.expect("rescued");
    assert_eq!(rescued.len(), running);
    let hand = fixture.hand().await;
    // A lost worker's jobs are repeated one at a time, half a second apart.
    let due = before.jobs.iter().filter(|job| !job.status.is_terminal());
    let due = due.filter(|job| !["deferred", "scheduled"].contains(&&*job.spec.name));
    let mut left: Vec<JobId> = due.map(|job| job.id).collect();
    assert!(left.len() > running, "some are due");
    jobrunner_core::testkit::wait_while_progressing("the ends of all that is due", || async {
        for leased in hand.claim(10).await {
            hand.finish(leased.lease, None).await;
        }
        let mut open = Vec::new();
        for job in &left {
            if !fixture.look(*job).await.status.is_terminal() {
                open.push(*job);
            }
        }
        if open.is_empty() { Ok(()) } else { Err(open.len()) }
    })
    .await;
    left.sort_unstable();
    for job in left {
        let ended = fixture.look(job).await;
        assert_eq!(ended.status, Status::Passed, "{}", ended.spec.name);
    }
    for batch in &before.batches {
        fixture.recount(batch.id).await;
        assert!(fixture.look_at_batch(batch.id).await.finished_at.is_some());
    }
    tokio::time::timeout(Duration::from_secs(60), fixture.store.ping())
        .await
        .expect("an answer in time")
        .expect("it answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_schema_9_keeps_everything() {
    let url = PrivatePostgres::shared().create_database();
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let dump = AssertSqlSafe(include_str!("migration/postgres_0009.sql")).into_sql_str();
    connection.execute(sqlx::raw_sql(dump)).await.expect("the dump");

    PostgresStore::migrate(&url).await.expect("migrated");

    let store = PostgresStore::connect(&url, PostgresOptions::default()).await.expect("a store");
    let before = before(include_str!("migration/postgres_0009.json"));
    everything_is_kept(&store, &before).await;
    what_was_open_ends(Arc::new(store), &before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_schema_9_keeps_everything() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("test.sqlite3");
    load(&path, include_str!("migration/sqlite_0009.sql")).await;

    let store = SqliteStore::open(&path).await.expect("migrated");

    let before = before(include_str!("migration/sqlite_0009.json"));
    everything_is_kept(&store, &before).await;
    what_was_open_ends(Arc::new(store), &before).await;
}

async fn load(path: &Path, dump: &'static str) {
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
    let dump = AssertSqlSafe(dump).into_sql_str();
    connection.execute(sqlx::raw_sql(dump)).await.expect("the dump");
    connection.close().await.expect("closed");
}
