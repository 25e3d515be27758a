//! What the command does when nobody reads what it prints any more.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::service::{BINARY, until};

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
