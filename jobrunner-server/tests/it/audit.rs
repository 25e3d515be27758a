use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

async fn events(app: &TestApp, query: &str) -> Vec<Value> {
    let path = format!("/audit-events{query}");
    let (status, page) = app.json(app.request(Method::GET, &path, &app.admin)).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().expect("a list").clone()
}

fn told(event: &Value) -> [&str; 3] {
    ["actor_email", "action", "target_name"].map(|field| event[field].as_str().unwrap_or("-"))
}

#[tokio::test]
async fn what_callers_ask_for_is_told_with_who_and_what() {
    let app = TestApp::start().await;
    let operator = app.account("operator@example.com", "operator").await;
    let post = async |path: &str, token: &str, body: Value| {
        let (status, answer) = app.json(app.request(Method::POST, path, token).json(&body)).await;
        assert!(status < 300, "{path}: {answer}");
        answer
    };
    let job = json!({"name": "compile", "command": ["true"], "queue": "nightly"});
    let made = post("/job-batches", &operator, json!({"name": "night", "jobs": [job]})).await;
    let batch = format!("/job-batches/{}", made["id"].as_str().expect("an id"));
    let early = app.json(app.request(Method::DELETE, &batch, &operator)).await;
    assert_eq!((early.0, &early.1["code"]), (409, &json!("batch_open")), "{}", early.1);
    post(&format!("{batch}/cancel"), &operator, Value::Null).await;
    post(&format!("{batch}/rerun"), &app.admin, json!({"only": "all"})).await;
    let deleted = app.request(Method::DELETE, &batch, &app.admin).send().await;
    assert_eq!(deleted.expect("an answer").status(), 204);
    let single = post("/jobs", &operator, json!({"name": "one", "command": ["true"]})).await;
    let single = format!("/jobs/{}", single["id"].as_str().expect("an id"));
    post(&format!("{single}/cancel"), &operator, Value::Null).await;
    let weigh = json!({"paused": true, "weight": 2.5});
    let request = app.request(Method::PATCH, "/queues/nightly", &app.admin).json(&weigh);
    assert_eq!(app.json(request).await.0, 200);
    let (_, me) = app.json(app.request(Method::GET, "/users/me", &operator)).await;
    let user = format!("/users/{}", me["id"].as_str().expect("an id"));
    let change =
        json!({"role": "viewer", "password": "another long one", "max_running_jobs": null});
    let request = app.request(Method::PATCH, &user, &app.admin).json(&change);
    assert_eq!(app.json(request).await.0, 200);
    assert_eq!(app.try_sign_in("Operator@example.com", "a wrong password").await.status(), 401);

    let all = events(&app, "").await;
    let expected = [
        ["Operator@example.com", "sign_in_failed", "-"],
        ["admin@example.com", "update_user", "operator@example.com"],
        ["admin@example.com", "update_queue", "-"],
        ["operator@example.com", "cancel_job", "one"],
        ["admin@example.com", "delete_batch", "night"],
        ["admin@example.com", "rerun_batch", "night"],
        ["operator@example.com", "cancel_batch", "night"],
        ["operator@example.com", "sign_in", "-"],
        ["admin@example.com", "create_user", "operator@example.com"],
        ["admin@example.com", "sign_in", "-"],
        ["-", "create_user", "admin@example.com"],
    ];
    assert_eq!(all.iter().map(told).collect::<Vec<_>>(), expected);
    let secret = serde_json::to_string(&all).expect("JSON");
    assert!(!secret.contains("another long one") && !secret.contains("a wrong password"));
    let details = json!({"role": "viewer", "password": "changed", "max_running_jobs": null});
    assert_eq!(all[1]["details"], details);
    assert_eq!(all[2]["details"], weigh);
    assert_eq!(
        (&all[2]["target_type"], &all[2]["target_id"]),
        (&json!("queue"), &json!("nightly"))
    );
    assert_eq!(all[4]["details"], json!({"owner_id": me["id"]}));
    assert_eq!(all[5]["details"], json!({"owner_id": me["id"], "only": "all"}));

    let id = made["id"].as_str().expect("an id");
    let on_batch = events(&app, &format!("?target_id={id}")).await;
    assert_eq!(on_batch, all[4..=6]);
    let by = format!("?actor_id={}&action=cancel_job", me["id"].as_str().expect("an id"));
    assert_eq!(events(&app, &by).await, all[3..=3]);
    assert_eq!(events(&app, "?action=update_queue&limit=1").await, all[2..=2]);
    app.stop().await;
}

#[tokio::test]
async fn p12_the_audit_is_for_admins_and_names_what_it_does_not_know() {
    let app = TestApp::start().await;
    let operator = app.account("operator@example.com", "operator").await;
    let refused = app.json(app.request(Method::GET, "/audit-events", &operator)).await;
    assert_eq!(refused.0, 403, "{}", refused.1);
    for (query, field) in [("action=nonsense", "action"), ("actor_id=1", "actor_id")] {
        let path = format!("/audit-events?{query}");
        let (status, problem) = app.json(app.request(Method::GET, &path, &app.admin)).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
    }
    app.stop().await;
}
