use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::service::BINARY;

pub(crate) fn suites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/suites")
}

fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY).arg("run").args(arguments).output().expect("a process")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_suite_that_passes_ends_with_0_and_a_summary() {
    let ended = run(&[suites().join("shell.yaml").to_str().expect("UTF-8")]);
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stdout));
    assert!(text(&ended.stdout).contains("shell: passed of 32 jobs"), "{}", text(&ended.stdout));
}

#[test]
fn a_flaky_job_is_told_and_its_failures_are_in_the_junit() {
    let directory = tempfile::tempdir().expect("a directory");
    let (suite, junit) = (directory.path().join("flaky.yaml"), directory.path().join("r.xml"));
    let text_of_suite = "name: flaky
defaults: {max_attempts: 3, retry: {on: [75, silent], delay_seconds: 0}}
jobs:
  - {name: flaky, shell: 'test $JOBRUNNER_ATTEMPT = 2 || exit 75'}
  - {name: steady, shell: 'true'}
";
    std::fs::write(&suite, text_of_suite).expect("a file");
    let arguments = ["--junit", junit.to_str().expect("UTF-8"), suite.to_str().expect("UTF-8")];
    let ended = run(&arguments);
    let out = text(&ended.stdout);
    assert_eq!(ended.status.code(), Some(0), "{out}{}", text(&ended.stderr));
    assert!(out.contains("1 of those that passed did so after they had failed"), "{out}");
    let xml = std::fs::read_to_string(&junit).expect("a file");
    assert_eq!(xml.matches("<flakyFailure").count(), 1, "{xml}");
    assert!(xml.contains("exited with code 75"), "{xml}");
}

#[test]
fn a_job_that_skips_has_passed_and_is_told_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    let (suite, junit) = (directory.path().join("s.yaml"), directory.path().join("r.xml"));
    let text_of_suite = "name: skips
defaults: {skip_exit_codes: [77], max_attempts: 3}
jobs:
  - {name: cannot run here, shell: 'echo no compiler; exit 77'}
  - {name: another code, skip_exit_codes: [4, 5], shell: 'exit 5'}
  - {name: passes, shell: 'true'}
";
    std::fs::write(&suite, text_of_suite).expect("a file");
    let arguments = ["--junit", junit.to_str().expect("UTF-8"), suite.to_str().expect("UTF-8")];
    let ended = run(&arguments);
    let out = text(&ended.stdout);
    assert_eq!(ended.status.code(), Some(0), "{out}{}", text(&ended.stderr));
    assert!(
        out.contains("passed of 3 jobs") && out.contains("3 passed (2 skipped), 0 failed"),
        "{out}"
    );
    let xml = std::fs::read_to_string(&junit).expect("a file");
    let xml = roxmltree::Document::parse(&xml).expect("XML");
    let suite = xml.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
    let totals = ["tests", "failures", "errors", "skipped"].map(|name| suite.attribute(name));
    assert_eq!(totals, [Some("3"), Some("0"), Some("0"), Some("2")]);
    let skipped = xml.descendants().filter(|node| node.has_tag_name("skipped"));
    let skipped: Vec<_> = skipped.filter_map(|node| node.attribute("message")).collect();
    assert_eq!(skipped, ["exited with code 77", "exited with code 5"]);

    // 0 cannot skip: every job that passes would be skipped.
    let wrong = text_of_suite.replace("[4, 5]", "[4, 0]");
    let suite = directory.path().join("wrong.yaml");
    std::fs::write(&suite, wrong).expect("a file");
    let refused = run(&[suite.to_str().expect("UTF-8")]);
    let why = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(65), "{why}");
    assert!(why.contains("skip_exit_codes[1] must not be 0"), "{why}");
}

#[test]
fn a_suite_that_fails_ends_with_1_and_its_junit_has_every_job() {
    let directory = tempfile::tempdir().expect("a directory");
    let junit = directory.path().join("results.xml");
    let suite = suites().join("demo.yaml");
    let arguments = ["--junit", junit.to_str().expect("UTF-8"), "--set", "pause=0"];
    let ended = run(&[&arguments[..], &[suite.to_str().expect("UTF-8")]].concat());
    assert_eq!(ended.status.code(), Some(1));
    let out = text(&ended.stdout);
    assert!(
        out.contains("demo: failed of 38 jobs") && out.contains("34 passed, 4 failed"),
        "{out}"
    );
    let xml = std::fs::read_to_string(&junit).expect("a file");
    assert!(xml.contains("tests=\"38\" skipped=\"0\" failures=\"1\" errors=\"3\""), "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), 38);
    assert!(xml.contains("about to fail"), "the output of a failure is there");
}

#[test]
fn a_dry_run_shows_the_jobs_and_runs_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let mark = directory.path().join("mark");
    let suite = directory.path().join("suite.yaml");
    let yaml = format!("name: s\njobs:\n  - {{name: marks, shell: 'touch {}'}}\n", mark.display());
    std::fs::write(&suite, yaml).expect("written");
    let suite = suite.to_str().expect("UTF-8");
    let dry = run(&["--dry-run", suite]);
    assert_eq!(dry.status.code(), Some(0));
    assert!(text(&dry.stdout).contains("marks") && !mark.exists());
    assert_eq!(run(&[suite]).status.code(), Some(0));
    assert!(mark.exists());
}

#[test]
fn what_is_wrong_with_a_suite_is_told_in_one_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let suite = directory.path().join("suite.yaml");
    std::fs::write(&suite, "name: s\njobs:\n  - {name: a, shell: 'echo ${x}'}\n").expect("written");
    let refused = run(&[suite.to_str().expect("UTF-8")]);
    assert_eq!(refused.status.code(), Some(65));
    let said = text(&refused.stderr);
    assert!(said.contains("unknown variable \"x\"") && said.lines().count() == 1, "{said}");
    assert_eq!(run(&["--set", "nonsense", "x.yaml"]).status.code(), Some(2));
}

/// As in a container whose first process did not begin a session: the session's number is 0 there.
#[test]
#[ignore = "needs an account that may make namespaces"]
fn a_suite_runs_where_the_session_is_one_of_another_namespace() {
    let directory = tempfile::tempdir().expect("a directory");
    let suite = directory.path().join("apart.yaml");
    let text_of_suite = "name: apart
jobs:
  - {name: leaves, shell: 'setsid sh -c \"(sleep 7779 >/dev/null 2>&1 &) & exit\"; echo $$'}
";
    std::fs::write(&suite, text_of_suite).expect("a file");
    let ended = Command::new("unshare")
        .args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", BINARY, "run"])
        .arg(&suite)
        .output()
        .expect("a process");
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    assert!(text(&ended.stdout).contains("apart: passed of 1 job"), "{}", text(&ended.stdout));
}
