use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

const UNKNOWN: &str = "0190b2f4-0000-7000-8000-000000000000";

#[tokio::test]
async fn a_disabled_account_is_refused_at_once_in_the_same_words_as_a_wrong_password() {
    let app = TestApp::start().await;
    let token = app.account("a@example.com", "operator").await;
    let (_, me) = app.json(app.request(Method::GET, "/users/me", &token)).await;
    let path = format!("/users/{}", me["id"].as_str().expect("an id"));
    assert_eq!(app.json(app.request(Method::DELETE, &path, &app.admin)).await.0, 204);
    assert_eq!(app.json(app.request(Method::GET, "/users/me", &token)).await.0, 401);
    let mut said = Vec::new();
    for (email, password) in [
        ("a@example.com", "correct horse battery"),
        ("admin@example.com", "wrong horse battery"),
        ("nobody@example.com", "correct horse battery"),
    ] {
        let answer = app.try_sign_in(email, password).await;
        assert_eq!(answer.status(), 401);
        said.push(answer.text().await.expect("a body"));
    }
    assert!(said.iter().all(|body| *body == said[0]), "{said:?}");
    let (_, admin) = app.json(app.request(Method::GET, "/users/me", &app.admin)).await;
    let path = format!("/users/{}", admin["id"].as_str().expect("an id"));
    let (status, refused) = app.json(app.request(Method::DELETE, &path, &app.admin)).await;
    let told = (status, &refused["code"]);
    assert_eq!(told, (409, &json!("last_admin")), "the last active admin stays");
    app.stop().await;
}

#[tokio::test]
async fn a_sign_out_ends_its_token_at_once_and_no_other() {
    let app = TestApp::start().await;
    let token = app.account("a@example.com", "operator").await;
    let other = app.sign_in("a@example.com", "correct horse battery").await;
    let me = async |token: &str| app.json(app.request(Method::GET, "/users/me", token)).await.0;
    assert_eq!([me(&token).await, me(&other).await], [200, 200]);
    let out = || app.request(Method::DELETE, "/auth/token", &token).send();
    assert_eq!(out().await.expect("an answer").status(), 204);
    assert_eq!([me(&token).await, me(&other).await], [401, 200]);
    assert_eq!(out().await.expect("an answer").status(), 401);
    app.stop().await;
}

/// What the server says to a form at the endpoint for tokens.
async fn grant(app: &TestApp, form: &[(&str, &str)]) -> (u16, Value) {
    app.json(app.http.post(format!("{}/api/v1/auth/token", app.url)).form(form)).await
}

