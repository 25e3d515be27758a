use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use jobrunner_core::{
    Conflict, Error, Role, Status, UserId,
    lease::Leased,
    store::{
        AccountStore, AuditStore, BatchOrder, Idempotency, JobStore, LeaseStore,
        postgres::{PostgresOptions, PostgresStore},
    },
    store_conformance, store_model,
    testkit::{
        Fixture, account, audit_event, new_batch, servers::PrivatePostgres, spec, wait_until,
    },
    user::Scope,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};

use crate::statements;

async fn open(url: &str) -> PostgresStore {
    PostgresStore::connect(url, PostgresOptions::default()).await.expect("a store")
}

async fn fresh() -> String {
    let url = PrivatePostgres::shared().create_database();
    PostgresStore::migrate(&url).await.expect("a schema");
    url
}

pub(crate) async fn postgres() -> Fixture {
    Fixture::new(Arc::new(open(&fresh().await).await), ())
}

store_conformance!(postgres);
store_model!(postgres, 24);

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_that_migrate_an_empty_database_at_once_all_find_it_ready() {
    let url = PrivatePostgres::shared().create_database();
    let refused = PostgresStore::connect(&url, PostgresOptions::default()).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::SchemaMissing))), "{refused:?}");

    let migrated = join_all((0..8).map(|_| PostgresStore::migrate(&url))).await;

    assert!(migrated.iter().all(Result::is_ok), "{migrated:?}");
    let stores = join_all((0..8).map(|_| open(&url))).await;
    let first = |n: usize| account(&format!("admin{n}@example.com"), Role::Admin);
    let made =
        join_all(stores.iter().enumerate().map(|(n, s)| s.create_first_account(first(n)))).await;
    let made: Vec<bool> = made.into_iter().map(|made| made.expect("an answer")).collect();
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_used_but_not_migrated() {
    let url = fresh().await;
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let later = "insert into jobrunner.migration
                 select version + 1000, description, installed_on, success, checksum, execution_time
                 from jobrunner.migration";
    connection.execute(later).await.expect("a row");
    open(&url).await;
    let refused = PostgresStore::migrate(&url).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::SchemaTooNew))), "{refused:?}");
}

#[tokio::test]
async fn p1_an_embedder_submits_within_a_transaction_of_its_own() {
    let url = fresh().await;
    let store = open(&url).await;
    let owner = UserId::new();
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    connection.execute("create table theirs (job uuid)").await.expect("a table");

    let mut undone = connection.begin().await.expect("a transaction");
    let lost = store.submit_in(&mut undone, owner, spec("undone")).await.expect("submitted");
    undone.rollback().await.expect("rolled back");
    let mut done = connection.begin().await.expect("a transaction");
    let kept = store.submit_in(&mut done, owner, spec("done")).await.expect("submitted");
    let order = BatchOrder { owner, batch: new_batch("theirs"), idempotency: None };
    let members = Box::new(["a", "b"].into_iter().map(|name| Ok(spec(name))));
    let batch = store.submit_batch_in(&mut done, order, members).await.expect("submitted");
    let record = sqlx::query("insert into theirs values ($1)").bind(kept.as_uuid());
    record.execute(&mut *done).await.expect("recorded");
    assert!(
        store.job(kept, Scope::All).await.expect("an answer").is_none(),
        "not before the commit"
    );
    done.commit().await.expect("committed");

    assert!(store.job(lost, Scope::All).await.expect("an answer").is_none());
    assert!(store.job(kept, Scope::All).await.expect("an answer").is_some());
    let fixture = Fixture::new(Arc::new(store.clone()), ());
    fixture.recount(batch).await;
    assert_eq!(store.counts(Scope::All, None).await.expect("counts").waiting, 3);
}

/// One job that the database refuses is refused alone, whoever else's is stored at that moment.
#[tokio::test(flavor = "multi_thread")]
async fn p1_a_job_that_cannot_be_stored_takes_no_other_with_it() {
    let store = open(&fresh().await).await;
    let owner = UserId::new();
    let name = |n: usize| if n % 7 == 3 { "no\0name".to_owned() } else { n.to_string() };

    let all = join_all((0..50).map(|n| store.submit_job(owner, spec(&name(n)), None))).await;

    for (n, submitted) in all.iter().enumerate() {
        assert_eq!(submitted.is_ok(), n % 7 != 3, "{n}: {submitted:?}");
    }
    let stored = all.iter().filter(|submitted| submitted.is_ok()).count() as u64;
    assert_eq!(store.counts(Scope::All, None).await.expect("counts").waiting, stored);
}

