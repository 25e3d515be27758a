use chrono::{DateTime, Utc};
use jobrunner_core::{Batch, Job, lease::QueueState};
use serde_json::{Value, json};

use super::{BATCHES, JOBS, QUEUES, in_short};
use crate::table::{Column, Context, chosen, rendered};

const OWNER: &str = "0199c2f4-0000-7000-8000-0a1b00000001";
const NIGHTLY: &str = "0199c2f4-a1b2-7c3d-8e4f-0a1b5c1f09ab";

fn context() -> Context {
    let now = "2026-11-27T22:30:00Z".parse::<DateTime<Utc>>().expect("a time");
    let mut context = Context { now, ..Context::of(std::iter::empty()) };
    context.owners.insert(OWNER.parse().expect("an id"), "ada@example.com".to_owned());
    context.batches.insert(NIGHTLY.parse().expect("an id"), "nightly regression".to_owned());
    context
}

fn job(id: u32, name: &str, status: &str, more: &Value) -> Job {
    let mut job = json!({
        "id": format!("0199c2f4-a1b2-7c3d-8e4f-0a1b{id:08x}"), "owner_id": OWNER, "batch_id": NIGHTLY,
        "name": name, "command": ["make", "check"], "working_dir": "/work", "env": {}, "payload": {},
        "queue": "default", "priority": 5, "timeout_seconds": 3600, "scheduled_at": null,
        "max_attempts": 1, "inputs": [], "status": status, "attempt": 1,
        "created_at": "2026-11-27T21:50:00Z", "started_at": null, "finished_at": null, "result": null,
        "error": null});
    for (field, value) in more.as_object().into_iter().flatten() {
        job[field] = value.clone();
    }
    serde_json::from_value(job).expect("a job")
}

fn jobs() -> Vec<Job> {
    let result = |reason: &str, duration_ms: u64| {
        json!({"exit_code": 3, "signal": null, "reason": reason, "duration_ms": duration_ms,
               "stdout_bytes": 0, "stderr_bytes": 0, "truncated": false, "worker_id": OWNER})
    };
    vec![
        job(1, "waits", "waiting", &json!({"batch_id": null, "queue": "slow"})),
        job(2, "runs on", "running", &json!({"started_at": "2026-11-27T22:28:30Z"})),
        job(
            3,
            "a test with quite a long name [variant=debug, seed=12]",
            "failed",
            &json!({"error": "exited with code 3", "result": result("exit_code", 1234)}),
        ),
        job(
            4,
            "missing",
            "failed",
            &json!({
            "error": "program \"gcc-99\" was not found in PATH (/usr/local/bin:/usr/bin:/bin)",
            "result": result("spawn_failed", 0)}),
        ),
        job(
            0x5c1f_09ab,
            "日本語",
            "failed",
            &json!({"error": "ran longer than 3600 s and was killed", "result": result("timeout", 3_600_123)}),
        ),
    ]
}

fn shown<T>(columns: &'static [Column<T>], things: &[T]) -> String {
    let columns = chosen(columns, &[]).expect("the usual ones");
    let at = |width| rendered(&columns, things, &context(), Some(width));
    format!("{}\n\n{}", at(80), at(200))
}

#[test]
fn jobs_look_so_at_80_and_200_columns() {
    insta::assert_snapshot!("jobs", shown(JOBS, &jobs()));
}

#[test]
fn batches_look_so_at_80_and_200_columns() {
    let batch = |id: &str, rerun_of: Value, counts: [u64; 5]| -> Batch {
        let [waiting, running, passed, failed, canceled] = counts;
        let batch = json!({
            "id": id, "name": "nightly regression", "description": null, "payload": {},
            "owner_id": OWNER, "rerun_of": rerun_of, "status": "running",
            "counts": {"total": counts.iter().sum::<u64>(), "waiting": waiting, "running": running,
                       "passed": passed, "failed": failed, "canceled": canceled},
            "created_at": "2026-11-27T21:00:00Z", "started_at": "2026-11-27T21:01:00Z",
            "finished_at": null});
        serde_json::from_value(batch).expect("a batch")
    };
    let second = "0199c2f4-a1b2-7c3d-8e4f-0a1b77aa01bc";
    let batches = [
        batch(second, json!(NIGHTLY), [3, 2, 1, 0, 0]),
        batch(NIGHTLY, Value::Null, [0, 0, 19_994, 6, 0]),
    ];
    insta::assert_snapshot!("batches", shown(BATCHES, &batches));
}

#[test]
fn queues_look_so_at_80_and_200_columns() {
    let queue = |name: &str, paused| QueueState {
        name: name.to_owned(),
        paused,
        weight: 1.5,
        waiting: 20_000,
        running: 7,
        oldest_waiting_at: "2026-11-27T19:00:00Z".parse().ok(),
    };
    let queues = [queue("default", false), queue("soak-tests-of-the-weekend", true)];
    insta::assert_snapshot!("queues", shown(QUEUES, &queues));
}

#[test]
fn an_error_among_other_things_is_without_the_path() {
    let error = "the program foo was not found in PATH (/usr/bin:/bin)";
    assert_eq!(in_short(error), "the program foo was not found");
    assert_eq!(in_short("exited with code 3"), "exited with code 3");
    assert_eq!(in_short("x in PATH (/a"), "x");
}
