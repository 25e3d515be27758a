//! How commands are started, as the kernel sees it.

use std::{fs, process::Command};

use crate::service::BINARY;

const JOBS: usize = 20;

/// The calls of `clone` and the like that running a suite of so many jobs took.
fn clones(job: &str) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let (suite, trace) = (directory.path().join("suite.yaml"), directory.path().join("trace"));
    let job =
        format!("  - {{name: \"job ${{n}}\", command: ['true'], {job}matrix: {{n: [{}]}}}}", {
            let numbers: Vec<String> = (0..JOBS).map(|number| number.to_string()).collect();
            numbers.join(", ")
        });
    fs::write(&suite, format!("name: suite\njobs:\n{job}\n")).expect("a file");
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=clone,clone3,fork,vfork", "-o"])
        .arg(&trace)
        .args([BINARY, "run"])
        .arg(&suite)
        .output()
        .expect("strace is installed");
    assert!(traced.status.success(), "{}", String::from_utf8_lossy(&traced.stderr));
    let trace = fs::read_to_string(trace).expect("a trace");
    // A call that a signal has interrupted is listed once more when it is carried out.
    let calls = trace.lines().filter(|line| {
        line.contains("(") && !line.contains("resumed>") && !line.contains("ERESTART")
    });
    calls.map(str::to_owned).collect()
}

/// A fork copies the tables of the parent's memory; these two share it.
fn is_fork(call: &&String) -> bool {
    !call.contains("CLONE_VFORK") && !call.contains("CLONE_THREAD") && !call.contains("vfork(")
}

#[test]
fn commands_are_started_without_a_fork() {
    let calls = clones("");
    let shared =
        calls.iter().filter(|call| call.contains("CLONE_VFORK") || call.contains("vfork("));
    // Each command, and the runner.
    assert_eq!(shared.count(), JOBS + 1, "{calls:#?}");
    assert_eq!(calls.iter().filter(is_fork).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn only_a_command_with_limits_takes_a_fork() {
    let calls = clones("max_open_files: 64, ");
    assert_eq!(calls.iter().filter(is_fork).count(), JOBS, "{calls:#?}");
}
