use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::{
    Backends, Fleet, Plan, client,
    load::{Amount, Batch},
    on_both::on_both,
    until,
};

on_both!(
    workers_that_are_killed_cost_their_jobs_an_attempt_and_nothing_else,
    jobs_outlive_the_death_of_all_workers_at_once,
    a_worker_that_was_stopped_past_its_lease_is_not_believed_and_kills_what_it_runs,
    a_worker_that_was_stopped_amid_a_transaction_does_not_keep_the_others_from_work,
    a_rolling_restart_costs_no_job_an_attempt,
);

/// 200 jobs over about three seconds.
const LOAD: Amount = Amount { batches: 20, jobs_each: 10, every: Duration::from_millis(150) };

async fn workers_that_are_killed_cost_their_jobs_an_attempt_and_nothing_else(backends: Backends) {
    let mut fleet = Fleet::start(Plan::over(backends)).await;
    let load = fleet.load(LOAD);
    for victim in [0, 1] {
        fleet.ledger.started(40 * (victim + 1)).await;
        until("it to run something", async || fleet.workers[victim].children() > 0).await;
        match victim {
            0 => fleet.workers[victim].kill(),
            _ => fleet.workers[victim].signal_runner(Signal::KILL),
        }
    }
    fleet.replace_worker(0);
    let reckoned = fleet.settle(&load.await.expect("submitted")).await;
    assert!(reckoned.lost() > 0, "no worker was killed while it ran something");
}

async fn jobs_outlive_the_death_of_all_workers_at_once(backends: Backends) {
    let plan = Plan::over(backends);
    let mut fleet = Fleet::start(plan).await;
    let load = fleet.load(LOAD);
    fleet.ledger.started(60).await;
    fleet.workers.iter_mut().for_each(super::Daemon::kill);
    let batches = load.await.expect("submitted");
    for number in 0..plan.workers {
        fleet.replace_worker(number);
    }
    let reckoned = fleet.settle(&batches).await;
    assert!(reckoned.lost() > 0, "no worker was killed while it ran something");
}

async fn a_worker_that_was_stopped_past_its_lease_is_not_believed_and_kills_what_it_runs(
    backends: Backends,
) {
    let mut fleet = Fleet::start(Plan { workers: 1, ..Plan::over(backends) }).await;
    let long = json!({"name": "long", "jobs": [fleet.ledger.long_at_first()]});
    let id = client::submit(&fleet.clients, 0, &long, "long").await["id"].clone();
    let id = id.as_str().expect("an id").to_owned();
    let mut batches = vec![Batch { id: id.clone(), size: 1, body: long, key: "long".to_owned() }];
    fleet.ledger.started(1).await;
    let (job, _) = fleet.ledger.read().starts.into_keys().next().expect("a line");
    let load = fleet.load(LOAD);
    // More than the long one, so that results come while it is stopped.
    until("it to run more", async || fleet.workers[0].children() > 1).await;
    fleet.workers[0].signal_runner(Signal::STOP);
    for number in [1, 2] {
        let worker = fleet.site.worker(number, fleet.plan.slots);
        fleet.workers.push(worker);
    }
    batches.extend(load.await.expect("submitted"));
    // The others have taken its jobs back and run them again.
    fleet.client().ended(&format!("/job-batches/{id}")).await;
    assert!(fleet.site.runs(&job, 1), "a worker that is stopped cannot kill what it runs");

    fleet.workers[0].signal_runner(Signal::CONT);
    until("what it ran to be killed", async || !fleet.site.runs(&job, 1)).await;
    fleet.workers_to_be(3).await;
    let more = Amount { batches: 3, ..LOAD };
    batches.extend(fleet.load(more).await.expect("submitted"));
    let reckoned = fleet.settle(&batches).await;
    let is_late = |attempt: &&super::reckoning::Attempt| {
        let key = (attempt.job.clone(), attempt.number);
        attempt.is_lost() && reckoned.ran.ends.contains_key(&key)
    };
    let late = reckoned.attempts.iter().filter(is_late).count();
    assert!(late > 0, "no result came late, so none was refused");
}

/// Whether a process holds locks in a transaction that it does not go on with.
const HELD_UP: &str = "select exists (select from pg_stat_activity \
                       where state = 'idle in transaction' and backend_xid is not null \
                       and state_change < clock_timestamp() - interval '50 ms')";

async fn a_worker_that_was_stopped_amid_a_transaction_does_not_keep_the_others_from_work(
    backends: Backends,
) {
    let fleet = Fleet::start(Plan::over(backends)).await;
    // Enough for the worker to be caught: a transaction is short, and most tries miss it.
    let load = fleet.load(Amount { batches: 120, ..LOAD });
    fleet.ledger.started(20).await;
    let worker = &fleet.workers[0];
    until("it to be stopped within a transaction", async || {
        worker.signal_runner(Signal::STOP);
        tokio::time::sleep(Duration::from_millis(60)).await;
        let caught = fleet.postgres.ask(HELD_UP) == "t";
        if !caught {
            worker.signal_runner(Signal::CONT);
        }
        caught
    })
    .await;
    // More than the others have claimed already.
    let before = fleet.ledger.read().starts.len();
    fleet.ledger.started(before + 5 * fleet.plan.slots).await;
    fleet.settle(&load.await.expect("submitted")).await;
    worker.signal_runner(Signal::CONT);
    fleet.workers_to_be(3).await;
}

async fn a_rolling_restart_costs_no_job_an_attempt(backends: Backends) {
    let plan = Plan::over(backends);
    let mut fleet = Fleet::start(plan).await;
    let load = fleet.load(Amount { batches: 30, ..LOAD });
    for number in 0..plan.workers {
        fleet.ledger.started(30 * (number + 1)).await;
        fleet.workers[number].signal(Signal::TERM);
        let status = fleet.workers[number].ended().await;
        assert!(status.success(), "{status}");
        fleet.replace_worker(number);
        fleet.workers_to_be(plan.workers).await;
    }
    let reckoned = fleet.settle(&load.await.expect("submitted")).await;
    assert_eq!(reckoned.lost(), 0);
}
