//! Personal access tokens.

use futures_util::StreamExt;
use jobrunner_core::{
    series::TestId,
    store::engine::identity,
    testkit::{Hand, wait_until},
    user::Scope,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    dashboard::browser::Browser,
    description::{Operation, operations},
};

const SCOPES: [&str; 4] = ["read", "submit", "control", "admin"];

/// The scope that each operation needs, beside admin; `sign-in` is none at all, and `any` is
/// whichever.
const NEEDED: [(&str, &str); 73] = [
    ("create_project", "admin"),
    ("list_projects", "read"),
    ("get_project", "read"),
    ("update_project", "admin"),
    ("delete_project", "admin"),
    ("list_project_members", "read"),
    ("set_project_member", "admin"),
    ("remove_project_member", "admin"),
    ("list_audit_events", "admin"),
    ("sign_out", "sign-in"),
    ("list_batches", "read"),
    ("submit_batch", "submit"),
    ("delete_batch", "control"),
    ("get_batch", "read"),
    ("cancel_batch", "control"),
    ("get_batch_causes", "read"),
    ("watch_batch", "read"),
    ("list_batch_jobs", "read"),
    ("get_batch_junit", "read"),
    ("rerun_batch", "control"),
    ("get_batch_timeline", "read"),
    ("get_batch_verdict", "read"),
    ("list_batch_tests", "read"),
    ("list_series", "read"),
    ("get_series", "read"),
    ("list_series_runs", "read"),
    ("list_series_tests", "read"),
    ("get_series_grid", "read"),
    ("get_test", "read"),
    ("list_test_results", "read"),
    ("compare_batches", "read"),
    ("list_compared_tests", "read"),
    ("list_jobs", "read"),
    ("submit_job", "submit"),
    ("cancel_jobs", "control"),
    ("get_job_stats", "read"),
    ("delete_job", "control"),
    ("get_job", "read"),
    ("list_attempts", "read"),
    ("cancel_job", "control"),
    ("list_holds", "read"),
    ("list_cases", "read"),
    ("get_job_logs", "read"),
    ("follow_job_logs", "read"),
    ("get_job_stream", "read"),
    ("rerun_job", "control"),
    ("list_queues", "read"),
    ("update_queue", "admin"),
    ("list_users", "admin"),
    ("create_user", "admin"),
    ("get_me", "any"),
    ("update_me", "sign-in"),
    ("disable_user", "admin"),
    ("get_user", "admin"),
    ("update_user", "admin"),
    ("create_token", "sign-in"),
    ("list_tokens", "sign-in"),
    ("delete_token", "sign-in"),
    ("create_known_issue", "admin"),
    ("list_known_issues", "read"),
    ("get_known_issue", "read"),
    ("update_known_issue", "admin"),
    ("delete_known_issue", "admin"),
    ("create_notification", "control"),
    ("list_notifications", "read"),
    ("get_notification", "read"),
    ("update_notification", "control"),
    ("delete_notification", "control"),
    ("test_notification", "control"),
    ("list_deliveries", "read"),
    ("redeliver", "control"),
    ("list_workers", "read"),
    ("drain_worker", "admin"),
];

async fn made(app: &TestApp, token: &str, scopes: &[&str], more: Value) -> (String, String) {
    let mut new = json!({"name": "t", "scopes": scopes});
    new.as_object_mut().expect("fields").extend(more.as_object().cloned().unwrap_or_default());
    let (status, answer) = app.json(app.request(Method::POST, "/tokens", token).json(&new)).await;
    assert_eq!(status, 201, "{answer}");
    let field = |name: &str| answer[name].as_str().expect("a text").to_owned();
    (field("id"), field("secret"))
}

async fn status(app: &TestApp, method: Method, path: &str, token: &str) -> u16 {
    app.json(app.request(method, path, token)).await.0
}

/// Things that every operation can be about, made anew for each.
struct Things {
    job: String,
    batch: String,
    series: String,
    test: String,
    user: String,
    worker: String,
    known_issue: String,
    notification: String,
    delivery: String,
}

