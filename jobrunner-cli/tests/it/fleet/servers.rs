use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{Backends, Fleet, Plan, client, load::Amount, on_both::on_both, until};

on_both!(
    a_batch_whose_server_was_killed_halfway_is_made_once_by_the_retry,
    servers_that_are_killed_lose_nothing_they_acknowledged,
);

/// Whether a batch is half stored in a transaction that is still open.
const HALFWAY: &str = "select exists (select from pg_stat_activity where backend_xid is not null \
                       and query like '-- A group of jobs of one owner%')";

async fn a_batch_whose_server_was_killed_halfway_is_made_once_by_the_retry(backends: Backends) {
    const SIZE: usize = 20_000;
    let mut fleet = Fleet::start(Plan { workers: 1, ..Plan::over(backends) }).await;
    // Nothing of it runs, so that it stands as it was stored.
    let job = json!({"name": "later", "command": ["true"], "scheduled_at": "2031-01-01T00:00:00Z"});
    let body = json!({"name": "large", "jobs": vec![job; SIZE]});
    let submitting = {
        let (clients, body) = (fleet.clients.clone(), body.clone());
        tokio::spawn(async move { client::submit(&clients, 0, &body, "large").await })
    };
    until("half of it to be stored", async || fleet.postgres.ask(HALFWAY) == "t").await;
    fleet.servers[0].kill();
    let made = submitting.await.expect("submitted");
    fleet.replace_server(0).await;

    let again = client::submit(&fleet.clients, 0, &body, "large").await;
    assert_eq!(again["id"], made["id"]);
    let client = fleet.client();
    assert_eq!(client.all("/job-batches").await.len(), 1);
    let path = format!("/job-batches/{}", made["id"].as_str().expect("an id"));
    assert_eq!(client.all(&format!("{path}/jobs")).await.len(), SIZE);
    assert_eq!(client.get("/jobs/stats").await["waiting"], SIZE);

    let canceled = client.send(Method::POST, &format!("{path}/cancel"), None, None).await;
    assert_eq!(canceled.expect("an answer").status, 200);
    let ended = client.ended(&path).await;
    assert_eq!(ended["counts"]["canceled"], SIZE, "{ended}");
}

async fn servers_that_are_killed_lose_nothing_they_acknowledged(backends: Backends) {
    let mut fleet = Fleet::start(Plan::over(backends)).await;
    let every = Duration::from_millis(50);
    let load = fleet.load(Amount { batches: 60, jobs_each: 4, every });
    fleet.ledger.started(20).await;
    fleet.servers[0].kill();
    fleet.ledger.started(100).await;
    fleet.replace_server(0).await;
    // Those who submit know nothing of the new server: the other one is all they have until its
    // end.
    let batches = load.await.expect("submitted");
    fleet.replace_server(1).await;
    let reckoned = fleet.settle(&batches).await;
    assert_eq!(reckoned.lost(), 0);

    for batch in &batches {
        let again = client::submit(&fleet.clients, 0, &batch.body, &batch.key).await;
        assert_eq!(again["id"], batch.id, "a retry finds what was made");
    }
    assert_eq!(fleet.client().all("/job-batches").await.len(), batches.len());
}