/// What is known of lanes and queues is what the database says, whoever else changes it.
#[tokio::test]
async fn p1_a_job_whose_lane_has_vanished_gets_another_one() {
    let url = fresh().await;
    let store = open(&url).await;
    let owner = UserId::new();
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let fixture = Fixture::new(Arc::new(store), ());
    let hand = fixture.hand().await;
    for table in ["lane", "queue"] {
        fixture.job(owner, spec("before")).await;
        assert_eq!(hand.claim(10).await.len(), 1);
        let vanish = AssertSqlSafe(format!("delete from jobrunner.{table}")).into_sql_str();
        connection.execute(vanish).await.expect("it is gone");
        let job = fixture.job(owner, spec("after")).await;
        let claimed = hand.claim(10).await;
        assert_eq!(claimed.iter().map(|leased| leased.lease.job).collect::<Vec<_>>(), [job]);
    }
}

/// Somebody who is about to store a key, or an embedder whose transaction stays open, keeps only
/// those waiting who need to know how it ends.
#[tokio::test(flavor = "multi_thread")]
async fn submissions_do_not_wait_for_the_transactions_of_others() {
    let url = fresh().await;
    let store = open(&url).await;
    let owner = UserId::new();
    store.submit_job(owner, spec("first"), None).await.expect("stored");
    let mut theirs = PgConnection::connect(&url).await.expect("a connection");
    let mut open = theirs.begin().await.expect("a transaction");
    store.submit_in(&mut open, owner, spec("theirs")).await.expect("submitted");
    let mut other = PgConnection::connect(&url).await.expect("a connection");
    let mut storing = other.begin().await.expect("a transaction");
    let lock = "select pg_advisory_xact_lock(hashtextextended('k', hashtext($1::uuid::text)))";
    sqlx::query(lock).bind(owner.as_uuid()).execute(&mut *storing).await.expect("locked");
    let key = || Some(Idempotency { key: "k".to_owned(), digest: [1; 32] });
    let waiting = tokio::spawn({
        let (store, key) = (store.clone(), key());
        async move { store.submit_job(owner, spec("keyed"), key).await }
    });

    for n in 0..20 {
        let (owner, key) = (if n % 2 == 0 { owner } else { UserId::new() }, n.to_string());
        let once = (n % 4 == 0).then_some(Idempotency { key, digest: [0; 32] });
        store.submit_job(owner, spec("j"), once).await.expect("stored meanwhile");
    }
    assert!(!waiting.is_finished());
    storing.rollback().await.expect("undone");
    open.commit().await.expect("committed");
    let made = waiting.await.expect("no panic").expect("stored");
    let again = store.submit_job(owner, spec("keyed"), key()).await.expect("answered");

    assert!(made.made_at.is_some());
    assert_eq!((again.id, again.made_at), (made.id, None));
    assert_eq!(store.counts(Scope::All, None).await.expect("counts").waiting, 23);
}

/// A server that went away between two submissions is found again by the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_stored_though_the_connection_was_lost_meanwhile() {
    let url = fresh().await;
    let store = open(&url).await;
    let owner = UserId::new();
    store.submit_job(owner, spec("first"), None).await.expect("stored");
    store.submit_job(owner, spec("second"), None).await.expect("stored");
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let terminate = "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where application_name = 'jobrunner' and datname = current_database()";
    let ended: i64 = sqlx::query_scalar(terminate).fetch_one(&mut connection).await.expect("ended");
    assert!(ended > 0);
    wait_until("a submission to succeed", || async {
        store.submit_job(owner, spec("third"), None).await.ok()
    })
    .await;
    assert!(store.counts(Scope::All, None).await.expect("counts").waiting >= 3);
}

/// A caller that goes away in the middle of a change leaves no transaction open, and what it began
/// is carried out whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_undoes_nothing_half_way() {
    let url = fresh().await;
    let store = open(&url).await;
    let owner = UserId::new();
    for n in 0..30 {
        let order = BatchOrder { owner, batch: new_batch("b"), idempotency: None };
        let members = Box::new((0..500).map(|n| Ok(spec(&n.to_string()))));
        let submitting = store.submit_batch(order, members);
        // Between nothing and all of it, so that the caller goes away in every state.
        let patience = Duration::from_micros(700 * n);
        let gone = tokio::time::timeout(patience, submitting).await;
        drop(gone);
    }
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let open = "select count(*) from pg_stat_activity
                where datname = current_database() and state like 'idle in transaction%'
                   or (datname = current_database() and xact_start is not null and pid <> pg_backend_pid())";
    wait_until("the end of all transactions", || async {
        let mut connection = PgConnection::connect(&url).await.expect("a connection");
        let open: i64 = sqlx::query_scalar(open).fetch_one(&mut connection).await.expect("a count");
        (open == 0).then_some(())
    })
    .await;
    let jobs: i64 = sqlx::query_scalar("select count(*) from jobrunner.job")
        .fetch_one(&mut connection)
        .await
        .expect("a count");
    let counted = store.counts(Scope::All, None).await.expect("counts").waiting;
    assert_eq!(counted, jobs.unsigned_abs(), "counts equal a recount");
    assert_eq!(jobs % 500, 0, "each batch is whole");
}

