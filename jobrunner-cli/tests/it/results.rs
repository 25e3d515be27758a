//! Standard output has the results that were asked for, and nothing else.

use serde_json::Value;

use crate::{
    client::{jobrunner, text},
    service::{EMAIL, Service},
};

const SUITE: &str = "name: mixed\njobs:\n  - {name: good, shell: echo fine}
  - {name: bad, shell: echo broken; exit 3}\n";

#[tokio::test]
async fn whatever_is_waited_for_json_is_all_that_is_printed_if_it_was_asked_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let run = |arguments: &[&str]| jobrunner(home.path(), &service.url, arguments);
    assert_eq!(run(&["login", "--email", EMAIL]).status.code(), Some(0));
    let suite = directory.path().join("mixed.yaml");
    std::fs::write(&suite, SUITE).expect("a file");
    let suite = suite.to_str().expect("UTF-8");

    let waits: [&[&str]; 2] = [
        &["batch", "submit", suite, "--wait", "--output", "json"],
        &["submit", "--wait", "--output", "json", "--", "sh", "-c", "echo out; exit 3"],
    ];
    let mut id = String::new();
    for arguments in waits {
        let ended = run(arguments);
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {}", text(&ended.stderr));
        let result: Value = serde_json::from_slice(&ended.stdout).expect("JSON alone");
        assert_eq!(result["status"], "failed", "{result}");
        if result["counts"].is_object() {
            id = result["id"].as_str().expect("an id").to_owned();
        }
    }
    for arguments in [
        &["batch", "watch", &id, "--output", "json"][..],
        &["batch", "rerun", &id, "--only", "all", "--wait", "--output", "json"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {}", text(&ended.stderr));
        let batch: Value = serde_json::from_slice(&ended.stdout).expect("JSON alone");
        assert_eq!(batch["counts"]["failed"], 1);
    }
    let both = run(&["batch", "submit", suite, "--dry-run", "--wait"]);
    assert_eq!(both.status.code(), Some(2), "one of them would be ignored");
}

#[tokio::test]
async fn a_job_that_is_waited_for_has_the_standard_output_for_itself() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let run = |arguments: &[&str]| jobrunner(home.path(), &service.url, arguments);
    assert_eq!(run(&["login", "--email", EMAIL]).status.code(), Some(0));
    let script = "printf 'out\\n\\377\\000\\n'; echo err >&2; exit 3";
    let ended = run(&["submit", "--wait", "--", "sh", "-c", script]);
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stdout, b"out\n\xff\0\n");
    let said = text(&ended.stderr);
    assert!(said.contains("err\n") && said.contains("exited with code 3"), "{said}");
}

#[tokio::test]
async fn series_and_tests_are_shown_with_their_past() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let run = |arguments: &[&str]| jobrunner(home.path(), &service.url, arguments);
    let told = |arguments: &[&str]| {
        let ended = run(arguments);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
        text(&ended.stdout)
    };
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_str(&told(&[arguments, &["--output", "json"]].concat())).expect("JSON")
    };
    told(&["login", "--email", EMAIL]);
    let suite = directory.path().join("mixed.yaml");
    let suite = suite.to_str().expect("UTF-8");
    std::fs::write(suite, SUITE.replace("exit 3", "exit 0")).expect("a file");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let arguments = ["batch", "submit", suite, "--wait", "--output", "json"];
        let batch: Value = serde_json::from_slice(&run(&arguments).stdout).expect("JSON");
        ids.push(batch["id"].as_str().expect("an id").to_owned());
        std::fs::write(suite, SUITE).expect("a file");
    }
    let (first, second) = (ids[0].as_str(), ids[1].as_str());

    assert!(told(&["series", "list"]).contains("1 new of 2"));
    let shown = told(&["series", "show", "mixed"]);
    assert!(shown.contains("1 new of 2") && shown.contains("all 2 passed"), "{shown}");
    let series = json(&["series", "show", "mixed"]);
    assert_eq!(series["runs"].as_array().map(Vec::len), Some(2), "{series}");
    assert_eq!(json(&["series", "list"])[0]["name"], "mixed");
    let listed = told(&["tests", "list", "mixed"]);
    assert!(listed.find("bad") < listed.find("good"), "{listed}");
    assert_eq!(json(&["tests", "list", "mixed", "--status", "failed"])[0]["test"], "bad");
    let shown = told(&["tests", "show", "bad", "--series", "mixed"]);
    for part in ["last      failed", "broken", "for 0 of 2 revisions", "passed"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let test = json(&["tests", "show", "bad", "--series", "mixed"]);
    assert_eq!(test["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(json(&["tests", "flaky", "mixed"]), serde_json::json!([]));
    let diff = told(&["batch", "diff", second, first]);
    assert!(diff.contains("1 new of 2") && diff.contains("bad"), "{diff}");
    assert_eq!(json(&["batch", "diff", second, first])["counts"]["new"], 1);
    let around = run(&["batch", "diff", first, second]);
    assert!(text(&around.stderr).contains("turn them around"), "{}", text(&around.stderr));
    for unknown in
        [&["series", "show", "none"][..], &["tests", "show", "none", "--series", "mixed"]]
    {
        assert_eq!(run(unknown).status.code(), Some(66), "{unknown:?}");
    }
    assert_eq!(run(&["tests", "show", "bad"]).status.code(), Some(2));
}
