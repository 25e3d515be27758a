use std::time::Instant;

use serde_json::{Value, json};

use crate::service::Service;

const JOBS: usize = 100_000;

#[tokio::test]
async fn a_batch_of_100_000_jobs_is_taken_in_one_request_and_listed_in_bounded_memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let member = |n: usize| {
        json!({
            "name": format!("regression/module_{}/test_{n}", n / 100),
            "command": ["python3", "-m", "pytest", "-x", format!("tests/test_{n}.py")],
            "env": {"SUITE": "nightly", "SEED": n.to_string()},
            "timeout_seconds": 600,
        })
    };
    let jobs: Vec<Value> = (0..JOBS).map(member).collect();
    let body = serde_json::to_vec(&json!({"name": "big", "jobs": jobs})).expect("JSON");
    let size = body.len() as u64;

    let started = Instant::now();
    let parsed: Value = serde_json::from_slice(&body).expect("JSON");
    let parse = started.elapsed();
    assert_eq!(parsed["jobs"].as_array().expect("a list").len(), JOBS);
    let before = service.resident();
    let started = Instant::now();
    let (status, batch) = service.post_bytes("/job-batches", body).await;
    let took = started.elapsed();
    assert_eq!((status, &batch["counts"]["waiting"]), (202, &json!(JOBS)), "{batch}");
    let accepted = service.resident();
    println!(
        "{size} bytes accepted in {took:.2?}, {:.0} × the time to parse them; memory {} + {} bytes",
        took.as_secs_f64() / parse.as_secs_f64(),
        before,
        accepted.saturating_sub(before),
    );

    let path = format!("/job-batches/{}/jobs?limit=1000", batch["id"].as_str().expect("an id"));
    let (mut seen, mut next, mut most) = (0, path.clone(), accepted);
    loop {
        let page = service.get(&next).await;
        for job in page["items"].as_array().expect("a list") {
            seen += 1;
            assert_eq!(job["env"]["SEED"], (JOBS - seen).to_string());
        }
        most = most.max(service.resident());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("{path}&cursor={cursor}");
    }
    assert_eq!(seen, JOBS);
    println!("listing all of them took {} bytes more", most.saturating_sub(accepted));
    assert!(most.saturating_sub(accepted) <= size, "{most} after {accepted}");
}
