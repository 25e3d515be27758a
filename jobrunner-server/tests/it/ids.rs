//! Jobs and batches are found by a part of their id.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

async fn ids(app: &TestApp, token: &str, path: &str) -> Vec<String> {
    let (status, page) = app.json(app.request(Method::GET, path, token)).await;
    assert_eq!(status, 200, "{path}: {page}");
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    page["items"].as_array().expect("a list").iter().map(id).collect()
}

async fn a_part_of_an_id_finds_what_the_caller_may_see(app: TestApp) {
    let owner = app.account("owner@example.com", "operator").await;
    let other = app.account("other@example.com", "operator").await;
    let jobs: Vec<Value> =
        (0..1500).map(|n| json!({"name": n.to_string(), "command": ["true"]})).collect();
    for jobs in [&jobs[..], &jobs[..2]] {
        let batch = json!({"name": "b", "jobs": jobs});
        let request = app.request(Method::POST, "/job-batches", &owner).json(&batch);
        assert_eq!(app.json(request).await.0, 202);
    }
    for list in ["/jobs", "/job-batches"] {
        let all = ids(&app, &owner, &format!("{list}?limit=1000")).await;
        let oldest = all.last().expect("one").clone();
        let digits = oldest.replace('-', "");
        for part in [&oldest[..], &digits, &digits[..30], &digits[24..], &oldest[24..]] {
            let path = format!("{list}?id={part}");
            assert_eq!(ids(&app, &owner, &path).await, std::slice::from_ref(&oldest), "{path}");
            assert_eq!(ids(&app, &app.admin, &path).await, std::slice::from_ref(&oldest), "{path}");
            assert!(ids(&app, &other, &path).await.is_empty(), "{path}");
        }
        let beginning = ids(&app, &owner, &format!("{list}?id={}&limit=2", &digits[..4])).await;
        assert_eq!(beginning, all[..2], "the newest of those that begin so");
        for wrong in ["", "abc", "nightly", "%2A%2A%2A%2A"] {
            let request = app.request(Method::GET, &format!("{list}?id={wrong}"), &owner);
            let (status, problem) = app.json(request).await;
            assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("id")), "{wrong}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_part_of_an_id_finds_what_the_caller_may_see_on_sqlite() {
    a_part_of_an_id_finds_what_the_caller_may_see(TestApp::start().await).await;
}

#[tokio::test]
async fn a_part_of_an_id_finds_what_the_caller_may_see_on_postgres() {
    a_part_of_an_id_finds_what_the_caller_may_see(TestApp::on_postgres().await).await;
}
