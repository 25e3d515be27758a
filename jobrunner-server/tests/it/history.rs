//! Series and the past of tests, by the API and on pages.

use jobrunner_core::{job::Reason, testkit::Hand};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{app::TestApp, dashboard::browser::Browser};

async fn get(app: &TestApp, path: &str) -> Value {
    let (status, value) = app.json(app.request(Method::GET, path, &app.admin)).await;
    assert_eq!(status, 200, "{path}: {value}");
    value
}

/// A run of the series `nightly` whose tests end so: each with its last line if it fails.
async fn run(app: &TestApp, hand: &Hand, sha: &str, tests: &[(&str, Option<&str>)]) -> String {
    let job = |(name, _): &(&str, _)| json!({"name": name, "command": ["make", name]});
    let jobs: Vec<Value> = tests.iter().map(job).collect();
    let revision = json!({"sha": sha, "branch": "main"});
    let batch = json!({"name": "nightly", "revision": revision, "jobs": jobs});
    let post = app.request(Method::POST, "/job-batches", &app.admin).json(&batch);
    let (status, batch) = app.json(post).await;
    assert_eq!(status, 202, "{batch}");
    for leased in hand.claim(1000).await {
        let name = &leased.run.spec.name;
        let line = tests.iter().find(|(test, _)| test == name).and_then(|(_, line)| *line);
        let mut report = hand.report(leased.lease, line.map(|_| Reason::ExitCode));
        report.error_line = line.map(str::to_owned);
        hand.store().finish(&[report]).await.expect("an answer");
    }
    batch["id"].as_str().expect("an id").to_owned()
}

/// Two runs: `lexer` breaks in the second and `<b>parser</b>` turns.
async fn two_runs(app: &TestApp) -> (String, String) {
    let hand = app.hand().await;
    let (bad, ok) = (Some("lexer.c:#: assertion failed"), None);
    let tests = [("lexer", ok), ("<b>parser</b>", Some("x")), ("gone", ok)];
    let first = run(app, &hand, "aaa", &tests).await;
    let second = run(app, &hand, "aaa", &[("lexer", bad), ("<b>parser</b>", ok)]).await;
    (first, second)
}

