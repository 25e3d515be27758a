//! Jobs that a worker holds and has not started: of short jobs it leases more than it has slots.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Backends, Fleet, Plan, client, on_both::on_both, until};

on_both!(
    a_worker_that_leaves_gives_back_what_it_holds_without_a_charge,
    workers_that_are_killed_with_jobs_that_they_hold_cost_these_a_loss_at_most,
    a_job_that_kills_its_workers_fails_and_takes_no_other_with_it,
);

/// So many that they take much longer than a worker holds jobs.
const JOBS: usize = 3000;

fn short_jobs(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({"name": n.to_string(), "command": ["true"]})).collect()
}

/// Submits the jobs as one batch, and returns its path.
async fn submit(fleet: &Fleet, jobs: Vec<Value>) -> String {
    let body = json!({"name": "short", "jobs": jobs});
    let batch = client::submit(&fleet.clients, 0, &body, "short").await;
    format!("/job-batches/{}", batch["id"].as_str().expect("an id"))
}

async fn count(fleet: &Fleet, batch: &str, status: &str) -> u64 {
    let counts = fleet.client().get(batch).await["counts"].clone();
    counts[status].as_u64().expect("a count")
}

async fn until_passed(fleet: &Fleet, batch: &str, passed: u64) {
    until(&format!("{passed} to have passed"), async || {
        count(fleet, batch, "passed").await >= passed
    })
    .await;
}

async fn a_worker_that_leaves_gives_back_what_it_holds_without_a_charge(backends: Backends) {
    let mut fleet = Fleet::start(Plan { workers: 1, slots: 2, ..Plan::over(backends) }).await;
    let batch = submit(&fleet, short_jobs(JOBS)).await;
    for round in 1..=3 {
        until_passed(&fleet, &batch, 200 * round).await;
        fleet.workers[0].signal(Signal::TERM);
        assert!(fleet.workers[0].ended().await.success());
        assert_eq!(count(&fleet, &batch, "running").await, 0, "nothing is left with the worker");
        fleet.replace_worker(0);
    }
    fleet.client().ended(&batch).await;
    for job in fleet.client().all(&format!("{batch}/jobs")).await {
        assert_eq!((&job["status"], &job["attempt"]), (&json!("passed"), &json!(1)), "{job}");
    }
}

async fn workers_that_are_killed_with_jobs_that_they_hold_cost_these_a_loss_at_most(
    backends: Backends,
) {
    let fleet = Fleet::start(Plan { workers: 1, slots: 2, ..Plan::over(backends) }).await;
    let batch = submit(&fleet, short_jobs(JOBS)).await;
    for round in 1..=2 {
        until_passed(&fleet, &batch, 300 * round).await;
        fleet.workers[0].signal_runner(Signal::KILL);
        until("it to be replaced", async || fleet.workers[0].restarts() == round as usize).await;
        let held = count(&fleet, &batch, "running").await;
        assert!(held > 2, "the worker of two slots held {held} jobs");
    }
    let ended = fleet.client().ended(&batch).await;
    assert_eq!(ended["counts"]["passed"], JOBS, "{ended}");
    assert_eq!(ended["flaky"], 0, "a loss is no failure: {ended}");
    let jobs = fleet.client().all(&format!("{batch}/jobs")).await;
    let lost: Vec<&Value> = jobs.iter().filter(|job| job["attempt"] != 1).collect();
    assert!(!lost.is_empty(), "nothing was lost with its worker");
    for job in lost.iter().take(20) {
        let path = format!("/jobs/{}/attempts", job["id"].as_str().expect("an id"));
        let attempts = fleet.client().get(&path).await["items"].clone();
        let reasons: Vec<&str> = attempts
            .as_array()
            .expect("a list")
            .iter()
            .map(|attempt| attempt["result"]["reason"].as_str().unwrap_or("none"))
            .collect();
        let (last, before) = reasons.split_last().expect("attempts");
        assert_eq!(*last, "none", "{attempts}");
        assert!(before.iter().all(|reason| *reason == "worker_lost"), "{attempts}");
    }
}

async fn a_job_that_kills_its_workers_fails_and_takes_no_other_with_it(backends: Backends) {
    let fleet = Fleet::start(Plan { workers: 2, slots: 2, ..Plan::over(backends) }).await;
    let mut jobs = short_jobs(JOBS);
    jobs[JOBS / 2] = json!({"name": "poison", "command": ["sh", "-c", "kill -9 $PPID"]});
    let batch = submit(&fleet, jobs).await;
    let ended = fleet.client().ended(&batch).await;
    assert_eq!(ended["counts"]["passed"], JOBS - 1, "{ended}");
    assert_eq!(ended["flaky"], 0, "a loss is no failure: {ended}");
    let killed: usize = fleet.workers.iter().map(super::Daemon::restarts).sum();
    assert_eq!(killed, 4, "its budget is three losses");
    for job in fleet.client().all(&format!("{batch}/jobs")).await {
        if job["name"] == "poison" {
            assert_eq!(job["result"]["reason"], "worker_lost", "{job}");
            assert_eq!(job["attempt"], 4, "{job}");
            let error = job["error"].as_str().expect("a sentence");
            assert!(
                error.contains("lost its worker 4 times, 2 of them while it ran alone"),
                "{job}"
            );
        } else {
            // From its third attempt on the poison runs alone.
            assert!(job["attempt"].as_u64().is_some_and(|attempts| attempts <= 3), "{job}");
        }
    }
    // Nobody started them again.
    fleet.workers_to_be(2).await;
}
