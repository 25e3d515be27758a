use std::time::{Duration, Instant};

use jobrunner_core::{Status, job::Reason, testkit::allowed};

use crate::site::{GRACE, Site, alive, wait_until_dead};

#[tokio::test(flavor = "multi_thread")]
async fn p6_a_cancel_kills_what_runs() {
    let site = Site::new().await;
    let worker = site.start(1);
    let job = site.submit(site.script("echo up; touch up; sleep 60 & wait")).await;
    site.wait_for_file("up").await;
    let asked = Instant::now();
    site.cancel(job).await;

    let canceled = site.wait_for(job, Status::Canceled).await;
    assert!(asked.elapsed() < allowed(Duration::from_secs(2)), "{:?}", asked.elapsed());
    assert_eq!(canceled.result.expect("a result").reason, Some(Reason::Canceled));
    assert_eq!(site.logs(job).await.stdout, "up\n");
    wait_until_dead(job).await;
    let next = site.submit(site.script("true")).await;
    site.wait_for(next, Status::Passed).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_a_command_that_ignores_being_asked_is_killed_after_the_grace() {
    let site = Site::new().await;
    let worker = site.start(1);
    let stubborn = "trap '' TERM; touch up; while :; do sleep 1; done";
    let job = site.submit(site.script(stubborn)).await;
    site.wait_for_file("up").await;
    let asked = Instant::now();
    site.cancel(job).await;

    let canceled = site.wait_for(job, Status::Canceled).await;
    assert!(asked.elapsed() < GRACE + allowed(Duration::from_secs(5)));
    assert_eq!(canceled.result.expect("a result").signal.as_deref(), Some("SIGKILL"));
    wait_until_dead(job).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_job_is_not_run_again() {
    let site = Site::new().await;
    let worker = site.start(1);
    let mut spec = site.script("echo run >> ledger; touch up; sleep 60");
    spec.max_attempts = 5;
    let job = site.submit(spec).await;
    site.wait_for_file("up").await;
    site.cancel(job).await;
    site.wait_for(job, Status::Canceled).await;
    let next = site.submit(site.script("true")).await;
    site.wait_for(next, Status::Passed).await;
    assert_eq!(site.lines("ledger"), ["run"]);
    assert_eq!(alive(job), [0; 0]);
    worker.stop().await;
}
