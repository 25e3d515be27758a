//! Projects, from the first to the last.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

async fn sent(app: &TestApp, method: Method, path: &str, token: &str, body: Value) -> (u16, Value) {
    let request = app.request(method, path, token);
    match body {
        Value::Null => app.json(request).await,
        body => app.json(request.json(&body)).await,
    }
}

async fn get(app: &TestApp, path: &str, token: &str) -> (u16, Value) {
    sent(app, Method::GET, path, token, Value::Null).await
}

fn names(page: &Value, field: &str) -> Vec<String> {
    let items = page["items"].as_array().expect("a list");
    items.iter().map(|item| item[field].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn a_nightly_of_a_service_account_is_seen_by_its_team() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let made = sent(&app, Method::POST, "/projects", &app.admin, json!({"name": "web"})).await;
        assert_eq!(made.0, 201, "{}", made.1);
        let ci = json!({"email": "ci@example.com", "role": "operator", "is_service": true});
        let (_, ci) = sent(&app, Method::POST, "/users", &app.admin, ci).await;
        let token = json!({"name": "t", "scopes": ["submit"], "owner_id": ci["id"]});
        let (_, token) = sent(&app, Method::POST, "/tokens", &app.admin, token).await;
        let secret = token["secret"].as_str().expect("a secret");
        let night = json!({
            "name": "night", "project": "web", "jobs": [{"name": "j", "command": ["true"]}],
        });
        let submit = async || sent(&app, Method::POST, "/job-batches", secret, night.clone()).await;
        assert_eq!(submit().await.0, 404, "it is none of its projects yet");
        let member = async |user: &str, role: &str| {
            let path = format!("/projects/web/members/{user}");
            let set = sent(&app, Method::PUT, &path, &app.admin, json!({"role": role})).await;
            assert_eq!(set.0, 200, "{}", set.1);
        };
        member(ci["id"].as_str().expect("an id"), "operator").await;
        let (status, batch) = submit().await;
        assert_eq!((status, &batch["project"]), (202, &json!("web")), "{batch}");

        let ada = app.account("ada@example.com", "operator").await;
        let bob = app.account("bob@example.com", "operator").await;
        let path = format!("/job-batches/{}", batch["id"].as_str().expect("an id"));
        assert_eq!(get(&app, &path, &ada).await.0, 404);
        member("ada@example.com", "viewer").await;
        assert_eq!(get(&app, &path, &ada).await.0, 200, "at once");
        assert_eq!(get(&app, &path, &bob).await.0, 404);
        for query in ["", "?project=web", "?status=waiting", "?name=night&project=web"] {
            let (_, page) = get(&app, &format!("/job-batches{query}"), &ada).await;
            assert_eq!(names(&page, "name"), ["night"], "{query}");
            let (_, page) = get(&app, &format!("/job-batches{query}"), &bob).await;
            assert_eq!(page["items"], json!([]), "{query}");
        }
        let (_, jobs) = get(&app, "/jobs?project=web", &ada).await;
        assert_eq!(
            (names(&jobs, "project"), names(&jobs, "name")),
            (vec!["web".to_owned()], vec!["j".to_owned()])
        );
        assert_eq!(get(&app, "/jobs?project=other", &ada).await.1["items"], json!([]));
        assert_eq!(get(&app, "/jobs?project=Web", &ada).await.0, 422);
        let cancel = format!("{path}/cancel");
        assert_eq!(sent(&app, Method::POST, &cancel, &ada, Value::Null).await.0, 403);
        member("ada@example.com", "operator").await;
        let member_of = json!({
            "name": "n", "jobs": [{"name": "j", "command": ["true"], "project": "web"}],
        });
        let refused = sent(&app, Method::POST, "/job-batches", &ada, member_of).await;
        assert_eq!((refused.0, &refused.1["errors"][0]["field"]), (422, &json!("project")));
        assert_eq!(sent(&app, Method::POST, &cancel, &ada, Value::Null).await.0, 200);
        let again = format!("{path}/rerun");
        let (status, again) = sent(&app, Method::POST, &again, &ada, json!({"only": "all"})).await;
        assert_eq!((status, &again["project"]), (202, &json!("web")));
        let removed = sent(
            &app,
            Method::DELETE,
            "/projects/web/members/ada@example.com",
            &app.admin,
            Value::Null,
        );
        assert_eq!(removed.await.0, 204);
        assert_eq!(get(&app, &path, &ada).await.0, 404, "at once");
        let own = format!("/job-batches/{}", again["id"].as_str().expect("an id"));
        assert_eq!(get(&app, &own, &ada).await.0, 200, "what is their own stays theirs");
        app.stop().await;
    }
}

