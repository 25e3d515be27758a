//! The dashboard without a browser: sessions, forms, roles, what is written into pages.

pub(crate) mod browser;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::app::TestApp;
use browser::Browser;

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "</pre><img src=x onerror=alert(1)>",
    "{{7*7}}{% raw %}",
    "\" onmouseover=\"alert(1)",
    "javascript:alert(1)",
    "'; drop table job; --",
];

#[tokio::test]
async fn a_session_begins_with_the_credentials_of_the_api_and_ends_when_asked_to() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    let asked = browser.get("/jobs?name=a%26b").await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER);
    assert_eq!(asked.location(), "/sign-in?next=%2Fjobs%3Fname%3Da%2526b");
    let door = browser.get(asked.location()).await;
    assert_eq!(door.status, StatusCode::OK);
    assert!(
        door.text.contains("value=\"&#x2F;jobs?name=a%26b\"")
            || door.text.contains("value=\"/jobs?name=a%26b\""),
        "{}",
        door.text
    );
    // What a page fetches by itself is no page to sign in on.
    browser.headers.push(("sec-fetch-mode", "cors"));
    assert_eq!(browser.get("/jobs").await.status, StatusCode::UNAUTHORIZED);
    browser.headers.pop();

    let wrong = browser.sign_in("admin@example.com", "not the password", "/").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("the email address or the password is wrong"));
    assert!(browser.cookie.is_none());

    let right = browser.sign_in("admin@example.com", "correct horse battery", "/jobs").await;
    assert_eq!((right.status, right.location()), (StatusCode::SEE_OTHER, "/jobs"));
    assert_eq!(right.cookies().len(), 2);
    for set in right.cookies() {
        for flag in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(set.contains(flag), "{set}");
        }
        assert!(!set.contains("Secure"), "{set}");
    }
    let first = browser.cookie.clone();
    assert_eq!(browser.get("/").await.status, StatusCode::OK);

    // Another sign-in is another session.
    browser.sign_in("admin@example.com", "correct horse battery", "/").await;
    assert_ne!(browser.cookie, first);

    let out = browser.post("/sign-out", &[]).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    assert_eq!(out.cookies().len(), 2);
    assert!(out.cookies().iter().all(|gone| gone.contains("=;") && gone.contains("Max-Age=0")));
    // Whoever kept a copy of the cookies has nothing of them.
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    app.stop().await;
}

#[tokio::test]
async fn behind_tls_the_cookie_is_for_tls_alone() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    browser.headers.push(("x-forwarded-proto", "https"));
    let answer = browser.sign_in("admin@example.com", "correct horse battery", "/").await;
    for set in answer.cookies() {
        assert!(set.starts_with("__Host-") && set.contains("Secure"), "{set}");
        assert!(set.contains("Path=/") && !set.contains("Domain"), "{set}");
    }
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    let page = browser.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    let out = browser.post("/sign-out", &[]).await;
    assert!(out.cookies().iter().all(|gone| gone.starts_with("__Host-") && gone.contains("=;")));
    // What was set without TLS is nothing behind it, and the other way round.
    let mut plain = Browser::signed_in(&app).await;
    assert_eq!(plain.get("/").await.header("strict-transport-security"), "");
    plain.headers.push(("x-forwarded-proto", "https"));
    assert_eq!(plain.get("/").await.location(), "/sign-in?next=%2F");
    app.stop().await;
}

#[tokio::test]
async fn a_sign_in_goes_on_to_pages_of_this_server_only() {
    let app = TestApp::start().await;
    for next in ["//evil.example", "https://evil.example", "/\\evil", "javascript:alert(1)"] {
        let mut browser = Browser::new(&app);
        let answer = browser.sign_in("admin@example.com", "correct horse battery", next).await;
        assert_eq!(answer.location(), "/", "{next}");
    }
    app.stop().await;
}

