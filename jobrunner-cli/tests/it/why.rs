//! Why a job waits, as `jobrunner jobs why` and the API say it.

use jobrunner_core::testkit::wait_until;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{jobrunner, text},
    service::{EMAIL, PASSWORD, Service},
};

/// The reasons that a job waits for, and the one that is printed first.
async fn reasons(service: &Service, job: &str) -> Vec<String> {
    let holds = service.get(&format!("/jobs/{job}/holds")).await;
    let holds = holds["items"].as_array().expect("a list").iter();
    holds.map(|hold| hold["reason"].as_str().expect("a word").to_owned()).collect()
}

/// A day from now, to the second.
fn tomorrow() -> String {
    let time = chrono::Utc::now() + chrono::TimeDelta::days(1);
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

async fn change(service: &Service, path: &str, change: &Value) {
    let answer = service.request(Method::PATCH, path).json(change).send().await;
    assert_eq!(answer.expect("an answer").status(), 200, "{path} {change}");
}

#[tokio::test]
async fn a_job_that_waits_says_why_and_when_it_starts() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let run = |arguments: &[&str]| jobrunner(home.path(), &service.url, arguments);
    assert_eq!(run(&["login", "--email", EMAIL]).status.code(), Some(0));
    let printed = |job: &str| {
        let why = run(&["jobs", "why", job]);
        assert_eq!(why.status.code(), Some(0), "{}", text(&why.stderr));
        text(&why.stdout)
    };

    let busy = service.job("busy", &["sleep", "600"], json!({})).await;
    service.until(&format!("/jobs/{busy}"), "status", &json!("running")).await;
    assert_eq!(printed(&busy), "it is running\n");
    let turn = service.job("turn", &["true"], json!({})).await;
    assert_eq!(reasons(&service, &turn).await, ["turn"]);
    let told = "it waits: its turn has not come; 1 slot serves its queue \"default\", in which 1 job could start now; owners take turns, and the queues of each share its turns\n";
    assert_eq!(printed(&turn), told);

    let tonight = tomorrow();
    let later = service.job("later", &["true"], json!({"scheduled_at": tonight})).await;
    assert_eq!(reasons(&service, &later).await, ["scheduled"]);
    assert_eq!(printed(&later), format!("it waits: it was submitted for {tonight}\n"));
    let holds = run(&["jobs", "why", &later, "--output", "json"]);
    let holds: Value = serde_json::from_slice(&holds.stdout).expect("JSON alone");
    assert_eq!(holds[0]["until"], tonight);

    let paused = service.job("paused", &["true"], json!({"queue": "night"})).await;
    change(&service, "/queues/night", &json!({"paused": true})).await;
    assert_eq!(reasons(&service, &paused).await, ["queue_paused"]);
    assert!(printed(&paused).contains("\"night\" is paused"), "{}", printed(&paused));
    change(&service, "/queues/night", &json!({"paused": false})).await;
    assert_eq!(reasons(&service, &paused).await, ["turn"]);

    let me = service.get("/users/me").await;
    let me = format!("/users/{}", me["id"].as_str().expect("an id"));
    change(&service, &me, &json!({"max_running_jobs": 1})).await;
    assert_eq!(reasons(&service, &turn).await, ["account_limit"]);
    assert!(printed(&turn).contains("has 1 job running, as many as allowed"), "{}", printed(&turn));
    change(&service, &me, &json!({"max_running_jobs": null})).await;

    let workers = service.get("/workers").await;
    let worker = workers["items"][0]["id"].as_str().expect("a worker");
    let drain = service.request(Method::POST, &format!("/workers/{worker}/drain")).send().await;
    assert!(drain.expect("an answer").status().is_success());
    assert_eq!(reasons(&service, &turn).await, ["no_worker"]);
    assert!(printed(&turn).contains("is draining"), "{}", printed(&turn));

    assert_eq!(run(&["jobs", "cancel", &turn]).status.code(), Some(0));
    assert_eq!(reasons(&service, &turn).await, [""; 0]);
    assert!(printed(&turn).starts_with("it is canceled"), "{}", printed(&turn));
    let unknown = run(&["jobs", "why", "0190b2f4-0000-7000-8000-000000000000"]);
    assert!(text(&unknown.stderr).contains("no such job"), "{}", text(&unknown.stderr));
}

#[tokio::test]
async fn a_job_between_two_attempts_says_when_the_next_one_starts() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let retry = json!({"max_attempts": 3, "retry": {"on": [1], "delay_seconds": 600}});
    let job = service.job("flaky", &["false"], retry).await;
    let holds = wait_until("the pause after the first attempt", async || {
        let holds = service.get(&format!("/jobs/{job}/holds")).await;
        (holds["items"][0]["reason"] == "retry_delay").then_some(holds)
    })
    .await;
    let attempts = service.get(&format!("/jobs/{job}/attempts")).await;
    let time = |value: &Value| -> chrono::DateTime<chrono::Utc> {
        serde_json::from_value(value.clone()).expect("a time")
    };
    let ended = time(&attempts["items"][0]["finished_at"]);
    assert_eq!(ended + chrono::TimeDelta::seconds(600), time(&holds["items"][0]["until"]));
}

#[tokio::test]
async fn the_waiting_jobs_of_a_disabled_account_say_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let ada = json!({"email": "ada@example.com", "password": PASSWORD, "role": "operator"});
    let (_, ada) = service.post("/users", &ada).await;
    let token = service.token_of("ada@example.com").await;
    let later = json!({"name": "j", "command": ["true"], "scheduled_at": tomorrow()});
    let request = service.request_with(&token, Method::POST, "/jobs").json(&later);
    let job: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    let path = format!("/users/{}", ada["id"].as_str().expect("an id"));
    change(&service, &path, &json!({"is_active": false})).await;
    let job = job["id"].as_str().expect("an id");
    assert_eq!(reasons(&service, job).await, ["owner_disabled", "scheduled"]);
}
