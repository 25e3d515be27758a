//! What the command does when nobody reads what it prints any more.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    client::{command, jobrunner, text},
    service::{BINARY, EMAIL, Service, until},
};

#[tokio::test]
async fn a_service_whose_messages_nobody_reads_stops_when_it_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut service = Command::new(BINARY)
        .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path())
        .current_dir(directory.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut messages = BufReader::new(service.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("password") {
        line.clear();
        assert!(messages.read_line(&mut line).expect("text") > 0, "it comes up");
    }
    drop(messages);

    kill_process(Pid::from_child(&service), Signal::TERM).expect("a process");
    let ended = std::cell::RefCell::new(&mut service);
    until("the service to stop", || ended.borrow_mut().try_wait().expect("a child").is_some())
        .await;
    assert!(service.wait().expect("a status").success());
}

#[test]
fn a_list_that_is_cut_off_ends_without_a_word() {
    let suite = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/suites/cpython.yaml");
    let mut list = Command::new(BINARY)
        .args(["run", suite, "--dry-run"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    // Closed before anything is read: whatever is printed then meets a broken pipe.
    drop(list.stdout.take());
    let mut said = String::new();
    list.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert_eq!((list.wait().expect("a status").code(), said.as_str()), (Some(141), ""));
}

/// As with `| head -1`: the reader has had enough after the first bytes.
fn cut_off(mut command: Command) -> (Option<i32>, String) {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("a process");
    let mut stdout = process.stdout.take().expect("a pipe");
    let mut some = [0; 4];
    stdout.read_exact(&mut some).expect("the first bytes");
    drop(stdout);
    let mut said = String::new();
    process.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    (process.wait().expect("a status").code(), said)
}

#[tokio::test]
async fn whatever_is_cut_off_ends_as_sigpipe_ends_a_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let run = |arguments: &[&str]| command(home.path(), &service.url, arguments);
    assert_eq!(
        jobrunner(home.path(), &service.url, &["login", "--email", EMAIL]).status.code(),
        Some(0)
    );
    let (code, said) =
        cut_off(run(&["submit", "--wait", "--", "sh", "-c", "yes | head -c 4000000"]));
    assert_eq!(code, Some(141), "{said}");
    let id = said.strip_prefix("job ").expect("an id").trim_end();
    assert_eq!(said.lines().count(), 1, "{said}");
    service.ended(&format!("/jobs/{id}")).await;
    let logs: [&[&str]; 2] = [&["jobs", "logs", id], &["jobs", "logs", "-f", id]];
    for arguments in logs {
        assert_eq!(cut_off(run(arguments)), (Some(141), String::new()), "{arguments:?}");
    }
}

#[tokio::test]
async fn results_that_cannot_be_printed_are_a_failure_with_one_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    assert_eq!(
        jobrunner(home.path(), &service.url, &["login", "--email", EMAIL]).status.code(),
        Some(0)
    );
    let job = service.job("speaks", &["echo", "a"], serde_json::Value::Null).await;
    service.ended(&format!("/jobs/{job}")).await;
    let suite = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/suites/shell.yaml");
    let prints: [&[&str]; 13] = [
        &["jobs", "list"],
        &["jobs", "list", "--output", "json"],
        &["jobs", "show", &job],
        &["jobs", "logs", &job],
        &["jobs", "logs", "-f", &job],
        &["submit", "--", "true"],
        &["batch", "list"],
        &["users", "list"],
        &["audit", "list"],
        &["whoami"],
        &["run", suite, "--dry-run"],
        &["--help"],
        &["--version"],
    ];
    for arguments in prints {
        let full = File::options().write(true).open("/dev/full").expect("a device");
        let ended = command(home.path(), &service.url, arguments).stdout(full).output();
        let ended = ended.expect("a process");
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(74), "{arguments:?}: {said}");
        assert!(
            said.lines().count() == 1 && said.contains("No space left"),
            "{arguments:?}: {said}"
        );
    }
}
