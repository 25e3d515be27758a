use std::time::{Duration, Instant};

use jobrunner_core::{
    Status,
    job::Reason,
    testkit::{allowed, wait_until},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::site::{SHORT_TTL, Site, alive, config_with, executor, wait_until_dead};

/// Goes on at the second attempt, when the first was lost.
const SECOND_TIME: &str =
    "echo $JOBRUNNER_ATTEMPT >> ledger; test $JOBRUNNER_ATTEMPT = 2 || exec sleep 60";

#[tokio::test(flavor = "multi_thread")]
async fn p9_the_jobs_of_a_worker_that_vanished_run_again() {
    let site = Site::new().await;
    let short = config_with(|config| config.lease_ttl = SHORT_TTL);
    let worker = site.start_with(short, executor());
    let job = site.submit(site.script(SECOND_TIME)).await;
    site.wait_for_file("ledger").await;
    worker.vanish().await;
    wait_until_dead(job).await;
    let vanished = Instant::now();
    let other = site.start(2);

    let passed = site.wait_for(job, Status::Passed).await;
    assert!(vanished.elapsed() < allowed(2 * SHORT_TTL), "{:?}", vanished.elapsed());
    assert_eq!((passed.attempt, site.lines("ledger")), (2, ["1", "2"].map(String::from).into()));
    let attempts = site.attempts(job).await;
    let lost = attempts[0].result.as_ref().expect("a result");
    assert_eq!(lost.reason, Some(Reason::WorkerLost));
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p9_a_worker_whose_session_was_ended_kills_what_it_runs_and_begins_again() {
    let site = Site::new().await;
    let worker = site.start(2);
    let job = site.submit(site.script(SECOND_TIME)).await;
    site.wait_for_file("ledger").await;
    let before = site.store().workers().await.expect("an answer")[0].id;
    let first = alive(job);
    site.store().close_session(before).await.expect("a closed session");

    site.wait_for(job, Status::Passed).await;
    assert_eq!(site.lines("ledger"), ["1", "2"]);
    let now_alive = alive(job);
    assert!(first.iter().all(|pid| !now_alive.contains(pid)));
    let after = site.store().workers().await.expect("an answer")[0].id;
    assert_ne!(before, after);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p9_a_worker_that_cannot_renew_kills_what_it_runs_before_its_leases_end() {
    let site = Site::new().await;
    // A fifth of it is left when the worker gives up: time enough for a busy machine to kill in.
    let ttl = Duration::from_secs(10);
    let worker = site.start_with(config_with(|config| config.lease_ttl = ttl), executor());
    let job = site.submit(site.script(SECOND_TIME)).await;
    site.wait_for_file("ledger").await;

    // As long as somebody else has the right to write, nothing can be stored.
    let options = SqliteConnectOptions::new().filename(site.database());
    let mut outsider = SqliteConnection::connect_with(&options).await.expect("a connection");
    sqlx::query("begin immediate").execute(&mut outsider).await.expect("a lock");
    let locked = Instant::now();
    wait_until_dead(job).await;
    assert!(locked.elapsed() < ttl, "dead before the lease ended: {:?}", locked.elapsed());
    sqlx::query("rollback").execute(&mut outsider).await.expect("no lock");

    let passed = site.wait_for(job, Status::Passed).await;
    assert_eq!((passed.attempt, site.lines("ledger")), (2, ["1", "2"].map(String::from).into()));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p9_results_are_kept_while_the_store_is_away() {
    let site = Site::new().await;
    let worker = site.start(2);
    let gated = "touch up; until [ -e go ]; do sleep 0.02; done; echo result; touch down";
    let job = site.submit(site.script(gated)).await;
    site.wait_for_file("up").await;

    let options = SqliteConnectOptions::new().filename(site.database());
    let mut outsider = SqliteConnection::connect_with(&options).await.expect("a connection");
    sqlx::query("begin immediate").execute(&mut outsider).await.expect("a lock");
    site.touch("go");
    site.wait_for_file("down").await;
    wait_until_dead(job).await;
    assert_eq!(site.job(job).await.status, Status::Running);
    sqlx::query("rollback").execute(&mut outsider).await.expect("no lock");

    assert_eq!(site.wait_for(job, Status::Passed).await.attempt, 1);
    assert_eq!(site.logs(job).await.stdout, "result\n");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_a_job_that_loses_every_worker_fails_in_the_end() {
    let site = Site::new().await;
    let job = site.submit(site.script("echo $JOBRUNNER_ATTEMPT >> ledger; exec sleep 60")).await;
    for attempt in 1..=4 {
        let worker = site.start(1);
        wait_until("the attempt", || async {
            (site.lines("ledger").len() == attempt).then_some(())
        })
        .await;
        let session = site.store().workers().await.expect("an answer")[0].id;
        worker.vanish().await;
        site.store().close_session(session).await.expect("a closed session");
    }
    let failed = site.job(job).await;
    assert_eq!(failed.status, Status::Failed);
    assert_eq!(failed.result.expect("a result").reason, Some(Reason::WorkerLost));
}