#[tokio::test]
async fn every_change_of_a_membership_is_told_with_before_and_after() {
    let app = TestApp::start().await;
    let made = sent(&app, Method::POST, "/projects", &app.admin, json!({"name": "web"})).await;
    assert_eq!(made.0, 201);
    app.account("ada@example.com", "operator").await;
    let path = "/projects/web/members/ada@example.com";
    for role in ["viewer", "maintainer"] {
        let set = sent(&app, Method::PUT, path, &app.admin, json!({"role": role})).await;
        assert_eq!((set.0, &set.1["role"]), (200, &json!(role)), "{}", set.1);
    }
    assert_eq!(sent(&app, Method::DELETE, path, &app.admin, Value::Null).await.0, 204);
    assert_eq!(sent(&app, Method::DELETE, path, &app.admin, Value::Null).await.0, 404);
    let last = "/projects/web/members/admin@example.com";
    let (status, refused) = sent(&app, Method::DELETE, last, &app.admin, Value::Null).await;
    assert_eq!((status, &refused["code"]), (409, &json!("last_maintainer")));
    let (_, page) = get(&app, "/audit-events?target_id=web", &app.admin).await;
    let told: Vec<_> = page["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|event| event["details"]["email"] == "ada@example.com")
        .map(|event| {
            let details = &event["details"];
            (event["action"].clone(), details["role_before"].clone(), details["role"].clone())
        })
        .collect();
    let expected = [
        (json!("remove_project_member"), json!("maintainer"), Value::Null),
        (json!("set_project_member"), json!("viewer"), json!("maintainer")),
        (json!("set_project_member"), Value::Null, json!("viewer")),
    ];
    assert_eq!(told, expected);
    app.stop().await;
}

#[tokio::test]
async fn a_project_is_made_described_archived_and_deleted() {
    let app = TestApp::start().await;
    let new = json!({"name": "web", "description": "The shop"});
    assert_eq!(sent(&app, Method::POST, "/projects", &app.admin, new.clone()).await.0, 201);
    let (status, refused) = sent(&app, Method::POST, "/projects", &app.admin, new).await;
    assert_eq!((status, &refused["code"]), (409, &json!("project_exists")));
    let wrong = json!({"name": "Not a name"});
    let (status, refused) = sent(&app, Method::POST, "/projects", &app.admin, wrong).await;
    assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("name")));
    let change = json!({"description": null});
    let (_, changed) = sent(&app, Method::PATCH, "/projects/web", &app.admin, change).await;
    assert_eq!(changed["description"], Value::Null);
    let job = json!({"name": "j", "command": ["true"], "project": "web"});
    let (_, made) = sent(&app, Method::POST, "/jobs", &app.admin, job.clone()).await;
    assert_eq!(made["project"], "web");
    let delete =
        async || sent(&app, Method::DELETE, "/projects/web", &app.admin, Value::Null).await;
    let (status, refused) = delete().await;
    assert_eq!((status, &refused["code"]), (409, &json!("project_open")));
    let path = format!("/jobs/{}", made["id"].as_str().expect("an id"));
    let canceled = format!("{path}/cancel");
    assert_eq!(sent(&app, Method::POST, &canceled, &app.admin, Value::Null).await.0, 200);
    assert_eq!(delete().await.0, 204);
    let (status, kept) = get(&app, "/projects/web", &app.admin).await;
    assert_eq!((status, &kept["is_archived"]), (200, &json!(true)), "for the job's sake");
    let (status, refused) = sent(&app, Method::POST, "/jobs", &app.admin, job).await;
    assert_eq!((status, &refused["code"]), (409, &json!("project_archived")));
    assert_eq!(sent(&app, Method::DELETE, &path, &app.admin, Value::Null).await.0, 204);
    assert_eq!(delete().await.0, 204);
    assert_eq!(get(&app, "/projects/web", &app.admin).await.0, 404);
    assert_eq!(delete().await.0, 404);
    app.stop().await;
}

#[tokio::test]
async fn p12_a_token_of_one_project_is_good_for_nothing_else() {
    let app = TestApp::start().await;
    for name in ["web", "other"] {
        let made = sent(&app, Method::POST, "/projects", &app.admin, json!({"name": name})).await;
        assert_eq!(made.0, 201);
    }
    let scopes = json!(["read", "submit", "control", "admin"]);
    let new = json!({"name": "t", "scopes": scopes, "project": "web"});
    let (status, token) = sent(&app, Method::POST, "/tokens", &app.admin, new).await;
    assert_eq!((status, &token["project"]), (201, &json!("web")), "{token}");
    let unknown = json!({"name": "t", "scopes": ["read"], "project": "nothing"});
    assert_eq!(sent(&app, Method::POST, "/tokens", &app.admin, unknown).await.0, 404);
    let secret = token["secret"].as_str().expect("a secret");
    let job = |project: Value| json!({"name": "j", "command": ["true"], "project": project});
    let mut made = Vec::new();
    for project in [json!("web"), json!("other"), Value::Null] {
        let by_admin = sent(&app, Method::POST, "/jobs", &app.admin, job(project.clone())).await;
        made.push((format!("/jobs/{}", by_admin.1["id"].as_str().expect("an id")), project));
    }
    for (path, project) in &made {
        let is_its = project == "web";
        let found = get(&app, path, secret).await.0;
        assert_eq!(found, if is_its { 200 } else { 404 }, "{project}");
        let cancel = format!("{path}/cancel");
        let canceled = sent(&app, Method::POST, &cancel, secret, Value::Null).await.0;
        assert_eq!(canceled, if is_its { 200 } else { 404 }, "{project}");
        let submitted = sent(&app, Method::POST, "/jobs", secret, job(project.clone())).await.0;
        let refused = if project.is_null() { 403 } else { 404 };
        assert_eq!(submitted, if is_its { 202 } else { refused }, "{project}");
    }
    let (_, page) = get(&app, "/jobs", secret).await;
    assert_eq!(names(&page, "project"), ["web", "web"]);
    let (_, page) = get(&app, "/projects", secret).await;
    assert_eq!(names(&page, "name"), ["web"]);
    for path in ["/users", "/workers", "/queues", "/audit-events", "/tokens"] {
        assert_eq!(get(&app, path, secret).await.0, 403, "{path}");
    }
    let everything = sent(&app, Method::POST, "/jobs/cancel", secret, json!({"owner": "me"})).await;
    assert_eq!(everything.0, 403);
    app.stop().await;
}
