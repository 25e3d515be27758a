//! Parameters that no store could take, on both stores.

use std::collections::BTreeMap;

use reqwest::{Method, redirect::Policy};
use serde_json::{Value, json};

use crate::app::{TestApp, http};

/// Values as they stand in a URL.
const VALUES: [&str; 19] = [
    "%00",
    "a%00b",
    "%00*",
    "",
    "*",
    "%FF",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "%EF%BF%BF",
    "%E2%80%8B",
    "-1",
    "0",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "1:18446744073709551615:18446744073709551615",
];

/// What requests were answered, by the request.
type Statuses = BTreeMap<String, u16>;

/// Sends every value as every parameter of every operation.
async fn walk(app: &TestApp, job: &str, batch: &str) -> Statuses {
    let description: Value = serde_json::from_str(jobrunner_server::openapi()).expect("JSON");
    let mut statuses = Statuses::new();
    for (path, operations) in description["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("methods") {
            let parameters =
                operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
            for (parameter, value) in
                parameters.iter().flat_map(|it| VALUES.map(|value| (it, value)))
            {
                let name = parameter["name"].as_str().expect("a name");
                let place = parameter["in"].as_str().expect("a place");
                let url = match place {
                    "path" => path.replace(&format!("{{{name}}}"), value),
                    "query" => format!("{path}?{name}={value}"),
                    _ => path.clone(),
                };
                let id = if path.starts_with("/jobs") { job } else { batch };
                let url = url
                    .replace("{id}", id)
                    .replace("{stream}", "stdout")
                    .replace("{name}", "default");
                let method =
                    Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                let mut request = app.request(method.clone(), &url, &app.admin);
                if place == "header" {
                    request = request.header(name, value.as_bytes());
                }
                if !matches!(method, Method::GET | Method::DELETE) {
                    request = request.json(&json!({}));
                }
                let answer = request.send().await.expect("an answer");
                let status = answer.status().as_u16();
                let key = format!("{method} {path} {place} {name}={value}");
                assert!(status < 500, "{key}: {status}");
                if place == "query" && value.contains("%00") {
                    let problem: Value = answer.json().await.expect("JSON");
                    assert_eq!(
                        (status, &problem["errors"][0]["field"]),
                        (422, &json!(name)),
                        "{key}: {problem}"
                    );
                }
                statuses.insert(key, status);
            }
        }
    }
    statuses
}

/// Sends every value as every filter of the pages, and as the fields of their forms.
async fn walk_pages(app: &TestApp, job: &str, batch: &str) -> Statuses {
    const FILTERS: [&str; 12] = [
        "status", "name", "queue", "reason", "whose", "cursor", "sort", "action", "who", "target",
        "attempt", "view",
    ];
    let http = http().redirect(Policy::none()).build().expect("a client");
    let credentials = [("email", "admin@example.com"), ("password", "correct horse battery")];
    let signed_in = http.post(format!("{}/sign-in", app.url)).form(&credentials).send().await;
    let signed_in = signed_in.expect("an answer");
    let set = signed_in.headers().get_all("set-cookie").iter();
    let cookies =
        set.filter_map(|it| it.to_str().ok()?.split(';').next()).collect::<Vec<_>>().join("; ");
    let pages = [
        "/".to_owned(),
        "/jobs".to_owned(),
        "/audit".to_owned(),
        "/users".to_owned(),
        "/workers".to_owned(),
        "/queues".to_owned(),
        format!("/batches/{batch}"),
        format!("/batches/{batch}/members"),
        format!("/batches/{batch}/timeline"),
        format!("/jobs/{job}"),
        format!("/jobs/{job}/raw/stdout"),
    ];
    let mut statuses = Statuses::new();
    for (number, page) in pages.iter().enumerate() {
        for (filter, value) in FILTERS.iter().flat_map(|it| VALUES.map(|value| (it, value))) {
            let url = format!("{}{page}?{filter}={value}", app.url);
            let answer = http.get(url).header("cookie", &cookies).send().await.expect("an answer");
            let status = answer.status().as_u16();
            let key = format!("{number} {filter}={value}");
            assert!(status < 500, "{page} {key}: {status}");
            if value.contains("%00") {
                let told = answer.text().await.expect("a body");
                assert!(status == 422 && told.contains(filter), "{page} {key}: {status} {told}");
            }
            statuses.insert(key, status);
        }
    }
    for path in ["/sign-in", "/queues/a%00b", "/queues/x", "/users", &format!("/jobs/{job}/cancel")]
    {
        for field in ["email", "password", "csrf", "role", "weight", "next"] {
            let form = [(field, "a\0b")];
            let request = http.post(format!("{}{path}", app.url)).form(&form);
            let answer = request.header("cookie", &cookies).send().await.expect("an answer");
            let (status, told) = (answer.status().as_u16(), answer.text().await.expect("a body"));
            assert!(status == 422 && told.contains(field), "{path} {field}: {status} {told}");
            statuses.insert(format!("form {} {field}", path.replace(job, "")), status);
        }
    }
    statuses
}

