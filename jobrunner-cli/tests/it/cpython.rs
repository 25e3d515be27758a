use std::process::Command;

use crate::{run::suites, service::BINARY};

#[test]
fn cpython_regression_tests_run_as_one_batch() {
    let directory = tempfile::tempdir().expect("a directory");
    let junit = directory.path().join("results.xml");
    let ended = Command::new(BINARY)
        .arg("run")
        .arg(suites().join("cpython.yaml"))
        .arg("--junit")
        .arg(&junit)
        .output()
        .expect("a process");
    let out = String::from_utf8_lossy(&ended.stdout);
    println!("{}", out.lines().last().unwrap_or_default());
    let xml = std::fs::read_to_string(&junit).expect("a file");
    let cases = xml.matches("<testcase ").count();
    let failed = xml.matches("<failure ").count() + xml.matches("<error ").count();
    assert!(cases >= 150, "{cases} modules were run");
    assert_eq!(ended.status.code(), Some(i32::from(failed > 0)), "{out}");
    assert!(failed * 5 < cases, "most of CPython's tests pass: {out}");
}