#[tokio::test]
async fn p12_a_form_without_the_token_of_its_session_or_of_another_site_changes_nothing() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let (_, job) = app
        .json(app.request(reqwest::Method::POST, "/jobs", &app.admin).json(&json!({
            "name": "waits", "command": ["true"]
        })))
        .await;
    let cancel = format!("/jobs/{}/cancel", job["id"].as_str().expect("an id"));
    let refused = |answer: &browser::Page| answer.status == StatusCode::FORBIDDEN;

    assert!(refused(&browser.post_with(&cancel, &[], &[]).await), "no token");
    assert!(refused(&browser.post_with(&cancel, &[("csrf", "0000")], &[]).await), "a wrong token");
    let csrf = [("csrf", browser.csrf().await)];
    let csrf: Vec<(&str, &str)> =
        csrf.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for origin in ["null", "https://evil.example", "http://127.0.0.1", "http://good.evil"] {
        let answer = browser.post_with(&cancel, &csrf, &[("origin", origin)]).await;
        assert!(refused(&answer), "{origin}");
    }
    let answer = browser.post_with(&cancel, &csrf, &[("sec-fetch-site", "cross-site")]).await;
    assert!(refused(&answer), "another site");
    let status = app.request(
        reqwest::Method::GET,
        &format!("/jobs/{}", job["id"].as_str().expect("an id")),
        &app.admin,
    );
    assert_eq!(app.json(status).await.1["status"], "waiting");

    let answer = browser.post_with(&cancel, &csrf, &[("origin", &app.url)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    // A page is never changed by being looked at.
    assert_eq!(browser.get(&cancel).await.status, StatusCode::METHOD_NOT_ALLOWED);
    app.stop().await;
}

#[tokio::test]
async fn p12_the_cookie_is_no_key_to_the_api() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    assert_eq!(browser.get("/api/v1/jobs").await.status, StatusCode::UNAUTHORIZED);
    app.stop().await;
}

