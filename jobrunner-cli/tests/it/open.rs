//! Everything that is open is canceled at once.

use std::time::{Duration, Instant};

use jobrunner_core::testkit::allowed;
use serde_json::{Value, json};

use crate::{
    client::{jobrunner, text},
    service::{EMAIL, PASSWORD, Service},
};

#[tokio::test]
async fn twenty_thousand_jobs_are_canceled_by_one_command_and_listed_by_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let run = |arguments: &[&str]| {
        let ended = jobrunner(home.path(), &service.url, arguments);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
        text(&ended.stdout)
    };
    run(&["login", "--email", EMAIL]);
    let running = service.job("running", &["sleep", "600"], Value::Null).await;
    service.until(&format!("/jobs/{running}"), "status", &json!("running")).await;
    let jobs: Vec<Value> =
        (0..20_000).map(|n| json!({"name": n.to_string(), "command": ["true"]})).collect();
    let (status, batch) = service.post("/job-batches", &json!({"name": "b", "jobs": jobs})).await;
    assert_eq!(status, 202, "{batch}");

    let began = Instant::now();
    let canceled = run(&["cancel", "--mine"]);
    assert!(began.elapsed() < allowed(Duration::from_secs(1)), "{:?}", began.elapsed());
    assert_eq!(canceled, "20000 canceled, 1 being ended\n");
    let id = batch["id"].as_str().expect("an id");
    let batch = service.get(&format!("/job-batches/{id}")).await;
    assert_eq!(
        (&batch["status"], &batch["counts"]["canceled"]),
        (&json!("canceled"), &json!(20_000))
    );
    assert_eq!(service.ended(&format!("/jobs/{running}")).await["status"], "canceled");
    assert_eq!(run(&["cancel", "--all"]), "0 canceled, 0 being ended\n");

    let began = Instant::now();
    let listed = run(&["jobs", "list", "--all", "-o", "json"]);
    assert!(began.elapsed() < allowed(Duration::from_secs(1)), "{:?}", began.elapsed());
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed.len(), 20_001);
}

#[tokio::test]
async fn only_those_are_canceled_that_were_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let run = |arguments: &[&str]| {
        let ended = jobrunner(home.path(), &service.url, arguments);
        (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
    };
    assert_eq!(run(&["login", "--email", EMAIL]).0, Some(0));
    let account = json!({"email": "ada@example.com", "password": PASSWORD, "role": "operator"});
    assert_eq!(service.post("/users", &account).await.0, 201);
    service.job("mine", &["true"], Value::Null).await;
    for arguments in [&["cancel"][..], &["cancel", "--mine", "--all"]] {
        let (code, _, said) = run(arguments);
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    }
    let of_ada = run(&["cancel", "--owner", "ada@example.com"]).1;
    assert_eq!(of_ada, "0 canceled, 0 being ended\n");
    assert_eq!(run(&["cancel", "--all"]).1, "1 canceled, 0 being ended\n");

    assert_eq!(run(&["login", "--email", "ada@example.com"]).0, Some(0));
    let (code, _, said) = run(&["cancel", "--owner", EMAIL]);
    assert_eq!((code, said.lines().count()), (Some(77), 1), "{said}");
}
