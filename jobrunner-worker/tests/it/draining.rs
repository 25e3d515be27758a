use std::time::{Duration, Instant};

use jobrunner_core::{
    Status,
    job::Reason,
    testkit::{allowed, wait_until},
};

use crate::site::{Site, alive, config_with, executor};

const GATED: &str = "touch up; until [ -e go ]; do sleep 0.02; done; echo done";

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_lets_running_commands_end_and_starts_no_others() {
    let site = Site::new().await;
    let worker = site.start(1);
    let running = site.submit(site.script(GATED)).await;
    site.wait_for_file("up").await;
    let waiting = site.submit(site.script("echo started >> ledger")).await;
    worker.ask_to_stop();
    site.touch("go");
    worker.stop().await;

    assert_eq!(site.job(running).await.status, Status::Passed);
    assert_eq!(site.logs(running).await.stdout, "done\n");
    let waiting = site.job(waiting).await;
    assert_eq!((waiting.status, waiting.attempt), (Status::Waiting, 0));
    assert!(site.store().workers().await.expect("an answer").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_what_a_drain_cuts_off_is_lost_and_runs_again() {
    let site = Site::new().await;
    let drain = Duration::from_millis(300);
    let worker = site.start_with(config_with(|config| config.drain = drain), executor());
    let job = site.submit(site.script("echo begun; touch up; sleep 60")).await;
    site.wait_for_file("up").await;
    let asked = Instant::now();
    worker.stop().await;

    assert!(asked.elapsed() >= drain && asked.elapsed() < allowed(Duration::from_secs(5)));
    assert_eq!(alive(job), [0; 0]);
    let waiting = site.job(job).await;
    assert_eq!(waiting.status, Status::Waiting);
    let attempts = site.attempts(job).await;
    let result = attempts[0].result.as_ref().expect("a result");
    assert_eq!(result.reason, Some(Reason::WorkerLost));
    assert_eq!(result.signal.as_deref(), Some("SIGTERM"));
    assert_eq!(site.logs(job).await.stdout, "begun\n");
}

/// An upgrade, or two in a row, is no reason to suspect a job.
#[tokio::test(flavor = "multi_thread")]
async fn what_drains_have_cut_off_twice_runs_beside_others() {
    let site = Site::new().await;
    let soon = || config_with(|config| config.drain = Duration::ZERO);
    let script = "echo up >> ledger; trap 'exit 0' TERM; until [ -e go ]; do sleep 0.02; done";
    let job = site.submit(site.script(script)).await;
    for round in 1..=2 {
        let worker = site.start_with(soon(), executor());
        wait_until("the attempt to run", || async {
            (site.job(job).await.attempt == round && site.lines("ledger").len() == round as usize)
                .then_some(())
        })
        .await;
        worker.stop().await;
    }
    let attempts = site.attempts(job).await;
    let results = attempts.iter().filter_map(|attempt| attempt.result.as_ref());
    let reasons: Vec<_> = results.map(|result| result.reason).collect();
    assert_eq!(reasons, [Some(Reason::WorkerLost); 2]);
    let beside = site.submit(site.script(GATED)).await;
    let worker = site.start(2);
    site.wait_for(beside, Status::Running).await;
    site.wait_for(job, Status::Running).await;
    site.touch("go");
    site.wait_for(job, Status::Passed).await;
    site.wait_for(beside, Status::Passed).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_stops_at_once() {
    let site = Site::new().await;
    let worker = site.start(4);
    wait_until("the worker to appear", || async {
        (!site.store().workers().await.expect("an answer").is_empty()).then_some(())
    })
    .await;
    let asked = Instant::now();
    worker.stop().await;
    assert!(asked.elapsed() < allowed(Duration::from_secs(1)), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_worker_stays_and_takes_nothing_new() {
    let site = Site::new().await;
    let worker = site.start(2);
    let running = site.submit(site.script(GATED)).await;
    site.wait_for_file("up").await;
    let session = site.store().workers().await.expect("an answer")[0].id;
    site.store().drain(session).await.expect("a drain");
    let late = site.submit(site.script("echo started >> ledger")).await;
    site.touch("go");

    site.wait_for(running, Status::Passed).await;
    let workers = site.store().workers().await.expect("an answer");
    assert_eq!((workers.len(), workers[0].id, workers[0].draining), (1, session, true));
    assert_eq!(site.job(late).await.status, Status::Waiting);

    let other = site.start(1);
    site.wait_for(late, Status::Passed).await;
    worker.stop().await;
    other.stop().await;
}
