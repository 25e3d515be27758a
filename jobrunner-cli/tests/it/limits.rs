//! Limits are what was asked for, or it is said that they are not.

use serde_json::Value;

use crate::{
    client::{jobrunner, text},
    service::{EMAIL, Service},
};

#[tokio::test]
async fn a_limit_is_never_rounded_and_a_shorter_one_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let limit = [("COMMAND_TIMEOUT_SECONDS", "60")];
    let service = Service::start_with(directory.path(), 0, &limit).await;
    let run = |arguments: &[&str]| jobrunner(home.path(), &service.url, arguments);
    assert_eq!(run(&["login", "--email", EMAIL]).status.code(), Some(0));

    for (option, value) in [("--timeout", "1900ms"), ("--silence", "1ms"), ("--timeout", "0s")] {
        let refused = run(&["submit", option, value, "--", "true"]);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(option) && said.contains(value), "{said}");
    }
    let refused = run(&["submit", "--max-attempts", "2", "--retry-delay", "900ms", "--", "true"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--retry-delay"), "{}", text(&refused.stderr));

    let capped = run(&["submit", "--timeout", "2h", "--output", "json", "--", "true"]);
    let job: Value = serde_json::from_slice(&capped.stdout).expect("JSON");
    assert_eq!(job["timeout_seconds"], 60);
    let said = text(&capped.stderr);
    assert!(said.contains("60 s") && said.contains("7200 s"), "{said}");
    let kept =
        run(&["submit", "--timeout", "59s", "--silence", "7s", "--output", "json", "--", "true"]);
    let job: Value = serde_json::from_slice(&kept.stdout).expect("JSON");
    assert_eq!((&job["timeout_seconds"], &job["silence_seconds"]), (&59.into(), &7.into()));
    assert_eq!(text(&kept.stderr), "");

    let suite = directory.path().join("suite.yaml");
    let text_of_suite = "name: s\njobs:
  - {name: short, shell: 'true', timeout_seconds: 5}
  - {name: '* long', shell: 'true', timeout_seconds: 900}\n";
    std::fs::write(&suite, text_of_suite).expect("a file");
    let batch = run(&["batch", "submit", suite.to_str().expect("UTF-8")]);
    let said = text(&batch.stderr);
    assert!(said.contains("60 s") && said.contains("900 s"), "{said}");
}
