use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::task::block_in_place;

use super::{Backends, Fleet, Plan, client::Client, load::Amount, on_both::on_both, until};

on_both!(
    a_database_that_crashes_again_and_again_loses_nothing_it_acknowledged,
    requests_are_put_off_while_the_database_is_away_and_everything_goes_on_afterwards,
    nothing_is_lost_when_every_connection_is_cut,
);

/// 240 jobs over about six seconds.
const LOAD: Amount = Amount { batches: 40, jobs_each: 6, every: Duration::from_millis(150) };

async fn a_database_that_crashes_again_and_again_loses_nothing_it_acknowledged(backends: Backends) {
    let mut fleet = Fleet::start(Plan::over(backends)).await;
    let load = fleet.load(LOAD);
    let asking: Vec<_> = fleet.clients.iter().cloned().map(|c| tokio::spawn(ask(c))).collect();
    for crash in 1..=3 {
        fleet.ledger.started(40 * crash).await;
        block_in_place(|| fleet.postgres.restart_immediately());
    }
    let batches = load.await.expect("submitted");
    fleet.settle(&batches).await;
    for asking in asking {
        // Whatever it was answered was judged by the client.
        assert!(!asking.is_finished(), "a server did not answer as it should");
        asking.abort();
    }
}

/// Asks without a pause, for ever.
async fn ask(client: Client) {
    loop {
        for path in ["/jobs/stats", "/jobs?limit=10", "/workers", "/health", "/users/me"] {
            let answer = client.send(Method::GET, path, None, None).await;
            let answer = answer.expect("the server answers, whatever has happened behind it");
            assert!([200, 503].contains(&answer.status), "{path}: {answer:?}");
        }
    }
}

async fn requests_are_put_off_while_the_database_is_away_and_everything_goes_on_afterwards(
    backends: Backends,
) {
    let mut fleet = Fleet::start(Plan::over(backends)).await;
    let load = fleet.load(LOAD);
    fleet.ledger.started(60).await;
    block_in_place(|| fleet.postgres.stop());
    let job = json!({"name": "j", "command": ["true"]});
    let requests = [
        (Method::GET, "/jobs/stats", None),
        (Method::POST, "/jobs", Some(&job)),
        (Method::GET, "/health", None),
    ];
    for (method, path, body) in requests {
        let answer = fleet.client().send(method, path, body, None).await;
        assert_eq!(answer.expect("an answer").status, 503, "{path}");
    }
    let live = fleet.client().send(Method::GET, "/health/live", None, None).await;
    assert_eq!(live.expect("an answer").status, 200);
    // Longer than the leases hold, so that the workers cannot be sure of them any more.
    for worker in &fleet.workers {
        worker.says("the worker kills what it runs").await;
    }
    block_in_place(|| fleet.postgres.start_again());
    fleet.settle(&load.await.expect("submitted")).await;
    fleet.workers_to_be(fleet.plan.workers).await;
}

async fn nothing_is_lost_when_every_connection_is_cut(backends: Backends) {
    let fleet = Fleet::start(Plan::over(backends)).await;
    let load = fleet.load(LOAD);
    let asking = tokio::spawn(ask(fleet.client().clone()));
    for cut in 1..=8 {
        fleet.ledger.started(20 * cut).await;
        let connections = block_in_place(|| fleet.postgres.disconnect_all());
        assert!(connections > 0, "there was nothing to cut");
    }
    let reckoned = fleet.settle(&load.await.expect("submitted")).await;
    assert_eq!(reckoned.lost(), 0, "connections are made again long before a lease ends");
    until("an answer", async || !asking.is_finished()).await;
    asking.abort();
}
