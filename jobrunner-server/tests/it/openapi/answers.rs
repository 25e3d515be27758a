//! The real server answers as described: every operation, when it does what it is asked and when it
//! refuses. That each answer fits its schema is checked by [`TestApp::json`].

use jobrunner_core::{
    job::Reason,
    testkit::{Hand, wait_until},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    description::{Operation, operations},
};

const NOBODY: &str = "0198c6f0-1234-7abc-8def-0123456789ab";

/// Sends a request of the admin's, which must be carried out.
async fn done(app: &TestApp, method: &str, path: &str, body: Option<Value>) -> Value {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let request = app.request(method, path, &app.admin);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let (status, answer) = app.json(request).await;
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer
}

fn path(of: &str, thing: &Value) -> String {
    format!("{of}/{}", thing["id"].as_str().expect("an id"))
}

fn job(name: &str) -> Value {
    json!({"name": name, "command": ["true"]})
}

async fn ended(app: &TestApp, path: &str) {
    wait_until("the end", || async {
        (!done(app, "GET", path, None).await["finished_at"].is_null()).then_some(())
    })
    .await;
}

async fn jobs(app: &TestApp, hand: &Hand) {
    let everything = json!({
        "name": "j", "command": ["true"], "working_dir": "/", "env": {"A": "b"},
        "payload": {"a": [1, null]}, "queue": "q", "priority": 0, "timeout_seconds": 1,
        "max_attempts": 1, "retry": {"on": [1, "signal"], "delay_seconds": 1, "backoff": 1.5},
        "inputs": ["/"], "silence_seconds": 1, "max_output_bytes": 1, "max_memory_mb": 1,
        "max_open_files": 16, "max_cpu_seconds": 1,
    });
    let made = path("/jobs", &done(app, "POST", "/jobs", Some(everything)).await);
    let bare = path("/jobs", &done(app, "POST", "/jobs", Some(job("k"))).await);
    for one in [&made, &bare] {
        done(app, "GET", one, None).await;
        done(app, "GET", &format!("{one}/logs"), None).await;
        done(app, "GET", &format!("{one}/attempts"), None).await;
        done(app, "GET", &format!("{one}/cases?status=failed&name=a*&attempt=1"), None).await;
    }
    hand.run_one(Some(Reason::ExitCode)).await;
    hand.run_one(None).await;
    for one in [&made, &bare] {
        ended(app, one).await;
        for part in ["", "/attempts", "/cases", "/holds", "/logs?tail_bytes=0", "/logs/follow"] {
            done(app, "GET", &format!("{one}{part}"), None).await;
        }
        done(app, "GET", &format!("{one}/logs/stdout?attempt=1"), None).await;
        let beyond = app.request(Method::GET, &format!("{one}/logs/stderr"), &app.admin);
        assert_eq!(app.json(beyond.header("Range", "bytes=99-")).await.0, 416);
    }
    let again = path("/jobs", &done(app, "POST", &format!("{bare}/rerun"), None).await);
    done(app, "POST", &format!("{again}/cancel"), None).await;
    done(app, "GET", "/jobs?limit=1", None).await;
    done(app, "GET", "/jobs/stats", None).await;
    done(app, "DELETE", &again, None).await;
    let waiting = path("/jobs", &done(app, "POST", "/jobs", Some(job("l"))).await);
    let refused = app.json(app.request(Method::DELETE, &waiting, &app.admin)).await;
    assert_eq!((refused.0, &refused.1["code"]), (409, &json!("job_open")));
    done(app, "POST", &format!("{waiting}/cancel"), None).await;
    done(app, "POST", "/jobs", Some(job("open"))).await;
    let canceled = done(app, "POST", "/jobs/cancel", Some(json!({"owner": "me"}))).await;
    assert_eq!((&canceled["ended"], &canceled["stopping"]), (&json!(1), &json!(0)));
}

