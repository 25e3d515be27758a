use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Backends, Fleet, Plan, client, on_both::on_both, until};
use crate::up::{member, output};

on_both!(
    commands_submitted_through_one_server_are_watched_to_their_exact_ends_through_the_other,
    an_owner_at_the_limit_waits_while_others_go_on,
);

async fn commands_submitted_through_one_server_are_watched_to_their_exact_ends_through_the_other(
    backends: Backends,
) {
    let fleet = Fleet::start(Plan::over(backends)).await;
    let [submitting, watching] = &fleet.clients[..] else { panic!("two servers") };
    let jobs: Vec<Value> = (0..500).map(member).collect();
    let batch = submitting.post("/job-batches", &json!({"name": "b", "jobs": jobs})).await;
    assert_eq!(batch.status, 202, "{batch:?}");
    let path = format!("/job-batches/{}", batch.body["id"].as_str().expect("an id"));
    let ended = watching.ended(&path).await;
    let expected = json!({"total": 500, "waiting": 0, "running": 0, "passed": 400, "failed": 100,
        "canceled": 0});
    assert_eq!((&ended["status"], &ended["counts"]), (&json!("failed"), &expected));
    assert_eq!(watching.get("/jobs/stats").await, expected);

    let members = watching.all(&format!("{path}/jobs")).await;
    assert_eq!(members.len(), 500);
    for (n, job) in members.iter().rev().enumerate() {
        assert_eq!(job["name"], format!("test {n}"));
        let failing = n % 5 == 1;
        assert_eq!(job["status"], if failing { "failed" } else { "passed" }, "{job}");
        assert_eq!(job["result"]["exit_code"], if failing { 3 } else { 0 }, "{job}");
        assert_eq!(job["attempt"], 1, "{job}");
        let (stdout, stderr) = output(n);
        let logs = watching.get(&format!("/jobs/{}/logs", job["id"].as_str().expect("id"))).await;
        assert_eq!((&logs["stdout"], &logs["stderr"]), (&json!(stdout), &json!(stderr)));
        assert_eq!((&logs["complete"], &logs["truncated"]), (&json!(true), &json!(false)));
    }

    let workers = watching.get("/workers").await;
    let workers = workers["items"].as_array().expect("a list");
    let mut pids: Vec<&Value> = workers.iter().map(|worker| &worker["pid"]).collect();
    let mut expected: Vec<Value> =
        fleet.workers.iter().map(|w| json!(w.runner().as_raw_pid())).collect();
    pids.sort_by_key(|pid| pid.as_u64());
    expected.sort_by_key(Value::as_u64);
    assert_eq!(pids, expected.iter().collect::<Vec<_>>());
}

async fn an_owner_at_the_limit_waits_while_others_go_on(backends: Backends) {
    const AT_MOST: u64 = 2;
    let fleet = Fleet::start(Plan::over(backends)).await;
    let admin = fleet.client();
    let user = json!({"email": "limited@example.com", "password": "quite a long password",
        "role": "operator", "max_running_jobs": AT_MOST});
    let made = admin.post("/users", &user).await;
    assert_eq!(made.status, 201, "{made:?}");
    let limited = admin.signed_in_as("limited@example.com", "quite a long password").await;
    let gate = fleet.directory().join("gate");
    let wait = format!("until test -e {}; do sleep 0.05; done", gate.display());
    let job = json!({"name": "waits", "command": ["sh", "-c", wait]});
    let held = json!({"name": "limited", "jobs": vec![job; 8]});
    let held = client::submit(std::slice::from_ref(&limited), 0, &held, "held").await;
    let stats = async || limited.get("/jobs/stats").await;
    until("two jobs to run", async || stats().await["running"] == AT_MOST).await;

    // Through servers and workers that have the eight on offer all the time.
    let jobs: Vec<Value> = (0..60).map(member).collect();
    let others = client::submit(&fleet.clients, 1, &json!({"name": "b", "jobs": jobs}), "o").await;
    admin.ended(&format!("/job-batches/{}", others["id"].as_str().expect("an id"))).await;
    let standing = stats().await;
    assert_eq!((&standing["running"], &standing["waiting"]), (&json!(AT_MOST), &json!(6)));

    std::fs::write(&gate, "").expect("written");
    let path = format!("/job-batches/{}", held["id"].as_str().expect("an id"));
    let ended = limited.ended(&path).await;
    assert_eq!(ended["counts"]["passed"], 8, "{ended}");
    let mut spans = Vec::new();
    for job in limited.all(&format!("{path}/jobs")).await {
        let id = job["id"].as_str().expect("an id");
        let attempts = limited.get(&format!("/jobs/{id}/attempts")).await;
        let time = |field: &str| -> DateTime<Utc> {
            attempts["items"][0][field].as_str().expect("a time").parse().expect("a time")
        };
        spans.push((time("started_at"), time("finished_at")));
    }
    for (start, _) in &spans {
        let beside = spans.iter().filter(|(from, to)| from <= start && start < to).count();
        assert!(beside as u64 <= AT_MOST, "{beside} ran at one time: {spans:?}");
    }
}
