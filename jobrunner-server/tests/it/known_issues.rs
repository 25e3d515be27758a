//! Known issues by the API: who may make them, what they do, and what is refused.

use jobrunner_core::job::Reason;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{app::TestApp, dashboard::browser::Browser};

const PASSWORD: &str = "correct horse battery";

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    token: &str,
    body: &Value,
) -> (u16, Value) {
    app.json(app.request(method, path, token).json(body)).await
}

async fn account(app: &TestApp, email: &str, role: &str) -> (String, String) {
    let new = json!({"email": email, "password": PASSWORD, "role": role});
    let (status, made) = send(app, Method::POST, "/users", &app.admin, &new).await;
    assert_eq!(status, 201, "{made}");
    (made["id"].as_str().expect("an id").to_owned(), app.sign_in(email, PASSWORD).await)
}

fn issue() -> Value {
    json!({"title": "it overflows", "test": "pars*", "effect": "mute"})
}

/// Each with the field that is wrong, and nothing is stored.
#[tokio::test]
async fn a_known_issue_that_is_wrong_is_refused_by_its_field() {
    let app = TestApp::start().await;
    let wrong = [
        ("pattern", json!("(")),
        ("pattern", json!("(?:a{500}){500}")),
        ("pattern", json!("x".repeat(1001))),
        ("pattern", json!("")),
        ("test", json!("")),
        ("test", json!("x".repeat(1025))),
        ("title", json!("")),
        ("series", json!("a\nb")),
        ("effect", json!("hide")),
        ("expires_at", json!("2020-01-01T00:00:00Z")),
        ("expires_at", json!("2220-01-01T00:00:00Z")),
        ("owner_id", json!("0190b2f4-0000-7000-8000-000000000000")),
        ("variant", json!({"a b": "c"})),
        ("ticket", json!("a\nb")),
    ];
    for (field, value) in wrong {
        let mut new = issue();
        new[field] = value;
        let (status, problem) = send(&app, Method::POST, "/known-issues", &app.admin, &new).await;
        assert_eq!(status, 422, "{field}: {problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let (_, list) = app.json(app.request(Method::GET, "/known-issues", &app.admin)).await;
    assert_eq!(list["items"], json!([]));
    app.stop().await;
}

/// In a project its maintainers alone; everybody who sees the project sees them.
#[tokio::test]
async fn known_issues_of_a_project_are_its_maintainers_business() {
    let app = TestApp::start().await;
    send(&app, Method::POST, "/projects", &app.admin, &json!({"name": "web"})).await;
    let mut of_project = issue();
    of_project["project"] = json!("web");
    for (role, status) in [("viewer", 403), ("operator", 403), ("maintainer", 201)] {
        let (id, token) = account(&app, &format!("{role}@example.com"), "operator").await;
        let member = format!("/projects/web/members/{id}");
        send(&app, Method::PUT, &member, &app.admin, &json!({"role": role})).await;
        let (told, made) = send(&app, Method::POST, "/known-issues", &token, &of_project).await;
        assert_eq!(told, status, "{role}: {made}");
    }
    let viewer = app.sign_in("viewer@example.com", PASSWORD).await;
    let list = app.request(Method::GET, "/known-issues?project=web", &viewer);
    let (_, list) = app.json(list).await;
    let id = list["items"][0]["id"].as_str().expect("one").to_owned();
    let path = format!("/known-issues/{id}");
    assert_eq!(send(&app, Method::PATCH, &path, &viewer, &json!({"title": "x"})).await.0, 403);
    assert_eq!(app.json(app.request(Method::DELETE, &path, &viewer)).await.0, 403);
    let (_, stranger) = account(&app, "stranger@example.com", "operator").await;
    for token in [&stranger] {
        assert_eq!(app.json(app.request(Method::GET, &path, token)).await.0, 404);
        assert_eq!(app.json(app.request(Method::DELETE, &path, token)).await.0, 404);
        assert_eq!(send(&app, Method::POST, "/known-issues", token, &of_project).await.0, 404);
    }
    // Without a project an issue is about its owner's batches: another's is for admins.
    let mut anothers = issue();
    let me = app.json(app.request(Method::GET, "/users/me", &app.admin)).await.1;
    anothers["owner_id"] = me["id"].clone();
    assert_eq!(send(&app, Method::POST, "/known-issues", &stranger, &anothers).await.0, 403);
    let (_, global_viewer) = account(&app, "looks@example.com", "viewer").await;
    assert_eq!(send(&app, Method::POST, "/known-issues", &global_viewer, &issue()).await.0, 403);
    app.stop().await;
}

/// The verdict names it, and the audit tells what was changed, before and after.
#[tokio::test]
async fn a_known_failure_names_its_issue_and_changes_are_audited() {
    let app = TestApp::start().await;
    let (_, made) = send(&app, Method::POST, "/known-issues", &app.admin, &issue()).await;
    let path = format!("/known-issues/{}", made["id"].as_str().expect("an id"));
    let job = json!({"name": "parser", "command": ["false"]});
    let batch = json!({"name": "nightly", "jobs": [job]});
    let (_, batch) = send(&app, Method::POST, "/job-batches", &app.admin, &batch).await;
    app.hand().await.run_one(Some(Reason::ExitCode)).await;
    let verdict = format!("/job-batches/{}/verdict", batch["id"].as_str().expect("an id"));
    let (_, told) = app.json(app.request(Method::GET, &verdict, &app.admin)).await;
    assert_eq!((&told["counts"]["known"], &told["status"]), (&json!(1), &json!("pass")));
    let known = app.request(Method::GET, &format!("{verdict}/known"), &app.admin);
    let (_, known) = app.json(known).await;
    assert_eq!(known["items"][0]["known_issue"], made["id"], "{known}");
    let update = json!({"title": "another", "pattern": "^overflow"});
    let (status, after) = send(&app, Method::PATCH, &path, &app.admin, &update).await;
    assert_eq!(
        (status, &after["title"], &after["test"]),
        (200, &json!("another"), &json!("pars*"))
    );
    assert_eq!(app.json(app.request(Method::DELETE, &path, &app.admin)).await.0, 204);
    assert_eq!(app.json(app.request(Method::GET, &path, &app.admin)).await.0, 404);
    let target = made["id"].as_str().expect("an id");
    let audit = app.request(Method::GET, &format!("/audit-events?target_id={target}"), &app.admin);
    let (_, audit) = app.json(audit).await;
    let events = audit["items"].as_array().expect("events");
    let actions: Vec<&Value> = events.iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["delete_known_issue", "update_known_issue", "create_known_issue"]);
    let changed = &events[1]["details"];
    assert_eq!(changed["title_before"], "it overflows");
    assert_eq!((&changed["title"], &changed["pattern_before"]), (&json!("another"), &Value::Null));
    assert_eq!(changed["pattern"], "^overflow");
    assert!(changed.get("test_before").is_none(), "{changed}");
    app.stop().await;
}

/// From a cause, and from a failed job: a link, and a button.
#[tokio::test]
async fn a_failure_is_muted_in_two_clicks() {
    let app = TestApp::start().await;
    let job = json!({"name": "parser", "command": ["false"], "variant": {"os": "linux"}});
    let batch = json!({"name": "nightly", "jobs": [job]});
    let (_, batch) = send(&app, Method::POST, "/job-batches", &app.admin, &batch).await;
    let id = batch["id"].as_str().expect("an id");
    let hand = app.hand().await;
    let lease = hand.start_one().await.lease;
    let mut report = hand.report(lease, Some(Reason::ExitCode));
    report.error_line = Some("overflow (at #)".to_owned());
    hand.store().finish(&[report]).await.expect("an answer");
    let browser = Browser::signed_in(&app).await;
    let link = |page: &str| {
        let (_, link) = page.split_once("href=\"/known-issues?title").expect("a link");
        let link = link.split_once("#new\"").expect("its end").0.replace("&amp;", "&");
        format!("/known-issues?title{}", link.replace("&#x2F;", "/").replace("&#x3D;", "="))
    };
    let value = |page: &str, name: &str| {
        let (_, value) = page.split_once(&format!("name=\"{name}\"")).expect("a field");
        let value = value.split_once("value=\"").expect("its value").1;
        value.split_once('"').expect("its end").0.to_owned()
    };
    let of_batch = browser.get(&format!("/batches/{id}")).await.text;
    let form = browser.get(&link(&of_batch)).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.text);
    assert_eq!(value(&form.text, "pattern"), r"^overflow \(at \#\)$");
    assert_eq!(
        (value(&form.text, "test"), value(&form.text, "series")),
        ("*".into(), "nightly".into())
    );
    let member = app.request(Method::GET, &format!("/job-batches/{id}/jobs"), &app.admin);
    let (_, members) = app.json(member).await;
    let of_job = format!("/jobs/{}", members["items"][0]["id"].as_str().expect("an id"));
    let form = browser.get(&link(&browser.get(&of_job).await.text)).await;
    assert_eq!(
        (value(&form.text, "test"), value(&form.text, "variant")),
        ("parser".into(), "os=linux".into())
    );
    let until = value(&form.text, "until");
    let fields =
        [("title", "t<b>"), ("test", "parser"), ("variant", "os=linux"), ("until", until.as_str())];
    let made = browser.post("/known-issues", &fields).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let own = made.location().split('?').next().expect("a path").to_owned();
    assert!(browser.get(&own).await.text.contains("t&lt;b&gt;"));
    let again = [&fields[..], &[("pattern", "(")]].concat();
    let wrong = browser.post(&own, &again).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("regular expression"), "{}", wrong.text);
    let again = [&fields[..], &[("pattern", "^over")]].concat();
    assert_eq!(browser.post(&own, &again).await.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/known-issues").await.text.contains("^over"));
    assert_eq!(browser.post(&format!("{own}/delete"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get(&own).await.status, StatusCode::NOT_FOUND);
    app.stop().await;
}
