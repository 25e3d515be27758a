//! Where suites are read from, besides files.

use std::{
    fs::File,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::{
    client::{command, jobrunner, text},
    service::{BINARY, EMAIL, Service},
};

const SUITE: &str = "name: piped\njobs: [{name: no, shell: 'pwd', working_dir: sub}]\n";

/// Gives a command its standard input.
fn fed(mut command: Command, input: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("a process");
    let mut stdin = process.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("written");
    drop(stdin);
    process.wait_with_output().expect("it ended")
}

fn run(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("run").args(arguments).current_dir(directory);
    command
}

/// What would be run, with the directory that it is relative to.
fn directory_of(planned: &Output) -> String {
    assert_eq!(planned.status.code(), Some(0), "{}", text(&planned.stderr));
    let plan: Value = serde_json::from_slice(&planned.stdout).expect("JSON");
    plan["jobs"][0]["working_dir"].as_str().expect("text").to_owned()
}

#[test]
fn a_suite_is_read_from_standard_input_and_from_pipes() {
    let directory = tempfile::tempdir().expect("a directory");
    let here = directory.path().canonicalize().expect("a path");
    let expected = here.join("sub").to_str().expect("UTF-8").to_owned();
    for name in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let planned = fed(run(&here, &["--dry-run", "--output", "json", name]), SUITE);
        assert_eq!(directory_of(&planned), expected, "{name}");
    }
    let fifo = here.join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a fifo");
    let writer = std::thread::spawn({
        let fifo = fifo.clone();
        move || {
            File::options().write(true).open(fifo).expect("a reader").write_all(SUITE.as_bytes())
        }
    });
    let name = fifo.to_str().expect("UTF-8");
    let planned = run(&here, &["--dry-run", "--output", "json", name]).output();
    assert_eq!(directory_of(&planned.expect("a process")), expected);
    writer.join().expect("it ended").expect("written");

    // As the shell's <(…) is: run by a supervisor, whose child reads it.
    std::fs::create_dir(here.join("sub")).expect("a directory");
    let script = format!("exec {BINARY} run <(printf \"$1\")");
    let mut shell = Command::new("bash");
    let shell = shell.args(["-c", &script, "bash", &SUITE.replace('\n', "\\n")]).current_dir(&here);
    let ended = shell.output().expect("bash");
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    assert!(text(&ended.stdout).contains("piped: passed of 1 jobs"), "{}", text(&ended.stdout));
}

#[test]
fn what_is_wrong_with_a_piped_suite_is_told_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let refused = fed(run(directory.path(), &["-"]), "name: s\njobs: no\n");
    assert_eq!(refused.status.code(), Some(65));
    let said = text(&refused.stderr);
    assert_eq!(said, "jobrunner: standard input:2:7: jobs must be a list, not \"no\"\n");
}

#[tokio::test]
async fn a_suite_is_submitted_from_standard_input() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let login = jobrunner(home.path(), &service.url, &["login", "--email", EMAIL]);
    assert_eq!(login.status.code(), Some(0));
    for name in ["-", "/dev/stdin"] {
        let submit = ["batch", "submit", "--output", "json", name];
        let submitted = fed(command(home.path(), &service.url, &submit), SUITE);
        let batch: Value = serde_json::from_slice(&submitted.stdout).expect("JSON");
        assert_eq!(batch["name"], "piped");
    }
}