async fn batches(app: &TestApp, hand: &Hand) {
    let batch = json!({
        "name": "b", "description": "d", "payload": {"a": 1}, "jobs": [job("one"), job("two")],
    });
    let one = path("/job-batches", &done(app, "POST", "/job-batches", Some(batch)).await);
    done(app, "GET", &one, None).await;
    hand.run_one(None).await;
    hand.run_one(Some(Reason::Signal)).await;
    ended(app, &one).await;
    app.announce().await;
    for part in [
        "",
        "/jobs?limit=1&sort=-duration",
        "/causes",
        "/timeline",
        "/verdict",
        "/verdict/new",
        "/verdict/passed?limit=1",
        "/junit.xml",
        "/events",
    ] {
        done(app, "GET", &format!("{one}{part}"), None).await;
    }
    let id = one.rsplit('/').next().expect("an id");
    for part in ["", "/new", "/passed?limit=1"] {
        done(app, "GET", &format!("{one}/compare/{id}{part}"), None).await;
    }
    let series = done(app, "GET", "/series?name=b&limit=1", None).await;
    let series = path("/series", &series["items"][0]);
    for part in ["", "/runs?limit=1", "/tests?flaky=true", "/grid?runs=2&limit=1"] {
        done(app, "GET", &format!("{series}{part}"), None).await;
    }
    let tests = done(app, "GET", &format!("{series}/tests?status=failed"), None).await;
    let test = tests["items"][0]["test_id"].as_str().expect("a test");
    for part in ["", "/results?limit=1"] {
        done(app, "GET", &format!("/tests/{test}{part}"), None).await;
    }
    let again = done(app, "POST", &format!("{one}/rerun"), Some(json!({}))).await;
    let again = path("/job-batches", &again);
    done(app, "POST", &format!("{again}/cancel"), None).await;
    done(app, "GET", "/job-batches?limit=1", None).await;
    done(app, "DELETE", &again, None).await;
}

async fn projects(app: &TestApp) {
    let new = json!({"name": "web", "description": "d"});
    done(app, "POST", "/projects", Some(new)).await;
    for part in ["/projects?limit=1", "/projects/web", "/projects/web/members?limit=1"] {
        done(app, "GET", part, None).await;
    }
    done(app, "PATCH", "/projects/web", Some(json!({"description": null}))).await;
    app.account("m@b.example", "viewer").await;
    let member = "/projects/web/members/m@b.example";
    done(app, "PUT", member, Some(json!({"role": "operator"}))).await;
    let in_it = json!({"name": "j", "command": ["true"], "project": "web"});
    done(app, "POST", "/jobs", Some(in_it)).await;
    let refused = app.json(app.request(Method::DELETE, "/projects/web", &app.admin)).await;
    assert_eq!((refused.0, &refused.1["code"]), (409, &json!("project_open")));
    done(app, "POST", "/jobs/cancel", Some(json!({"owner": "me"}))).await;
    done(app, "DELETE", member, None).await;
    done(app, "DELETE", "/projects/web", None).await;
}

async fn accounts(app: &TestApp) {
    let new = json!({"email": "a@b.example", "password": "long enough it is", "role": "operator"});
    let user = path("/users", &done(app, "POST", "/users", Some(new.clone())).await);
    let taken = app.json(app.request(Method::POST, "/users", &app.admin).json(&new)).await;
    assert_eq!((taken.0, &taken.1["code"]), (409, &json!("email_taken")));
    let theirs = app.sign_in("a@b.example", "long enough it is").await;
    let made = app.json(app.request(Method::POST, "/jobs", &theirs).json(&job("held"))).await.1;
    let own = json!({"current_password": "long enough it is", "password": "another one of mine"});
    let own = app.json(app.request(Method::PATCH, "/users/me", &theirs).json(&own)).await;
    assert_eq!(own.0, 200, "{}", own.1);
    let channel = json!({"type": "slack", "url": "https://slack.example/secret"});
    let told = json!({"name": "n", "on": ["finished"], "channel": channel});
    let told = path("/notifications", &done(app, "POST", "/notifications", Some(told)).await);
    done(app, "GET", "/notifications?limit=1", None).await;
    done(app, "GET", &told, None).await;
    done(app, "PATCH", &told, Some(json!({"batch_name": null, "name": "m"}))).await;
    let delivery = done(app, "POST", &format!("{told}/test"), None).await;
    done(app, "GET", &format!("{told}/deliveries"), None).await;
    done(app, "POST", &format!("{}/redeliver", path("/deliveries", &delivery)), None).await;
    done(app, "DELETE", &told, None).await;
    let known = json!({"title": "t", "test": "*", "effect": "xfail"});
    let known = path("/known-issues", &done(app, "POST", "/known-issues", Some(known)).await);
    done(app, "GET", "/known-issues?limit=1", None).await;
    done(app, "GET", &known, None).await;
    done(app, "PATCH", &known, Some(json!({"pattern": "^a", "series": null}))).await;
    done(app, "DELETE", &known, None).await;
    let token = json!({"name": "ci", "scopes": ["read"], "expires_at": null});
    let token = path("/tokens", &done(app, "POST", "/tokens", Some(token)).await);
    done(app, "GET", "/tokens?limit=1", None).await;
    done(app, "DELETE", &token, None).await;
    done(app, "PATCH", &user, Some(json!({"max_running_jobs": 3}))).await;
    done(app, "DELETE", &user, None).await;
    let holds = done(app, "GET", &format!("{}/holds", path("/jobs", &made)), None).await;
    assert_eq!(holds["items"][0]["reason"], "owner_disabled");
    for list in ["/users?limit=1", "/users/me", user.as_str(), "/audit-events", "/queues"] {
        done(app, "GET", list, None).await;
    }
    done(app, "PATCH", "/queues/default", Some(json!({"paused": false, "weight": 2}))).await;
}

