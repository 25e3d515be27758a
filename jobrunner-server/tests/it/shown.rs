//! What pages show of many jobs and tests, and in which order.

use jobrunner_core::{
    job::Reason,
    lease::Finish,
    report::{Case, CaseStatus, Report},
};
use reqwest::Method;
use serde_json::json;

use crate::{app::TestApp, dashboard::browser::Browser};

async fn batch(app: &TestApp, jobs: usize) -> String {
    let jobs: Vec<_> =
        (0..jobs).map(|n| json!({"name": format!("job-{n:03}"), "command": ["true"]})).collect();
    let new = json!({"name": "shown", "jobs": jobs});
    let (status, made) =
        app.json(app.request(Method::POST, "/job-batches", &app.admin).json(&new)).await;
    assert_eq!(status, 202);
    made["id"].as_str().expect("an id").to_owned()
}

/// The names of jobs in their order on a page.
fn names(page: &str) -> Vec<&str> {
    let (_, table) = page.split_once("<table class=\"jobs\">").expect("a table");
    let names = table.split("<td class=\"name\">").skip(1);
    names.map(|cell| cell.split(['>', '<']).nth(2).expect("a link")).collect()
}

#[tokio::test]
async fn the_members_of_a_batch_are_shown_failed_ones_first() {
    let app = TestApp::start().await;
    let id = batch(&app, 230).await;
    let hand = app.hand().await;
    for number in 0..220 {
        let reason = (number % 20 == 0).then_some(Reason::ExitCode);
        hand.run_one(reason).await;
    }
    let _running = hand.start_one().await;
    let browser = Browser::signed_in(&app).await;
    let mut all = Vec::new();
    let mut path = format!("/batches/{id}");
    let pages = loop {
        let page = browser.get(&path).await.text;
        all.extend(names(&page).into_iter().map(str::to_owned));
        let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else {
            break all.len() / 100;
        };
        path = next.split('"').next().expect("an end").replace("&amp;", "&").replace("&#x2F;", "/");
    };
    assert_eq!((pages, all.len()), (2, 230), "each is there");
    let failed: Vec<String> = (0..11).rev().map(|n| format!("job-{:03}", n * 20)).collect();
    assert_eq!(all[..11], failed, "failed ones, the newest first");
    assert_eq!(all[11], "job-220", "then the running one");
    assert_eq!(all[12], "job-229", "then those that wait");
    assert_eq!(all[21], "job-219", "then those that passed");
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), 230, "and none twice");

    let newest = browser.get(&format!("/batches/{id}?sort=-created_at")).await.text;
    assert_eq!(names(&newest)[..2], ["job-229", "job-228"]);
    let unfolded = browser.get(&format!("/batches/{id}/members")).await.text;
    assert_eq!(names(&unfolded)[..11], failed);
    for wrong in ["failed", "nonsense.x", "failed.x"] {
        let refused = browser.get(&format!("/batches/{id}?cursor={wrong}")).await;
        assert_eq!(refused.status, 422, "{wrong}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_long_reason_is_cut_and_there_whole() {
    let app = TestApp::start().await;
    let id = batch(&app, 1).await;
    let hand = app.hand().await;
    let lease = hand.start_one().await.lease;
    let mut report = hand.report(lease, Some(Reason::SpawnFailed));
    let why = format!("program \"x\" was not found in PATH ({})", "/a/b:".repeat(60));
    report.outcome.error = Some(why.clone());
    hand.store().finish(&[report]).await.expect("an answer");
    let browser = Browser::signed_in(&app).await;
    let page = browser.get(&format!("/batches/{id}")).await.text.replace("&#x2F;", "/");
    let (_, cell) = page.split_once("<td class=\"why\">").expect("a cell");
    let (cell, _) = cell.split_once("</td>").expect("its end");
    assert!(cell.starts_with("<details class=\"whole\"><summary>"), "{cell}");
    let (cut, whole) = cell.split_once("</summary>").expect("what is unfolded");
    assert!(cut.contains("…</span>") && cut.len() < 300, "{cut}");
    assert!(whole.contains("/a/b:)"), "{whole}");
    app.stop().await;
}

#[tokio::test]
async fn the_tests_of_a_job_are_on_its_page_failed_ones_first() {
    let app = TestApp::start().await;
    let new = json!({"name": "suite", "command": ["true"], "junit": ["*.xml"]});
    let (_, job) = app.json(app.request(Method::POST, "/jobs", &app.admin).json(&new)).await;
    let id = job["id"].as_str().expect("an id").to_owned();
    let case = |name: String, status| Case {
        class: "c <b>".into(),
        name,
        file: None,
        status,
        flaky: false,
        duration_ms: Some(7),
        message: (status == CaseStatus::Failed).then(|| "line 1 <i>\nline 2".to_owned()),
    };
    let mut cases = vec![case("<script>x".to_owned(), CaseStatus::Failed)];
    cases.extend((0..60).map(|n| case(format!("passes {n}"), CaseStatus::Passed)));
    let hand = app.hand().await;
    let lease = hand.start_one().await.lease;
    let error = Some("b.xml is empty <u>".to_owned());
    let report = Some(Report { cases: cases.into(), error });
    let finish = Finish { report, ..hand.report(lease, None) };
    hand.store().finish(&[finish]).await.expect("an answer");

    let browser = Browser::signed_in(&app).await;
    let page = browser.get(&format!("/jobs/{id}")).await.text.replace("&#x2F;", "/");
    let (_, tests) = page.split_once("<section id=\"tests\"").expect("the tests");
    let (tests, _) = tests.split_once("</section>").expect("their end");
    for shown in [
        "b.xml is empty &lt;u&gt;",
        "&lt;script&gt;x",
        "line 1 &lt;i&gt;…",
        "<b>60</b> passed",
        "<b>1</b> failed",
    ] {
        assert!(tests.contains(shown), "{shown}: {tests}");
    }
    let place = |text: &str| tests.find(text).expect(text);
    assert!(place("&lt;script&gt;x") < place("passes 0"));
    assert!(!tests.contains("passes 49"), "the rest is on the next page");
    let (_, next) = tests.split_once("rel=\"next\" href=\"").expect("a next page");
    let next = next.split('"').next().expect("an end").replace("&amp;", "&");
    assert!(browser.get(&next).await.text.contains("passes 59"));
    let failed = browser.get(&format!("/jobs/{id}?test_status=failed&attempt=1")).await.text;
    assert!(failed.contains("script&gt;x") && !failed.contains("passes 0"));
    let named = browser.get(&format!("/jobs/{id}?test_name=passes+1")).await.text;
    assert!(named.contains("passes 15") && !named.contains("passes 2<"));
    assert_eq!(browser.get(&format!("/jobs/{id}?test_status=nonsense")).await.status, 422);
    app.stop().await;
}