#[tokio::test]
async fn p12_a_viewer_has_no_buttons_and_is_refused_what_they_would_do() {
    let app = TestApp::start().await;
    app.account("viewer@example.com", "viewer").await;
    let (_, job) = app
        .json(app.request(reqwest::Method::POST, "/jobs", &app.admin).json(&json!({
            "name": "of the admin", "command": ["true"]
        })))
        .await;
    let id = job["id"].as_str().expect("an id");
    let mut browser = Browser::new(&app);
    browser.sign_in("viewer@example.com", "correct horse battery", "/").await;
    let home = browser.get("/").await;
    assert!(!home.text.contains("/workers") && !home.text.contains("/users"), "{}", home.text);
    assert!(!home.text.contains("of the admin"));
    assert_eq!(browser.get(&format!("/jobs/{id}")).await.status, StatusCode::NOT_FOUND);
    let absent = browser.get("/jobs/01890000-0000-7000-8000-000000000000").await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    for path in ["/workers", "/users", "/queues", "/audit"] {
        assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(
        browser.post(&format!("/jobs/{id}/cancel"), &[]).await.status,
        StatusCode::NOT_FOUND
    );
    let new = [("email", "x@example.com"), ("password", "long enough for it"), ("role", "admin")];
    assert_eq!(browser.post("/users", &new).await.status, StatusCode::FORBIDDEN);
    app.stop().await;
}

#[tokio::test]
async fn a_session_ends_when_its_account_is_disabled() {
    let app = TestApp::start().await;
    app.account("leaving@example.com", "operator").await;
    let mut browser = Browser::new(&app);
    browser.sign_in("leaving@example.com", "correct horse battery", "/").await;
    assert_eq!(browser.get("/jobs").await.status, StatusCode::OK);
    let admin = Browser::signed_in(&app).await;
    let users = admin.get("/users").await.text;
    let (before, _) = users.split_once("Role of leaving@example.com").expect("a row");
    let (_, id) = before.rsplit_once("action=\"/users/").expect("a form");
    let id = id.split('"').next().expect("an id");
    let disabled = admin.post(&format!("/users/{id}"), &[("is_active", "false")]).await;
    assert_eq!(disabled.status, StatusCode::SEE_OTHER, "{}", disabled.text);
    assert_eq!(browser.get("/jobs").await.location(), "/sign-in?next=%2Fjobs");
    app.stop().await;
}

#[tokio::test]
async fn p12_what_callers_write_stays_text_in_every_page() {
    let app = TestApp::start().await;
    let jobs: Vec<_> = HOSTILE
        .iter()
        .map(|hostile| {
            json!({"name": hostile, "command": ["echo", hostile], "env": {"X": hostile},
                "payload": {*hostile: hostile}})
        })
        .collect();
    let batch = json!({"name": HOSTILE[0], "description": HOSTILE[1], "jobs": jobs,
        "payload": {"x": HOSTILE[3]}});
    let request = app.request(reqwest::Method::POST, "/job-batches", &app.admin).json(&batch);
    let (status, batch) = app.json(request).await;
    assert_eq!(status, 202, "{batch}");
    let browser = Browser::signed_in(&app).await;
    let path = format!("/batches/{}", batch["id"].as_str().expect("an id"));
    let list = app.request(reqwest::Method::GET, "/jobs", &app.admin);
    let (_, jobs) = app.json(list).await;
    let mut paths =
        vec!["/".to_owned(), "/jobs".to_owned(), path.clone(), format!("{path}/members")];
    for job in jobs["items"].as_array().expect("a list") {
        paths.push(format!("/jobs/{}", job["id"].as_str().expect("an id")));
    }
    paths.push("/jobs?name=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&queue=%3Cb%3E".to_owned());
    for path in paths {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        for markup in ["<script>alert", "<img src=x", "onmouseover=\"alert", "49{%"] {
            assert!(!page.text.contains(markup), "{markup} in {path}");
        }
        assert!(!page.text.contains("style=\""), "an inline style in {path}");
        let policy = page.header("content-security-policy");
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_sign_in_page_and_an_empty_dashboard_escape_the_name_of_the_host() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let page = browser.get_with("/", &[("host", "a\"><script>alert(1)</script>")]).await;
    assert!(page.text.contains("No batches yet"), "{}", page.text);
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    app.stop().await;
}

#[tokio::test]
async fn results_are_downloaded_as_junit() {
    let app = TestApp::start().await;
    let jobs = json!({"name": "b", "jobs": [{"name": "a\u{1}b".replace('\u{1}', " "), "command": ["true"]}]});
    let request = app.request(reqwest::Method::POST, "/job-batches", &app.admin).json(&jobs);
    let (_, batch) = app.json(request).await;
    let browser = Browser::signed_in(&app).await;
    let id = batch["id"].as_str().expect("an id");
    let xml = browser.get(&format!("/batches/{id}/junit.xml")).await;
    assert_eq!(xml.header("content-type"), "application/xml; charset=utf-8");
    assert!(xml.text.contains("<testcase name=\"a b\" classname=\"b\""), "{}", xml.text);
    app.stop().await;
}

#[tokio::test]
async fn what_waits_because_its_owner_is_disabled_says_so() {
    let app = TestApp::start().await;
    let token = app.account("ada@example.com", "operator").await;
    let job = json!({"name": "j", "command": ["true"]});
    let batch = json!({"name": "b", "jobs": [job]});
    let request = app.request(Method::POST, "/job-batches", &token).json(&batch);
    let batch = app.json(request).await.1["id"].as_str().expect("an id").to_owned();
    let members = format!("/job-batches/{batch}/jobs");
    let members = app.json(app.request(Method::GET, &members, &token)).await.1;
    let job = members["items"][0]["id"].as_str().expect("an id").to_owned();
    let owner = app.json(app.request(Method::GET, "/users/me", &token)).await.1;
    let owner = format!("/users/{}", owner["id"].as_str().expect("an id"));
    let browser = Browser::signed_in(&app).await;
    let told = async || {
        let holds = app.request(Method::GET, &format!("/jobs/{job}/holds"), &app.admin);
        let holds = app.json(holds).await.1["items"].as_array().expect("a list").clone();
        let pages = [format!("/jobs/{job}"), format!("/batches/{batch}")];
        let mut shown = Vec::new();
        for page in pages {
            shown.push(browser.get(&page).await.text.contains("account of its owner is disabled"));
        }
        (holds.into_iter().map(|hold| hold["reason"].clone()).collect::<Vec<_>>(), shown)
    };
    // Nobody runs anything here.
    let always = json!("no_worker");
    assert_eq!(told().await, (vec![always.clone()], vec![false, false]));
    let disabled = vec![json!("owner_disabled"), always.clone()];
    for (is_active, reasons) in [(false, disabled), (true, vec![always])] {
        let change = app.request(Method::PATCH, &owner, &app.admin);
        let (status, _) = app.json(change.json(&json!({"is_active": is_active}))).await;
        assert_eq!(status, 200);
        assert_eq!(told().await, (reasons, vec![!is_active, !is_active]));
    }
    let change = app.request(Method::PATCH, &owner, &app.admin).json(&json!({"is_active": false}));
    assert_eq!(app.json(change).await.0, 200);
    let cancel = app.request(Method::POST, &format!("/jobs/{job}/cancel"), &app.admin);
    assert_eq!(app.json(cancel).await.1["status"], "canceled");
    assert_eq!(told().await, (vec![], vec![false, false]), "it does not wait any more");
    app.stop().await;
}