impl Things {
    async fn new(app: &TestApp, hand: &Hand) -> Self {
        let post = async |path: &str, body: Value| {
            let (_, made) = app.json(app.request(Method::POST, path, &app.admin).json(&body)).await;
            made["id"].as_str().unwrap_or_else(|| panic!("{path}: {made}")).to_owned()
        };
        let job = json!({"name": "j", "command": ["true"]});
        let batch = post("/job-batches", json!({"name": "b", "jobs": [job]})).await;
        let email = format!("{batch}@example.com");
        let user = json!({"email": email, "password": "correct horse battery", "role": "viewer"});
        let (job, user) = (post("/jobs", job).await, post("/users", user).await);
        // An account may have a hundred.
        let all = app.request(Method::GET, "/notifications", &app.admin);
        for old in app.json(all).await.1["items"].as_array().expect("a list") {
            let path = format!("/notifications/{}", old["id"].as_str().expect("an id"));
            app.json(app.request(Method::DELETE, &path, &app.admin)).await;
        }
        let known = json!({"title": "t", "test": "*", "effect": "mute"});
        let known_issue = post("/known-issues", known).await;
        let channel = json!({"type": "slack", "url": "https://slack.example/"});
        let told = json!({"name": "n", "on": ["failed"], "channel": channel});
        let notification = post("/notifications", told).await;
        let delivery = post(&format!("/notifications/{notification}/test"), Value::Null).await;
        let worker = hand.session.to_string();
        // Some operations forget it.
        let web = app.request(Method::POST, "/projects", &app.admin).json(&json!({"name": "web"}));
        assert!([201, 409].contains(&app.json(web).await.0));
        let member = format!("/projects/web/members/{user}");
        let member = app.request(Method::PUT, &member, &app.admin).json(&json!({"role": "viewer"}));
        assert_eq!(app.json(member).await.0, 200);
        let get = async |path: &str| app.json(app.request(Method::GET, path, &app.admin)).await.1;
        let series = get(&format!("/job-batches/{batch}/verdict")).await["series_id"].clone();
        let series = series.as_str().expect("a series").to_owned();
        let id = series.parse().expect("an id");
        let of = app.fixture().store.series(id, Scope::All).await.expect("an answer");
        let test =
            identity::of_spec(&app.fixture().members(batch.parse().expect("an id")).await[0].spec);
        let test = TestId::new(of.expect("a series").number, test.cast_unsigned()).to_string();
        Self { job, batch, series, test, user, worker, known_issue, notification, delivery }
    }

    fn url(&self, operation: &Operation) -> String {
        let id = match operation.path.split('/').nth(1) {
            Some("jobs") => &self.job,
            Some("job-batches") => &self.batch,
            Some("series") => &self.series,
            Some("tests") => &self.test,
            Some("users") => &self.user,
            Some("workers") => &self.worker,
            Some("known-issues") => &self.known_issue,
            Some("notifications") => &self.notification,
            Some("deliveries") => &self.delivery,
            _ => &self.job,
        };
        let path = operation.path.replace("{id}", id).replace("{stream}", "stdout");
        let path = path.replace("{other}", id);
        let name = if path.starts_with("/projects") { "web" } else { "default" };
        path.replace("{name}", name).replace("{user_id}", &self.user).replace("{class}", "new")
    }
}

/// Every operation of the description with a token of each scope, of an admin: what the table says
/// is allowed is not refused for the token's sake, and everything else is. An operation that is not
/// in the table fails.
#[tokio::test]
async fn p12_a_token_does_what_its_scopes_say_of_every_operation() {
    let app = TestApp::start().await;
    let hand = app.hand().await;
    let mut tokens = Vec::new();
    for scope in SCOPES {
        tokens.push((scope, made(&app, &app.admin, &[scope], json!({})).await.1));
    }
    let mut walked = 0;
    for operation in operations().filter(Operation::is_secured) {
        let needed = NEEDED.iter().find(|(id, _)| *id == operation.id());
        let (_, needed) = needed.unwrap_or_else(|| panic!("{} is not listed", operation.id()));
        for (scope, token) in &tokens {
            let url = Things::new(&app, &hand).await.url(&operation);
            let method = Method::from_bytes(operation.method.to_uppercase().as_bytes());
            let mut request = app.request(method.expect("a method"), &url, token);
            if let Some(("application/json", about)) = operation.body() {
                let mut body = about["example"].clone();
                if operation.id() == "create_user" {
                    body["email"] = json!(format!("{scope}@example.com"));
                } else if operation.id() == "create_token" {
                    body["project"] = json!(null);
                }
                request = request.json(&body);
            }
            // Streams do not end, so that answers are not read.
            let answered = request.send().await.expect("an answer").status().as_u16();
            let place = format!("{} {scope}: {answered}", operation.id());
            let is_allowed = match *needed {
                "sign-in" => false,
                "any" => true,
                needed => needed == *scope || *scope == "admin",
            };
            assert_eq!(answered != 403, is_allowed, "{place}");
            assert!(answered != 401 && answered != 404 && answered < 500, "{place}");
            walked += 1;
        }
    }
    assert!(walked >= 4 * 38, "{walked}");
    app.stop().await;
}

