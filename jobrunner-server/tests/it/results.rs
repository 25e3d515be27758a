//! Results of a batch as a whole.

use jobrunner_core::{
    job::Reason,
    testkit::{Hand, wait_until},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

async fn submit(app: &TestApp, jobs: Value) -> String {
    let batch = json!({"name": "b", "jobs": jobs});
    let (status, batch) =
        app.json(app.request(Method::POST, "/job-batches", &app.admin).json(&batch)).await;
    assert_eq!(status, 202, "{batch}");
    format!("/job-batches/{}", batch["id"].as_str().expect("an id"))
}

async fn get(app: &TestApp, path: &str) -> Value {
    let (status, value) = app.json(app.request(Method::GET, path, &app.admin)).await;
    assert_eq!(status, 200, "{value}");
    value
}

#[tokio::test]
async fn the_counts_of_a_batch_are_told_until_its_end() {
    let app = TestApp::start().await;
    let hand = app.hand().await;
    let job = json!({"name": "j", "command": ["true"]});
    let path = submit(&app, json!([job, job])).await;
    let request = app.request(Method::GET, &format!("{path}/events"), &app.admin);
    let mut stream = request.send().await.expect("a stream");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut told = String::new();
    let mut events = Vec::new();
    let end = async |hand: &Hand, reason| {
        hand.run_one(reason).await;
        app.announce().await;
    };
    while let Some(chunk) = stream.chunk().await.expect("a chunk") {
        told.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        while let Some((event, rest)) = told.split_once("\n\n") {
            let data =
                event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
            let is_batch = event.contains("event: batch");
            told = rest.to_owned();
            let Some(data) = data.filter(|_| is_batch) else { continue };
            events.push(serde_json::from_str::<Value>(&data).expect("JSON"));
            match events.len() {
                1 => end(&hand, None).await,
                2 => end(&hand, Some(Reason::ExitCode)).await,
                _ => {}
            }
        }
    }
    let passed: Vec<_> = events.iter().map(|batch| batch["counts"]["passed"].clone()).collect();
    assert_eq!(passed, [0, 1, 1]);
    assert_eq!(events[2]["status"], "failed");
    assert!(!events[2]["finished_at"].is_null());
    app.stop().await;
}

#[tokio::test]
async fn causes_timeline_and_junit_are_told_and_only_to_those_who_may_see_the_batch() {
    let app = TestApp::start().await;
    let hand = app.hand().await;
    let job = |name: &str| json!({"name": name, "command": ["true"]});
    let path = submit(&app, json!([job("one"), job("two <&>")])).await;
    hand.run_one(None).await;
    hand.run_one(Some(Reason::ExitCode)).await;
    wait_until("the end", || async {
        (!get(&app, &path).await["finished_at"].is_null()).then_some(())
    })
    .await;
    let causes = get(&app, &format!("{path}/causes")).await;
    assert_eq!(causes["items"][0]["count"], 1, "{causes}");
    assert_eq!(causes["items"][0]["reason"], "exit_code");
    let timeline = get(&app, &format!("{path}/timeline")).await;
    let last = timeline["items"].as_array().and_then(|items| items.last()).expect("a moment");
    assert_eq!(
        (&last["running"], &last["passed"], &last["failed"]),
        (&json!(0), &json!(1), &json!(1))
    );

    let request = app.request(Method::GET, &format!("{path}/junit.xml"), &app.admin);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/xml; charset=utf-8");
    let xml = answer.text().await.expect("a document");
    assert!(xml.contains("tests=\"2\" ") && xml.contains("failures=\"1\""), "{xml}");
    assert!(xml.contains("two &lt;&amp;"), "{xml}");

    let other = app.account("other@example.com", "operator").await;
    for part in ["causes", "timeline", "junit.xml", "events"] {
        let request = app.request(Method::GET, &format!("{path}/{part}"), &other);
        assert_eq!(request.send().await.expect("an answer").status(), 404, "{part}");
    }
    app.stop().await;
}

#[tokio::test]
async fn members_are_sorted_page_by_page() {
    let app = TestApp::start().await;
    let job = |name: &str| json!({"name": name, "command": ["true"]});
    let path = submit(&app, json!([job("b"), job("c"), job("a")])).await;
    let id = path.rsplit('/').next().expect("an id");
    for (sort, expected) in [
        ("created_at", ["b", "c", "a"]),
        ("-created_at", ["a", "c", "b"]),
        ("name", ["a", "b", "c"]),
        ("-name", ["c", "b", "a"]),
    ] {
        for list in [format!("{path}/jobs?"), format!("/jobs?batch_id={id}&")] {
            let (mut names, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = get(&app, &format!("{list}sort={sort}&limit=2{cursor}")).await;
                let items = page["items"].as_array().expect("jobs");
                names.extend(items.iter().map(|job| job["name"].clone()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(names, expected, "{list}sort={sort}");
        }
    }
    app.stop().await;
}
