//! Reports that lead astray.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
};

use jobrunner_core::{
    Executor,
    executor::{ProcessExecutor, Run, file_time},
    report::{MOST_BYTES, Report},
    testkit,
    workdir::AllowedRoots,
};

use super::settings;

const GOOD: &str = "<testsuite><testcase name='good'/></testsuite>";
const SECRET: &str = "<testsuite><testcase name='secret'/></testsuite>";

fn job(directory: &Path, junit: &[&str]) -> Run {
    let mut run = testkit::executor::job(directory, ["true"]);
    run.spec.junit = junit.iter().map(|&pattern| pattern.to_owned()).collect();
    run
}

async fn read(roots: &[&Path], run: &Run, since: std::time::SystemTime) -> Report {
    let mut settings = settings();
    settings.allowed_roots = AllowedRoots::new(roots.iter().copied()).expect("absolute");
    ProcessExecutor::new(settings).report(run, since).await
}

fn told(report: &Report) -> (Vec<&str>, &str) {
    let names = report.cases.iter().map(|case| case.name.as_str()).collect();
    (names, report.error.as_deref().unwrap_or_default())
}

#[tokio::test]
async fn links_lead_to_reports_below_the_working_directory_and_not_out_of_it() {
    let (directory, outside) =
        (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("one"));
    let since = file_time();
    fs::write(outside.path().join("secret.xml"), SECRET).expect("a file");
    let work = directory.path().join("work");
    fs::create_dir_all(work.join("real")).expect("a directory");
    fs::write(directory.path().join("beside.xml"), SECRET).expect("a file");
    fs::write(work.join("real/good.xml"), GOOD).expect("a file");
    symlink("real/good.xml", work.join("inside.xml")).expect("a link");
    symlink(outside.path().join("secret.xml"), work.join("absolute.xml")).expect("a link");
    symlink("../beside.xml", work.join("relative.xml")).expect("a link");
    symlink("round.xml", work.join("round.xml")).expect("a link");
    symlink("/proc/self/environ", work.join("proc.xml")).expect("a link");
    symlink(outside.path(), work.join("out")).expect("a link");
    symlink("real", work.join("in")).expect("a link");
    symlink(".", work.join("real/loop")).expect("a link");
    let roots = [directory.path()];

    let report = read(&roots, &job(&work, &["inside.xml", "in/*.xml"]), since).await;
    assert_eq!(told(&report), (vec!["good", "good"], ""));
    for name in ["absolute.xml", "relative.xml", "proc.xml", "out/secret.xml"] {
        let report = read(&roots, &job(&work, &[name]), since).await;
        let expected = format!("{name} leads out of the working directory");
        assert_eq!(told(&report), (vec![], expected.as_str()));
    }
    let report = read(&roots, &job(&work, &["round.xml"]), since).await;
    assert_eq!(told(&report), (vec![], "round.xml leads nowhere"));
    let report = read(&roots, &job(&work, &["**/*.xml"]), since).await;
    assert!(!told(&report).0.contains(&"secret"), "{report:?}");
    assert_eq!(told(&report).0, ["good", "good"], "{report:?}");
    let report = read(&roots, &job(&work, &["out/*.xml"]), since).await;
    assert_eq!(told(&report), (vec![], "no file matches \"out/*.xml\""));
}

#[tokio::test]
async fn patterns_and_directories_that_lead_out_are_refused_by_the_worker_too() {
    let (directory, outside) =
        (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("one"));
    let since = file_time();
    fs::write(outside.path().join("secret.xml"), SECRET).expect("a file");
    fs::write(directory.path().join("good.xml"), GOOD).expect("a file");
    let roots = [directory.path()];
    for pattern in ["../*.xml", "/etc/passwd", "a/../../secret.xml"] {
        let report = read(&roots, &job(directory.path(), &["good.xml", pattern]), since).await;
        let (names, error) = told(&report);
        assert!(names.is_empty() && error.contains(pattern), "{error}");
    }
    let report = read(&roots, &job(outside.path(), &["*.xml"]), since).await;
    let (names, error) = told(&report);
    assert!(names.is_empty() && error.contains("must lie under one of the allowed"), "{error}");
}

#[tokio::test]
async fn pipes_devices_and_directories_are_no_reports() {
    let directory = tempfile::tempdir().expect("a directory");
    let since = file_time();
    for name in ["pipe.xml", "directory.xml", "socket.xml"] {
        let path = directory.path().join(name);
        match name {
            "pipe.xml" => {
                let made = std::process::Command::new("mkfifo").arg(&path).status();
                assert!(made.expect("mkfifo").success());
            }
            "directory.xml" => fs::create_dir(&path).expect("a directory"),
            _ => drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket")),
        }
        let report = read(&[], &job(directory.path(), &[name]), since).await;
        let expected = match name {
            "directory.xml" => format!("no file matches \"{name}\""),
            _ => format!("{name} is not a file"),
        };
        assert_eq!(told(&report), (vec![], expected.as_str()));
    }
}

#[tokio::test]
async fn reports_are_read_no_further_than_they_may_be() {
    let directory = tempfile::tempdir().expect("a directory");
    let since = file_time();
    fs::write(directory.path().join("a.xml"), GOOD).expect("a file");
    let large = File::create(directory.path().join("b.xml")).expect("a file");
    large.set_len(MOST_BYTES + 1).expect("a sparse file");
    let report = read(&[], &job(directory.path(), &["*.xml"]), since).await;
    let expected = "b.xml is too large: all reports together may have 64 MiB";
    assert_eq!(told(&report), (vec!["good"], expected));
}

#[tokio::test]
async fn names_are_shown_as_they_are_and_on_one_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let since = file_time();
    fs::write(directory.path().join("a\nb\u{1b}.xml"), "<html/>").expect("a file");
    let report = read(&[], &job(directory.path(), &["*.xml"]), since).await;
    let (names, error) = told(&report);
    assert!(names.is_empty() && error.starts_with("a?b?.xml is no JUnit"), "{error}");
    assert!(!error.contains(char::is_control), "{error:?}");
}

#[tokio::test]
async fn a_large_tree_is_looked_at_no_further_than_it_may_be() {
    let directory = tempfile::tempdir().expect("a directory");
    let since = file_time();
    let deep: String = (0..100).map(|_| "d/").collect();
    fs::create_dir_all(directory.path().join(&deep)).expect("directories");
    fs::write(directory.path().join(&deep).join("deep.xml"), SECRET).expect("a file");
    for number in 0..200 {
        fs::write(directory.path().join(format!("{number}.txt")), "").expect("a file");
    }
    fs::write(directory.path().join("good.xml"), GOOD).expect("a file");
    let report = read(&[], &job(directory.path(), &["**/*.xml"]), since).await;
    assert_eq!(told(&report), (vec!["good"], ""));
}
