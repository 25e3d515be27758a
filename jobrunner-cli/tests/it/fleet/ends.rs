//! How long it takes to end what runs on another host, against what P6 and P7 allow.

use std::time::{Duration, Instant};

use jobrunner_core::testkit::allowed;
use serde_json::{Value, json};

use super::{Backends, Fleet, Plan, client, on_both::on_both, until};

on_both!(
    p6_a_cancel_reaches_running_commands_of_other_processes_in_time,
    p7_a_timeout_is_kept_whatever_the_command_does,
    a_cancel_of_a_large_batch_is_answered_soon_and_stops_claims,
);

/// The grace of the workers here.
const GRACE: Duration = Duration::from_secs(1);

/// Ignores SIGTERM, and so does its daemon, which left the session.
const STUBBORN: &str = "trap '' TERM; setsid sh -c 'trap \"\" TERM; touch up; sleep 300' & \
                        while :; do sleep 0.2; done";

async fn started(fleet: &Fleet, name: &str, script: &str, more: Value) -> String {
    let mut job = json!({"name": name, "command": ["sh", "-c", script],
        "working_dir": fleet.directory()});
    for (key, value) in more.as_object().into_iter().flatten() {
        job[key] = value.clone();
    }
    let accepted = fleet.client().post("/jobs", &job).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    accepted.body["id"].as_str().expect("an id").to_owned()
}

/// Whether any process has this argument.
fn is_alive(argument: &str) -> bool {
    let processes = jobrunner_core::executor::processes::all().expect("a table");
    processes.iter().any(|process| {
        let line = std::fs::read(format!("/proc/{}/cmdline", process.id.as_raw_pid()));
        let line = line.unwrap_or_default();
        line.split(|byte| *byte == 0).any(|part| part == argument.as_bytes())
    })
}

async fn p6_a_cancel_reaches_running_commands_of_other_processes_in_time(backends: Backends) {
    let fleet = Fleet::start(Plan::over(backends)).await;
    let mut took = Vec::new();
    for round in 0..5 {
        let marker = format!("jobrunner-p6-{}-{round}", fleet.directory().display());
        let script = format!("exec -a {marker} sleep 300");
        let bash = json!({"command": ["bash", "-c", script]});
        let job = started(&fleet, "listens", "", bash).await;
        until("it to run", async || is_alive(&marker)).await;
        let canceled = Instant::now();
        // Through the other server than the one that took it.
        fleet.clients[1].post(&format!("/jobs/{job}/cancel"), &json!({})).await;
        until("the command to end", async || !is_alive(&marker)).await;
        took.push(canceled.elapsed());
        let ended = fleet.client().ended(&format!("/jobs/{job}")).await;
        assert_eq!(ended["status"], "canceled", "{ended}");
    }
    eprintln!("from a cancel to the end of the command: {took:?}");
    assert!(took.iter().all(|took| *took < allowed(Duration::from_secs(2))), "{took:?}");

    let job = started(&fleet, "stubborn", STUBBORN, json!({})).await;
    until("it to run", async || fleet.directory().join("up").exists()).await;
    let canceled = Instant::now();
    fleet.client().post(&format!("/jobs/{job}/cancel"), &json!({})).await;
    let ended = fleet.client().ended(&format!("/jobs/{job}")).await;
    assert_eq!(ended["status"], "canceled", "{ended}");
    assert!(
        canceled.elapsed() < GRACE + allowed(Duration::from_secs(5)),
        "{:?}",
        canceled.elapsed()
    );
}

async fn p7_a_timeout_is_kept_whatever_the_command_does(backends: Backends) {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let fleet = Fleet::start(Plan::over(backends)).await;
    let stopped = "kill -STOP $$";
    let holding = "setsid sleep 300 & exec sleep 300";
    let bomb = "for i in $(seq 50); do (trap '' TERM; sleep 300 & wait) & done; wait";
    let scripts = [STUBBORN, stopped, holding, bomb];
    let mut jobs = Vec::new();
    for script in scripts {
        jobs.push(started(&fleet, script, script, json!({"timeout_seconds": 2})).await);
    }
    for job in jobs {
        let ended = fleet.client().ended(&format!("/jobs/{job}")).await;
        assert_eq!(ended["result"]["reason"], "timeout", "{ended}");
        let ran = Duration::from_millis(ended["result"]["duration_ms"].as_u64().expect("a time"));
        eprintln!("{} ran for {ran:?}", ended["name"]);
        let most = TIMEOUT + GRACE + allowed(Duration::from_secs(2));
        assert!(ran >= TIMEOUT && ran <= most, "{ended}");
    }
    // The slots are free again, and nothing that was started is alive.
    let last = started(&fleet, "last", "true", json!({})).await;
    assert_eq!(fleet.client().ended(&format!("/jobs/{last}")).await["status"], "passed");
    until("nothing to run", async || fleet.workers.iter().all(|worker| worker.children() == 0))
        .await;
}

async fn a_cancel_of_a_large_batch_is_answered_soon_and_stops_claims(backends: Backends) {
    const JOBS: usize = 20_000;
    let fleet = Fleet::start(Plan::over(backends)).await;
    let job = json!({"name": "job", "command": ["sleep", "0.05"]});
    let batch = json!({"name": "large", "jobs": vec![job; JOBS]});
    let batch = client::submit(&fleet.clients, 0, &batch, "large").await;
    let path = format!("/job-batches/{}", batch["id"].as_str().expect("an id"));
    until("some to have passed", async || {
        fleet.client().get(&path).await["counts"]["passed"].as_u64() > Some(5)
    })
    .await;
    let asked = Instant::now();
    let answer = fleet.client().post(&format!("{path}/cancel"), &json!({})).await;
    let took = asked.elapsed();
    eprintln!("a cancel of {JOBS} jobs was answered in {took:?}");
    assert!(answer.is_success(), "{answer:?}");
    assert_eq!(answer.body["counts"]["waiting"], 0, "{answer:?}");
    let ended = fleet.client().ended(&path).await;
    let counts = &ended["counts"];
    let number = |name: &str| counts[name].as_u64().expect("a number");
    assert_eq!(number("passed") + number("canceled") + number("failed"), JOBS as u64, "{counts}");
    assert!(number("canceled") > JOBS as u64 / 2, "{counts}");
}