async fn refresh(app: &TestApp, token: &Value) -> (u16, Value) {
    let token = token["refresh_token"].as_str().expect("a token");
    grant(app, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

async fn me(app: &TestApp, token: &Value) -> u16 {
    let token = token["access_token"].as_str().expect("a token");
    app.json(app.request(Method::GET, "/users/me", token)).await.0
}

const SIGN_IN: [(&str, &str); 2] =
    [("username", "a@example.com"), ("password", "correct horse battery")];

#[tokio::test]
async fn a_refresh_token_is_exchanged_once_and_a_second_time_ends_the_sign_in() {
    let app = TestApp::start().await;
    app.account("a@example.com", "operator").await;
    let (_, first) = grant(&app, &SIGN_IN).await;
    let (_, other) = grant(&app, &SIGN_IN).await;
    assert_eq!(first["refresh_token_expires_in"], 30 * 24 * 3600);
    let (status, second) = refresh(&app, &first).await;
    assert_eq!(status, 200, "{second}");
    let (status, third) = refresh(&app, &second).await;
    assert_eq!(status, 200, "{third}");
    for token in [&first, &second, &third] {
        assert_eq!(me(&app, token).await, 200);
    }
    let (status, problem) = refresh(&app, &first).await;
    assert_eq!(status, 401, "{problem}");
    assert!(problem["detail"].as_str().expect("text").contains("sign in again"), "{problem}");
    for token in [&first, &second, &third] {
        assert_eq!(me(&app, token).await, 401, "the sign-in has ended");
        assert_eq!(refresh(&app, token).await.0, 401);
    }
    assert_eq!((me(&app, &other).await, refresh(&app, &other).await.0), (200, 200));
    app.stop().await;
}

#[tokio::test]
async fn of_many_exchanges_of_one_token_at_once_one_is_carried_out() {
    let app = TestApp::start().await;
    app.account("a@example.com", "operator").await;
    let (_, first) = grant(&app, &SIGN_IN).await;
    let answers = futures_util::future::join_all((0..8).map(|_| refresh(&app, &first))).await;
    let given: Vec<&Value> =
        answers.iter().filter(|(status, _)| *status == 200).map(|(_, token)| token).collect();
    assert!(given.len() <= 1, "{answers:?}");
    for token in given {
        assert_eq!(me(&app, token).await, 401, "nobody knows which of them was the thief");
    }
    app.stop().await;
}

#[tokio::test]
async fn refresh_tokens_end_with_the_sign_in_the_password_and_the_account() {
    let app = TestApp::start().await;
    app.account("a@example.com", "operator").await;
    let (_, token) = grant(&app, &SIGN_IN).await;
    let access = token["access_token"].as_str().expect("a token");
    let (_, account) = app.json(app.request(Method::GET, "/users/me", access)).await;
    let user = format!("/users/{}", account["id"].as_str().expect("an id"));
    let out = app.request(Method::DELETE, "/auth/token", access).send().await;
    assert_eq!(out.expect("an answer").status(), 204);
    assert_eq!(refresh(&app, &token).await.0, 401);

    for change in [json!({"password": "correct horse battery"}), json!({"is_active": false})] {
        let (_, token) = grant(&app, &SIGN_IN).await;
        let changed = app.json(app.request(Method::PATCH, &user, &app.admin).json(&change)).await;
        assert_eq!(changed.0, 200, "{}", changed.1);
        assert_eq!(refresh(&app, &token).await.0, 401, "{change}");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_endpoint_for_tokens_names_what_is_wrong_with_a_grant() {
    let app = TestApp::start().await;
    let (_, token) = grant(&app, &[("username", "admin@example.com"), SIGN_IN[1]]).await;
    let access = token["access_token"].as_str().expect("a token");
    let refresh = token["refresh_token"].as_str().expect("a token");
    type Wrong<'a> = (&'a [(&'a str, &'a str)], u16, &'a str);
    let wrong: [Wrong<'_>; 6] = [
        (&[("grant_type", "refresh_token")], 422, "refresh_token"),
        (&[("username", "a@example.com")], 422, "password"),
        (&[], 422, "username"),
        (&[("grant_type", "client_credentials")], 422, "grant_type"),
        (&[("grant_type", "refresh_token"), ("refresh_token", access)], 401, "refresh token"),
        (&[("grant_type", "refresh_token"), ("refresh_token", "x")], 401, "refresh token"),
    ];
    for (form, status, word) in wrong {
        let (answered, problem) = grant(&app, form).await;
        assert_eq!(answered, status, "{form:?}: {problem}");
        assert!(problem.to_string().contains(word), "{problem}");
    }
    let as_access = app.json(app.request(Method::GET, "/users/me", refresh)).await;
    assert_eq!(as_access.0, 401, "it is good for exchanges alone");
    app.stop().await;
}

#[tokio::test]
async fn p1_a_repeated_submission_answers_the_same_job() {
    let app = TestApp::start().await;
    let submit = |path: &str, body: Value| {
        let request = app.request(Method::POST, path, &app.admin).json(&body);
        app.json(request.header("Idempotency-Key", "night-1"))
    };
    let job = || json!({"name": "j", "command": ["true"]});
    let (_, first) = submit("/jobs", job()).await;
    let (status, again) = submit("/jobs", job()).await;
    assert_eq!((status, &again["id"]), (202, &first["id"]));
    let other = json!({"name": "k", "command": ["true"]});
    let batch = json!({"name": "b", "jobs": [job()]});
    for (path, body) in [("/jobs", other), ("/job-batches", batch)] {
        let (status, refused) = submit(path, body).await;
        assert_eq!((status, &refused["code"]), (409, &json!("key_reused")));
    }
    assert_eq!(app.stored().await, 1);
    app.stop().await;
}

#[tokio::test]
async fn p12_workers_are_seen_by_operators_and_drained_by_admins() {
    let app = TestApp::start().await;
    let operator = app.account("operator@example.com", "operator").await;
    let viewer = app.account("viewer@example.com", "viewer").await;
    let drain = format!("/workers/{UNKNOWN}/drain");
    for (token, seen, drained) in
        [(&app.admin, 200, 404), (&operator, 200, 403), (&viewer, 403, 403)]
    {
        let (status, answer) = app.json(app.request(Method::GET, "/workers", token)).await;
        assert_eq!(status, seen, "{answer}");
        let (status, answer) = app.json(app.request(Method::POST, &drain, token)).await;
        assert_eq!(status, drained, "{answer}");
    }
    app.stop().await;
}
