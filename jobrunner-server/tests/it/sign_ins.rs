//! Many who want to sign in, and some who may not.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jobrunner_core::testkit::allowed;
use reqwest::StatusCode;

use crate::{app::TestApp, dashboard::browser::Browser};

const RIGHT: &str = "correct horse battery";

async fn attempt(app: &TestApp, email: &str, password: &str) -> (u16, Option<u64>) {
    let answer = app.try_sign_in(email, password).await;
    let after = answer.headers().get("retry-after");
    let after = after.map(|after| after.to_str().expect("ASCII").parse().expect("seconds"));
    (answer.status().as_u16(), after)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_who_guess_do_not_keep_an_honest_one_waiting() {
    let app = TestApp::start().await;
    app.account("a@example.com", "viewer").await;
    let guess = async |n: usize| {
        let mut answers = Vec::new();
        for round in 0..5 {
            let email = format!("nobody{}@example.com", n * 5 + round);
            answers.push(attempt(&app, &email, "a wrong password").await);
        }
        answers
    };
    let guesses = join_all((0..100).map(guess));
    let honest = async {
        let started = Instant::now();
        for _ in 0..5 {
            assert_eq!(attempt(&app, "a@example.com", RIGHT).await, (200, None));
        }
        started.elapsed() / 5
    };
    let (guesses, took) = tokio::join!(guesses, honest);
    assert!(took < allowed(Duration::from_millis(500)), "{took:?}");
    let guesses: Vec<_> = guesses.into_iter().flatten().collect();
    let refused = guesses.iter().filter(|(status, _)| *status == 429).count();
    let wrong = guesses.iter().filter(|(status, _)| *status == 401).count();
    assert_eq!(refused + wrong, 500, "{guesses:?}");
    assert!(refused > 300, "{refused}");
    assert!(guesses.iter().all(|(status, after)| (*status == 429) == after.is_some()));
    app.stop().await;
}

#[tokio::test]
async fn who_guesses_a_password_is_slowed_down_and_its_owner_is_not_locked_out() {
    let app = TestApp::start().await;
    // Nobody has signed in to this account from here.
    let mut failed = 0;
    let after = loop {
        match attempt(&app, "victim@example.com", "a wrong password").await {
            (401, None) => failed += 1,
            (429, Some(after)) => break after,
            other => panic!("{other:?}"),
        }
        assert!(failed < 100, "nobody is slowed down");
    };
    assert!(failed >= 10 && (1..=10).contains(&after), "{failed}, {after}");
    // Whatever is said of where it comes from.
    let form = [("username", "victim@example.com"), ("password", "a wrong password")];
    let url = format!("{}/api/v1/auth/token", app.url);
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let request = app.http.post(&url).form(&form).header(header, "192.0.2.7");
        let mut status = app.json(request.try_clone().expect("a form")).await.0;
        // An attempt may have come back meanwhile; no second one has.
        if status == 401 {
            status = app.json(request).await.0;
        }
        assert_eq!(status, 429, "{header}");
    }
    // Where another account is known, and so it goes on being.
    assert_eq!(attempt(&app, "admin@example.com", RIGHT).await, (200, None));
    for _ in 0..9 {
        assert_eq!(attempt(&app, "admin@example.com", "a wrong password").await.0, 401);
    }
    assert_eq!(attempt(&app, "admin@example.com", RIGHT).await, (200, None));
    let mut browser = Browser::new(&app);
    let page = browser.sign_in("victim@example.com", "a wrong password", "/").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.text.contains("too many attempts") && !page.header("retry-after").is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sign_ins_at_once_are_answered_each() {
    let app = TestApp::start().await;
    let answers = join_all((0..200).map(|_| attempt(&app, "admin@example.com", RIGHT))).await;
    let done = answers.iter().filter(|(status, _)| *status == 200).count();
    assert!(done >= 1, "{answers:?}");
    assert!(answers.iter().all(|(status, after)| match status {
        200 => after.is_none(),
        429 => after.is_some(),
        _ => false,
    }));
    assert_eq!(attempt(&app, "admin@example.com", RIGHT).await, (200, None), "there is room again");
    app.stop().await;
}