#[tokio::test]
async fn the_past_of_a_series_and_its_tests_is_told() {
    let app = TestApp::start().await;
    let (first, second) = two_runs(&app).await;
    let list = get(&app, "/series?name=night*").await;
    let series = &list["items"][0];
    assert_eq!(series["last_run"]["batch_id"], second.as_str(), "{list}");
    assert_eq!(get(&app, "/series?name=other").await["items"], json!([]));
    let path = format!("/series/{}", series["id"].as_str().expect("an id"));
    assert_eq!(get(&app, &path).await["name"], "nightly");

    let page = get(&app, &format!("{path}/runs?limit=1")).await;
    assert_eq!(page["items"][0]["batch_id"], second.as_str());
    assert_eq!(page["items"][0]["counts"]["new"], 1);
    let cursor = page["next_cursor"].as_str().expect("more");
    let page = get(&app, &format!("{path}/runs?limit=1&cursor={cursor}")).await;
    assert_eq!(
        (&page["items"][0]["batch_id"], &page["next_cursor"]),
        (&json!(first), &Value::Null)
    );

    let names = |value: &Value| -> Vec<String> {
        let items = value["items"].as_array().expect("items").iter();
        items.map(|it| it["test"].as_str().expect("a name").to_owned()).collect()
    };
    let tests = get(&app, &format!("{path}/tests")).await;
    assert_eq!(names(&tests), ["lexer", "<b>parser</b>", "gone"]);
    let failed = get(&app, &format!("{path}/tests?status=failed&name=*ex*")).await;
    assert_eq!(names(&failed), ["lexer"]);
    assert!(names(&get(&app, &format!("{path}/tests?branch=other")).await).is_empty());
    let grid = get(&app, &format!("{path}/grid?limit=2")).await;
    assert_eq!(grid["runs"][0]["batch_id"], second.as_str());
    let outcomes = |row: usize| {
        let cells = grid["items"][row]["cells"].as_array().expect("cells").iter();
        cells.map(|cell| cell["outcome"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (outcomes(0).join(" "), outcomes(1).join(" ")),
        ("failed passed".to_owned(), "passed failed".to_owned())
    );
    let cursor = grid["next_cursor"].as_str().expect("more");
    let rest = get(&app, &format!("{path}/grid?limit=2&cursor={cursor}")).await;
    assert_eq!(names(&rest), ["gone"]);
    assert_eq!(rest["items"][0]["cells"][0], Value::Null);
    assert_eq!(
        get(&app, &format!("{path}/grid?runs=1")).await["runs"].as_array().map(Vec::len),
        Some(1)
    );

    let flaky = get(&app, &format!("{path}/tests?flaky=true&limit=1")).await;
    assert_eq!(flaky["items"][0]["flakiness"]["differing"], 1, "{flaky}");
    let cursor = flaky["next_cursor"].as_str().expect("more");
    let rest = get(&app, &format!("{path}/tests?flaky=true&limit=1&cursor={cursor}")).await;
    assert_eq!(
        (rest["items"].as_array().map(Vec::len), &rest["next_cursor"]),
        (Some(1), &Value::Null)
    );

    let test = format!("/tests/{}", tests["items"][0]["test_id"].as_str().expect("an id"));
    let told = get(&app, &test).await;
    assert_eq!((&told["series"], &told["outcome"]), (&json!("nightly"), &json!("failed")));
    assert_eq!(told["causes"][0]["cause"]["error_line"], "lexer.c:#: assertion failed");
    assert_eq!(told["last_good"]["batch_id"], first.as_str());
    let results = get(&app, &format!("{test}/results")).await;
    assert_eq!(results["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(results["items"][0]["revision"]["sha"], "aaa");

    let compared = get(&app, &format!("/job-batches/{second}/compare/{first}")).await;
    let counts = &compared["counts"];
    assert_eq!(
        (&counts["new"], &counts["fixed"], &counts["missing"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let new = get(&app, &format!("/job-batches/{second}/compare/{first}/new")).await;
    assert_eq!(names(&new), ["lexer"]);

    let other = app.account("other@example.com", "operator").await;
    for path in [
        &path,
        &format!("{path}/runs"),
        &format!("{path}/tests"),
        &format!("{path}/grid"),
        &test,
        &format!("{test}/results"),
        &format!("/job-batches/{second}/compare/{first}"),
    ] {
        let (status, _) = app.json(app.request(Method::GET, path, &other)).await;
        assert_eq!(status, 404, "{path}");
    }
    let (_, none) = app.json(app.request(Method::GET, "/series", &other)).await;
    assert_eq!(none["items"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn pages_show_what_is_new_first_and_where_it_passed_last() {
    let app = TestApp::start().await;
    let (first, second) = two_runs(&app).await;
    let browser = Browser::signed_in(&app).await;
    let page = async |path: &str| {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert!(!page.text.contains("<b>parser"), "{path}");
        page.text
    };
    let batch = page(&format!("/batches/{second}")).await;
    let place = |text: &str| batch.find(text).unwrap_or_else(|| panic!("no {text}: {batch}"));
    assert!(place("id=\"verdict\"") < place("id=\"summary\""), "the verdict is first");
    assert!(place("lexer.c:#: assertion failed") < place("id=\"summary\""), "what is new unfolded");
    assert!(batch.contains(&format!("/batches/{first}\">this run")), "where it passed last");
    assert!(batch.contains(&format!("/batches/{second}/compare/{first}")));
    let fixed = page(&format!("/batches/{second}?class=fixed")).await;
    assert!(fixed.contains("Tests that are fixed") && fixed.contains("&lt;b&gt;parser"));
    let compared = page(&format!("/batches/{second}/compare/{first}")).await;
    assert!(compared.contains("Turn around") && !compared.contains("is the older one"));
    let around = page(&format!("/batches/{first}/compare/{second}?class=missing")).await;
    assert!(around.contains("is the older one"));

    let list = page("/series").await;
    let (_, link) = list.split_once("href=\"/series/").expect("a series");
    let series = format!("/series/{}", link.split('"').next().expect("an end"));
    let grid = page(&series).await;
    assert!(grid.contains("<td class=\"cell is-failed\">") && grid.contains("Trend"), "{grid}");
    let names = grid.split("<tr class=\"row\">").skip(1).collect::<Vec<_>>();
    assert!(names[0].contains("lexer") && names.len() == 3);
    let only = page(&format!("{series}?status=failed")).await;
    assert_eq!(only.split("<tr class=\"row\">").count(), 2);
    let flaky = page(&format!("{series}?flaky=true")).await;
    assert!(flaky.contains("<b>1</b> of 1"), "{flaky}");
    let (_, link) = grid.split_once("href=\"/tests/").expect("a test");
    let test = page(&format!("/tests/{}", link.split('"').next().expect("an end"))).await;
    for part in ["Last failure", "make lexer", "jobrunner jobs repro", "Hosts", "Causes"] {
        assert!(test.contains(part), "{part}: {test}");
    }
    for wrong in ["?status=odd", "?cursor=odd"] {
        let status = browser.get(&format!("{series}{wrong}")).await.status;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    app.stop().await;
}