/// The limit is of the owner, whoever claims.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_never_runs_more_than_the_limit_however_many_claim_at_once() {
    let fixture = postgres().await;
    let mut limited = account("limited@example.com", Role::Operator);
    limited.user.max_running_jobs = Some(5);
    let owner = limited.user.id;
    fixture.store.create_account(limited).await.expect("created");
    let queues = ["a", "b", "c"];
    let member = |n: usize| jobrunner_core::JobSpec {
        queue: queues[n % queues.len()].to_owned(),
        ..spec(&n.to_string())
    };
    fixture.batch(owner, (0..300).map(member).collect()).await;
    let other = fixture.batch(UserId::new(), (0..20).map(|n| spec(&n.to_string())).collect()).await;
    let of_owner =
        |claimed: Vec<Leased>| claimed.iter().filter(|leased| leased.run.owner == owner).count();
    let claims = (0..8).map(|_| async {
        let hand = fixture.hand().await;
        let mut mine = 0;
        for _ in 0..5 {
            mine += of_owner(hand.claim(4).await);
        }
        mine
    });
    let claimed: usize = join_all(claims).await.into_iter().sum();
    let hand = fixture.hand().await;
    // What is left, should those eight have passed over something that another one held at that
    // moment.
    let claimed = claimed + of_owner(hand.claim(25).await);
    assert_eq!(claimed, 5, "as many jobs of the limited owner are leased as the limit is");
    let left = fixture.look_at_batch(other).await.counts.waiting;
    assert_eq!(left, 0, "the turns of the limited owner went to the other");
    assert_eq!(hand.claim(50).await.len(), 0, "everything of the others is leased");
}

/// The last two jobs of a batch end in two processes at the same moment: each sees the other's
/// count only after its own commit.
#[tokio::test(flavor = "multi_thread")]
async fn p5_a_batch_whose_last_jobs_end_in_different_processes_finishes() {
    let url = fresh().await;
    let (one, other) = (open(&url).await, open(&url).await);
    for _ in 0..20 {
        let fixture = Fixture::new(Arc::new(one.clone()), ());
        let batch = fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
        let hand = fixture.hand().await;
        let (a, b) = (hand.start_one().await.lease, hand.start_one().await.lease);
        let (a, b) = ([hand.report(a, None)], [hand.report(b, None)]);
        let (first, second) = tokio::join!(one.finish(&a), other.finish(&b));
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(fixture.look_at_batch(batch).await.status, Status::Passed);
    }
}

#[tokio::test]
async fn what_is_recorded_for_the_audit_is_kept_as_it_is() {
    let url = fresh().await;
    open(&url).await.record(audit_event()).await.expect("recorded");
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let table = "jobrunner.audit_event";
    for change in ["update {} set actor_email = 'x'", "delete from {}", "truncate {}"] {
        let change = AssertSqlSafe(change.replace("{}", table)).into_sql_str();
        let refused = connection.execute(change).await.expect_err("it is kept").to_string();
        assert!(refused.contains("neither changed nor deleted"), "{refused}");
    }
}

/// Each is a statement that fits the schema, and no file is left that belongs to none.
#[tokio::test]
async fn every_statement_can_be_prepared() {
    let mut connection = PgConnection::connect(&fresh().await).await.expect("a connection");
    let statements = statements::of("postgres");
    assert!(statements.len() > 50, "only {} statements were found", statements.len());
    for (name, sql) in statements {
        let statement = connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
        assert!(statement.is_ok(), "{name}: {:?}", statement.err());
    }
    assert_eq!(statements::unused("postgres", &["queue/notify"]), [""; 0]);
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_the_operators_to_mend() {
    let url = PrivatePostgres::shared().create_database() + "_not";
    let refused = PostgresStore::migrate(&url).await;
    let Err(Error::Invalid(wrong)) = refused else { panic!("{refused:?}") };
    assert_eq!(wrong[0].field, "DATABASE_URL");
    assert!(wrong[0].message.contains("does not exist"), "{wrong:?}");
}