/// A job, a batch, and what they were answered with.
async fn made(app: &TestApp) -> (String, String) {
    let job = json!({"name": "j", "command": ["true"]});
    let (_, made) = app.json(app.request(Method::POST, "/jobs", &app.admin).json(&job)).await;
    let batch = json!({"name": "b", "jobs": [job]});
    let (_, batch) =
        app.json(app.request(Method::POST, "/job-batches", &app.admin).json(&batch)).await;
    let id = |made: &Value| made["id"].as_str().expect("an id").to_owned();
    (id(&made), id(&batch))
}

async fn statuses(app: TestApp) -> Statuses {
    let (job, batch) = made(&app).await;
    let mut statuses = walk_pages(&app, &job, &batch).await;
    statuses.extend(walk(&app, &job, &batch).await);
    app.stop().await;
    statuses
}

#[tokio::test]
async fn a_parameter_that_no_store_can_take_is_refused_the_same_way_on_both() {
    let embedded = statuses(TestApp::start().await).await;
    let postgres = statuses(TestApp::on_postgres().await).await;
    assert!(embedded.len() > 1000, "{} requests", embedded.len());
    for (request, status) in &embedded {
        assert_eq!(postgres.get(request), Some(status), "{request}");
    }
}

#[tokio::test]
async fn the_name_of_a_queue_that_none_can_have_is_refused_on_both() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        for name in ["%00", "a%00b", "a%20b", "%F0%9F%98%80"] {
            let request = app.request(Method::PATCH, &format!("/queues/{name}"), &app.admin);
            let (status, problem) = app.json(request.json(&json!({"paused": true}))).await;
            assert_eq!(
                (status, &problem["errors"][0]["field"]),
                (422, &json!("name")),
                "{problem}"
            );
        }
        let unknown = app.request(Method::PATCH, "/queues/unknown", &app.admin);
        assert_eq!(app.json(unknown.json(&json!({"paused": true}))).await.0, 404);
        app.stop().await;
    }
}

#[tokio::test]
async fn a_sign_in_with_a_nul_is_refused_by_field_on_both() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        for (field, form) in [
            ("username", [("username", "a\0@b.example"), ("password", "x")]),
            ("password", [("username", "a@b.example"), ("password", "x\0")]),
        ] {
            let request = app.http.post(format!("{}/api/v1/auth/token", app.url)).form(&form);
            let (status, problem) = app.json(request).await;
            assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn an_empty_last_event_id_means_from_the_beginning() {
    let app = TestApp::start().await;
    let hand = app.hand().await;
    let (job, _) = made(&app).await;
    hand.run_one(None).await;
    hand.run_one(None).await;
    for last in ["", " "] {
        let request = app.request(Method::GET, &format!("/jobs/{job}/logs/follow"), &app.admin);
        let answer = request.header("Last-Event-ID", last).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{last:?}");
        assert!(answer.text().await.expect("events").contains("event: end"), "{last:?}");
    }
    app.stop().await;
}
