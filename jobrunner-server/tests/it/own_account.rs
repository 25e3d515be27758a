//! What people do with their own account.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{app::TestApp, dashboard::browser::Browser};

const OLD: &str = "correct horse battery";
const NEW: &str = "nine purple bicycles underwater";

async fn me(app: &TestApp, token: &str) -> u16 {
    app.json(app.request(Method::GET, "/users/me", token)).await.0
}

async fn change(app: &TestApp, token: &str, body: Value) -> (u16, Value) {
    app.json(app.request(Method::PATCH, "/users/me", token).json(&body)).await
}

async fn grant(app: &TestApp, form: &[(&str, &str)]) -> (u16, Value) {
    app.json(app.http.post(format!("{}/api/v1/auth/token", app.url)).form(form)).await
}

#[tokio::test]
async fn a_new_password_ends_the_other_sign_ins_and_keeps_the_one_that_sets_it() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let other = app.account("a@example.com", "viewer").await;
        let (_, own) = grant(&app, &[("username", "a@example.com"), ("password", OLD)]).await;
        let token = own["access_token"].as_str().expect("a token");
        let refresh = own["refresh_token"].as_str().expect("a token");

        let body = json!({"current_password": OLD, "password": NEW});
        let (status, answer) = change(&app, token, body).await;
        assert_eq!((status, &answer["email"]), (200, &json!("a@example.com")), "{answer}");

        assert_eq!([me(&app, token).await, me(&app, &other).await], [200, 401]);
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let (status, next) = grant(&app, &form).await;
        assert_eq!(status, 200, "{next}");
        assert_eq!(me(&app, next["access_token"].as_str().expect("a token")).await, 200);
        assert_eq!(app.try_sign_in("a@example.com", OLD).await.status(), 401);
        app.sign_in("a@example.com", NEW).await;

        // What an admin sets ends all of them.
        let user = format!("/users/{}", answer["id"].as_str().expect("an id"));
        let request = app.request(Method::PATCH, &user, &app.admin);
        assert_eq!(app.json(request.json(&json!({"password": OLD}))).await.0, 200);
        assert_eq!(me(&app, token).await, 401);
        app.stop().await;
    }
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_to_one_that_is_hard_to_guess() {
    let app = TestApp::start().await;
    let token = app.account("ada.lovelace@example.com", "viewer").await;
    for (body, status, field) in [
        (json!({"password": NEW}), 422, "current_password"),
        (json!({"password": "lovelace1234", "current_password": OLD}), 422, "password"),
        (json!({"password": "short", "current_password": OLD}), 422, "password"),
        (json!({"password": NEW, "current_password": "a wrong one of mine"}), 403, ""),
        (json!({"password": NEW, "current_password": ""}), 403, ""),
        (json!({"role": "admin"}), 422, "role"),
        (json!({"is_active": true}), 422, "is_active"),
    ] {
        let (answered, problem) = change(&app, &token, body.clone()).await;
        assert_eq!(answered, status, "{body}: {problem}");
        let named = problem["errors"][0]["field"].as_str().unwrap_or_default();
        assert_eq!(named, field, "{body}: {problem}");
    }
    let (status, answer) = change(&app, &token, json!({})).await;
    assert_eq!((status, &answer["role"]), (200, &json!("viewer")));
    app.sign_in("ada.lovelace@example.com", OLD).await;

    // Admins choose by the same rules.
    let new = json!({"email": "bob@example.com", "password": "bob@example.com", "role": "viewer"});
    let (status, problem) =
        app.json(app.request(Method::POST, "/users", &app.admin).json(&new)).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("password")), "{problem}");
    let (_, me) = app.json(app.request(Method::GET, "/users/me", &token)).await;
    let user = format!("/users/{}", me["id"].as_str().expect("an id"));
    let request = app.request(Method::PATCH, &user, &app.admin);
    let (status, problem) = app.json(request.json(&json!({"password": "aaaaaaaaaaaaaaaa"}))).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("password")), "{problem}");

    let (_, told) = app.json(app.request(Method::GET, "/audit-events?limit=2", &app.admin)).await;
    let actions: Vec<&Value> =
        told["items"].as_array().expect("a list").iter().map(|it| &it["action"]).collect();
    assert_eq!(actions, ["sign_in", "sign_in_failed"], "wrong passwords are told, others are not");
    app.stop().await;
}

#[tokio::test]
async fn a_password_fits_however_its_letters_are_composed() {
    let app = TestApp::start().await;
    let token = app.account("a@example.com", "viewer").await;
    let (composed, decomposed) = ("Zw\u{f6}lf Boxk\u{e4}mpfer", "Zwo\u{308}lf Boxka\u{308}mpfer");
    let body = json!({"current_password": OLD, "password": decomposed});
    assert_eq!(change(&app, &token, body).await.0, 200);
    app.sign_in("a@example.com", composed).await;
    app.sign_in("a@example.com", decomposed).await;
    app.stop().await;
}

#[tokio::test]
async fn the_page_of_the_own_account_changes_the_password_and_its_session_goes_on() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let page = browser.get("/account").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("autocomplete=\"new-password\""), "{}", page.text);
    let form = |current: &'static str, again: &'static str| {
        [("current_password", current), ("password", NEW), ("again", again)]
    };
    for (wrong, said) in [
        (form(OLD, OLD), "is not the same twice"),
        (form("a wrong one of mine", NEW), "the current password is wrong"),
    ] {
        let page = browser.post("/account/password", &wrong).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains(said), "{}", page.text);
    }
    let changed = browser.post("/account/password", &form(OLD, NEW)).await;
    assert_eq!(
        (changed.status, changed.location()),
        (StatusCode::SEE_OTHER, "/account?done=password")
    );
    let page = browser.get(changed.location()).await;
    assert!(page.text.contains("Your password is changed"), "{}", page.text);
    assert_eq!(me(&app, &app.admin).await, 401, "the other sign-in has ended");
    app.stop().await;
}