#[tokio::test]
async fn p12_a_token_allows_no_more_than_its_owner_may_do_at_that_moment() {
    let app = TestApp::start().await;
    let owner = app.account("a@example.com", "viewer").await;
    let other = app.account("b@example.com", "operator").await;
    let (id, secret) = made(&app, &owner, &SCOPES, json!({})).await;
    let job = json!({"name": "j", "command": ["true"]});
    let submit =
        async |token: &str| app.json(app.request(Method::POST, "/jobs", token).json(&job)).await;
    assert_eq!(submit(&secret).await.0, 403);
    let (_, me) = app.json(app.request(Method::GET, "/users/me", &secret)).await;
    assert_eq!(me["email"], "a@example.com");
    let user = format!("/users/{}", me["id"].as_str().expect("an id"));
    let change = async |body: Value| {
        app.json(app.request(Method::PATCH, &user, &app.admin).json(&body)).await.0
    };
    assert_eq!(change(json!({"role": "operator"})).await, 200);
    assert_eq!(submit(&secret).await.0, 202);
    assert_eq!(status(&app, Method::GET, "/users", &secret).await, 403);
    let (_, foreign) = submit(&other).await;
    let foreign = format!("/jobs/{}", foreign["id"].as_str().expect("an id"));
    assert_eq!(status(&app, Method::GET, &foreign, &secret).await, 404);
    assert_eq!(change(json!({"is_active": false})).await, 200);
    assert_eq!(submit(&secret).await.0, 401);
    assert_eq!(change(json!({"is_active": true, "role": "viewer"})).await, 200);
    assert_eq!(submit(&secret).await.0, 403);

    // Those of others are as if they were not there, for admins, too.
    let owner = app.sign_in("a@example.com", "correct horse battery").await;
    let token = format!("/tokens/{id}");
    for stranger in [&other, &app.admin] {
        assert_eq!(status(&app, Method::DELETE, &token, stranger).await, 404);
        let (_, page) = app.json(app.request(Method::GET, "/tokens", stranger)).await;
        assert_eq!(page["items"], json!([]));
    }
    assert_eq!(status(&app, Method::DELETE, &token, &owner).await, 204);
    assert_eq!(submit(&secret).await.0, 401);
    assert_eq!(status(&app, Method::DELETE, &token, &owner).await, 404);
    app.stop().await;
}