async fn tokens(app: &TestApp) {
    let form = |fields: &[(&str, &str)]| {
        app.http.post(format!("{}/api/v1/auth/token", app.url)).form(fields)
    };
    let account = [("username", "admin@example.com"), ("password", "correct horse battery")];
    let (status, token) = app.json(form(&account)).await;
    assert_eq!(status, 200, "{token}");
    let wrong = [("username", "admin@example.com"), ("password", "another")];
    assert_eq!(app.json(form(&wrong)).await.0, 401);
    let refresh = token["refresh_token"].as_str().expect("a token");
    let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, token) = app.json(form(&grant)).await;
    assert_eq!(status, 200, "{token}");
    let token = token["access_token"].as_str().expect("a token");
    assert_eq!(app.json(app.request(Method::DELETE, "/auth/token", token)).await.0, 204);
    for health in ["/health", "/health/live"] {
        assert_eq!(app.json(app.http.get(format!("{}/api/v1{health}", app.url))).await.0, 200);
    }
}

/// Asks for everything in ways that are refused: without a token, as a viewer, of what is not
/// there, and with bodies that cannot be read.
async fn refusals(app: &TestApp, viewer: &str) {
    for operation in operations() {
        let url = operation.path.replace("{id}", NOBODY).replace("{stream}", "stdout");
        let url =
            url.replace("{name}", "unknown").replace("{class}", "new").replace("{other}", NOBODY);
        let url = url.replace("{user_id}", NOBODY);
        let method = Method::from_bytes(operation.method.to_uppercase().as_bytes());
        let method = method.expect("a method");
        let ask = |token: &str| {
            let request = app.request(method.clone(), &url, token);
            match operation.body() {
                Some(("application/json", about)) => request.json(&about["example"]),
                _ => request,
            }
        };
        if operation.is_secured() {
            assert_eq!(app.json(ask("nonsense")).await.0, 401, "{}", operation.id());
            // What ends the viewer's own token is tried elsewhere.
            if operation.id() != "sign_out" {
                app.json(ask(viewer)).await;
            }
        }
        if operation.path.contains('{') {
            assert_eq!(app.json(ask(&app.admin)).await.0, 404, "{}", operation.id());
        }
        if let Some((kind, _)) = operation.body() {
            let send = |kind: &str, body: &'static str| {
                let request = app.request(method.clone(), &url, &app.admin);
                app.json(request.header("Content-Type", kind).body(body))
            };
            assert_eq!(send("text/plain", "x").await.0, 415, "{}", operation.id());
            let refused = send(kind, "x=1&").await.0;
            assert!([400, 422].contains(&refused), "{}: {refused}", operation.id());
        }
    }
}

fn may_end_well(operation: &Operation, status: u16) -> bool {
    (200..300).contains(&status) && operation.answers().iter().any(|(it, _)| *it == status)
}

#[tokio::test]
async fn the_server_answers_every_operation_as_described() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let hand = app.hand().await;
        tokens(&app).await;
        jobs(&app, &hand).await;
        batches(&app, &hand).await;
        let workers = done(&app, "GET", "/workers", None).await;
        let worker = path("/workers", &workers["items"][0]);
        projects(&app).await;
        accounts(&app).await;
        let viewer = app.account("viewer@example.com", "viewer").await;
        refusals(&app, &viewer).await;
        done(&app, "POST", &format!("{worker}/drain"), None).await;
        let answered = app.answered.lock().expect("no panic").clone();
        for operation in operations() {
            let statuses = || answered.iter().filter(|(id, _)| *id == operation.id());
            let ended_well = statuses().any(|(_, status)| may_end_well(&operation, *status));
            assert!(ended_well, "{} was not carried out", operation.id());
            let refused = statuses().any(|(_, status)| *status >= 400);
            assert!(refused || operation.path.starts_with("/health"), "{}", operation.id());
        }
        app.stop().await;
    }
}
