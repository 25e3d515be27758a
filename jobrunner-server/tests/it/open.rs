//! Everything that is open is canceled by one request.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

async fn submit(app: &TestApp, token: &str, jobs: usize) {
    let jobs: Vec<Value> =
        (0..jobs).map(|n| json!({"name": n.to_string(), "command": ["true"]})).collect();
    let batch = json!({"name": "b", "jobs": jobs});
    let (status, answer) =
        app.json(app.request(Method::POST, "/job-batches", token).json(&batch)).await;
    assert_eq!(status, 202, "{answer}");
}

async fn cancel(app: &TestApp, token: &str, owner: &str) -> (u16, Value) {
    let request = app.request(Method::POST, "/jobs/cancel", token);
    app.json(request.json(&json!({ "owner": owner }))).await
}

async fn everything_is_canceled_within_the_rights_of_the_caller(app: TestApp) {
    let one = app.account("one@example.com", "operator").await;
    let other = app.account("other@example.com", "operator").await;
    let viewer = app.account("viewer@example.com", "viewer").await;
    for token in [&one, &other, &app.admin] {
        submit(&app, token, 3).await;
    }
    let (_, me) = app.json(app.request(Method::GET, "/users/me", &one)).await;
    let one_id = me["id"].as_str().expect("an id").to_owned();

    assert_eq!(cancel(&app, &viewer, "me").await.0, 403);
    assert_eq!(cancel(&app, &other, &one_id).await.0, 404, "as if there were no such account");
    for wrong in ["", "somebody", "ME"] {
        assert_eq!(cancel(&app, &other, wrong).await.0, 422, "{wrong:?}");
    }
    let bare = app.request(Method::POST, "/jobs/cancel", &other).json(&json!({}));
    assert_eq!(app.json(bare).await.0, 422, "nothing is canceled that was not named");

    let of_three = json!({"ended": 3, "stopping": 0});
    assert_eq!(cancel(&app, &other, "all").await, (200, of_three.clone()), "all is theirs");
    let (_, counts) = app.json(app.request(Method::GET, "/jobs/stats", &app.admin)).await;
    assert_eq!((&counts["waiting"], &counts["canceled"]), (&json!(6), &json!(3)));
    assert_eq!(cancel(&app, &app.admin, &one_id).await, (200, of_three.clone()));
    assert_eq!(cancel(&app, &app.admin, "all").await, (200, of_three));
    assert_eq!(cancel(&app, &app.admin, "me").await, (200, json!({"ended": 0, "stopping": 0})));

    let audit = app.request(Method::GET, "/audit-events?action=cancel_jobs", &app.admin);
    let (_, audit) = app.json(audit).await;
    let whose: Vec<&Value> =
        audit["items"].as_array().expect("events").iter().map(|event| &event["details"]).collect();
    assert_eq!(whose.len(), 4, "{audit}");
    assert_eq!(whose[1], &json!({"owner": "all"}));
    assert_eq!(whose[2], &json!({ "owner_id": one_id }));
    app.stop().await;
}

#[tokio::test]
async fn everything_is_canceled_within_the_rights_of_the_caller_on_sqlite() {
    everything_is_canceled_within_the_rights_of_the_caller(TestApp::start().await).await;
}

#[tokio::test]
async fn everything_is_canceled_within_the_rights_of_the_caller_on_postgres() {
    everything_is_canceled_within_the_rights_of_the_caller(TestApp::on_postgres().await).await;
}