#[tokio::test]
async fn a_token_is_told_once_ends_in_time_and_says_when_it_was_used() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let (id, secret) = made(&app, &app.admin, &["submit", "read", "read"], json!({})).await;
        assert!(secret.starts_with("jr_") && secret.len() == 67, "{secret}");
        let past = json!({"expires_at": "2026-01-01T00:00:00Z"});
        let (_, over) = made(&app, &app.admin, &["read"], past).await;
        let last = if secret.ends_with('0') { '1' } else { '0' };
        let changed = format!("{}{last}", &secret[..66]);
        for wrong in [over.as_str(), changed.as_str(), "jr_", &secret[3..]] {
            assert_eq!(status(&app, Method::GET, "/jobs", wrong).await, 401, "{wrong}");
        }
        assert_eq!(status(&app, Method::GET, "/jobs", &secret).await, 200);
        let used = async || {
            let (_, page) = app.json(app.request(Method::GET, "/tokens", &app.admin)).await;
            let items = page["items"].as_array().expect("a list").clone();
            let token = items.into_iter().find(|token| token["id"] == *id).expect("it is listed");
            assert_eq!(token["scopes"], json!(["read", "submit"]));
            assert!(!page.to_string().contains("jr_"), "{page}");
            (!token["last_used_at"].is_null()).then_some(())
        };
        wait_until("the use to be stored", used).await;
        let (_, told) = app.json(app.request(Method::GET, "/audit-events", &app.admin)).await;
        let text = told.to_string();
        assert!(text.contains("create_token") && !text.contains("jr_"), "{text}");
        for (body, field) in [
            (json!({"name": "t", "scopes": []}), "scopes"),
            (json!({"name": "t", "scopes": ["root"]}), "scopes[0]"),
            (json!({"name": " ", "scopes": ["read"]}), "name"),
            (json!({"name": "t", "scopes": ["read"], "secret": id}), "secret"),
        ] {
            let request = app.request(Method::POST, "/tokens", &app.admin).json(&body);
            let (status, problem) = app.json(request).await;
            assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_stream_ends_soon_after_its_token() {
    let app = TestApp::start().await;
    let (id, secret) = made(&app, &app.admin, &["read"], json!({})).await;
    let job = json!({"name": "j", "command": ["true"]});
    let (_, job) = app.json(app.request(Method::POST, "/jobs", &app.admin).json(&job)).await;
    let follow = format!("/jobs/{}/logs/follow", job["id"].as_str().expect("an id"));
    let answer = app.request(Method::GET, &follow, &secret).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut stream = Box::pin(answer.bytes_stream());
    stream.next().await.expect("it begins").expect("bytes");
    assert_eq!(status(&app, Method::DELETE, &format!("/tokens/{id}"), &app.admin).await, 204);
    while let Some(part) = stream.next().await {
        part.expect("bytes");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_page_of_the_own_account_makes_tokens_and_ends_them() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app).await;
    let page =
        browser.post("/account/tokens", &[("name", "ci <b>"), ("days", "x"), ("read", "on")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = browser.post("/account/tokens", &[("name", "ci")]).await;
    assert!(page.text.contains("scopes must have at least one"), "{}", page.text);
    let form = [("name", "ci <b>"), ("days", "30"), ("read", "on"), ("submit", "on")];
    let page = browser.post("/account/tokens", &form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text.contains("ci &lt;b&gt;") && page.text.contains("read, submit"),
        "{}",
        page.text
    );
    let (_, rest) = page.text.split_once("class=\"secret\">").expect("a secret");
    let secret = rest.split('<').next().expect("a text").to_owned();
    assert_eq!(status(&app, Method::GET, "/jobs", &secret).await, 200);
    let page = browser.get("/account").await;
    assert!(!page.text.contains("jr_0") && !page.text.contains(&secret), "it is shown once");
    let (_, rest) = page.text.split_once("/account/tokens/").expect("a token");
    let path = format!("/account/tokens/{}/delete", rest.split('/').next().expect("an id"));
    let deleted = browser.post(&path, &[]).await;
    assert_eq!(
        (deleted.status, deleted.location()),
        (StatusCode::SEE_OTHER, "/account?done=token")
    );
    assert_eq!(status(&app, Method::GET, "/jobs", &secret).await, 401);

    // A token in the place of a session is none, and a session is no token.
    let session = browser.cookie.clone().expect("cookies");
    let (_, session) = session.split_once("jobrunner_session=").expect("a session");
    let session = session.split(';').next().expect("a token");
    assert_eq!(status(&app, Method::GET, "/jobs", session).await, 401);
    let (_, secret) = made(&app, &app.admin, &SCOPES, json!({})).await;
    for other in [secret.as_str(), app.admin.as_str()] {
        browser.cookie = Some(format!("jobrunner_session={other}"));
        let page = browser.get("/").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
        assert!(page.location().starts_with("/sign-in"), "{}", page.location());
    }
    app.stop().await;
}

#[tokio::test]
async fn a_service_account_has_tokens_that_admins_make_and_no_password() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let person = app.account("a@example.com", "operator").await;
        let post = async |path: &str, token: &str, body: Value| {
            app.json(app.request(Method::POST, path, token).json(&body)).await
        };
        let new = json!({"email": "ci@example.com", "role": "operator", "is_service": true});
        let (code, ci) = post("/users", &app.admin, new).await;
        assert_eq!((code, &ci["is_service"]), (201, &json!(true)), "{ci}");
        for (wrong, field) in [
            (json!({"email": "b@example.com", "role": "viewer"}), "password"),
            (
                json!({"email": "b@example.com", "role": "viewer", "is_service": true,
                    "password": "correct horse battery"}),
                "password",
            ),
        ] {
            let (refused, problem) = post("/users", &app.admin, wrong).await;
            assert_eq!((refused, &problem["errors"][0]["field"]), (422, &json!(field)));
        }
        let user = format!("/users/{}", ci["id"].as_str().expect("an id"));
        let change = json!({"password": "correct horse battery"});
        let request = app.request(Method::PATCH, &user, &app.admin).json(&change);
        assert_eq!(app.json(request).await.0, 422);
        for password in ["", "correct horse battery"] {
            assert_eq!(app.try_sign_in("ci@example.com", password).await.status(), 401);
        }

        let token = json!({"name": "nightly", "scopes": ["read", "submit"], "owner_id": ci["id"]});
        assert_eq!(post("/tokens", &person, token.clone()).await.0, 403);
        let (_, me) = app.json(app.request(Method::GET, "/users/me", &person)).await;
        let of_person = json!({"name": "t", "scopes": ["read"], "owner_id": me["id"]});
        assert_eq!(post("/tokens", &app.admin, of_person).await.0, 403, "people make their own");
        let (code, made) = post("/tokens", &app.admin, token).await;
        assert_eq!((code, &made["owner_id"]), (201, &ci["id"]), "{made}");
        let secret = made["secret"].as_str().expect("a secret");
        let (_, me) = app.json(app.request(Method::GET, "/users/me", secret)).await;
        assert_eq!(me["id"], ci["id"]);
        let (_, job) = post("/jobs", secret, json!({"name": "j", "command": ["true"]})).await;
        assert_eq!(job["owner_id"], ci["id"]);
        assert_eq!(status(&app, Method::PATCH, "/users/me", secret).await, 415);
        let list = format!("/tokens?owner_id={}", ci["id"].as_str().expect("an id"));
        let (_, page) = app.json(app.request(Method::GET, &list, &app.admin)).await;
        assert_eq!(page["items"][0]["id"], made["id"]);
        assert_eq!(status(&app, Method::GET, &list, &person).await, 403);
        let token = format!("/tokens/{}", made["id"].as_str().expect("an id"));
        assert_eq!(status(&app, Method::DELETE, &token, &person).await, 404);
        assert_eq!(status(&app, Method::DELETE, &token, &app.admin).await, 204);
        assert_eq!(status(&app, Method::GET, "/users/me", secret).await, 401);

        // A service is nobody who could administer.
        let (_, admin) = app.json(app.request(Method::GET, "/users/me", &app.admin)).await;
        let promote = app.request(Method::PATCH, &user, &app.admin).json(&json!({"role": "admin"}));
        assert_eq!(app.json(promote).await.0, 200);
        let last = format!("/users/{}", admin["id"].as_str().expect("an id"));
        assert_eq!(status(&app, Method::DELETE, &last, &app.admin).await, 409);
        app.stop().await;
    }
}

#[tokio::test]
async fn the_page_of_a_service_account_makes_its_tokens() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let form = [("email", "ci@example.com"), ("role", "operator"), ("is_service", "on")];
    assert_eq!(browser.post("/users", &form).await.status, StatusCode::SEE_OTHER);
    let users = browser.get("/users").await;
    let (before, _) = users.text.split_once("/tokens\"").expect("a link");
    let (_, id) = before.rsplit_once("/users/").expect("a link");
    let path = format!("/users/{id}/tokens");
    assert!(browser.get(&path).await.text.contains("ci@example.com"));
    let refused = browser.post(&path, &[("name", "t")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let made = browser.post(&path, &[("name", "t"), ("days", ""), ("read", "on")]).await;
    let (_, rest) = made.text.split_once("class=\"secret\">").expect("a secret");
    let secret = rest.split('<').next().expect("a text");
    assert_eq!(status(&app, Method::GET, "/users/me", secret).await, 200);
    let (_, rest) = made.text.split_once(&format!("{path}/")).expect("a token");
    let delete = format!("{path}/{}/delete", rest.split('/').next().expect("an id"));
    assert_eq!(browser.post(&delete, &[]).await.location(), path);
    assert_eq!(status(&app, Method::GET, "/users/me", secret).await, 401);
    app.stop().await;
}
