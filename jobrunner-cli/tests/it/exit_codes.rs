//! 1 is the code of a result; everything else that keeps a command from its work has another one.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Command,
};

use serde_json::json;

use crate::{
    client::{jobrunner, text},
    service::{BINARY, EMAIL, Service},
};

const UNKNOWN: &str = "0190b2f4-0000-7000-8000-000000000000";

/// Runs a command that fails, with one line that says why.
fn failed(home: &Path, server: &str, arguments: &[&str]) -> Option<i32> {
    let ended = jobrunner(home, server, arguments);
    let said = text(&ended.stderr);
    assert_eq!(text(&ended.stdout), "", "{arguments:?}");
    assert!(said.starts_with("jobrunner: ") && said.lines().count() == 1, "{arguments:?}: {said}");
    ended.status.code()
}

#[tokio::test]
async fn what_the_service_refuses_has_a_code_by_its_reason() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let allowed = [("ALLOWED_WORKDIRS", "/tmp")];
    let service = Service::start_with(directory.path(), 0, &allowed).await;
    let code = |arguments: &[&str]| failed(home.path(), &service.url, arguments);
    assert_eq!(code(&["jobs", "list"]), Some(77), "not signed in");
    assert_eq!(code(&["submit", "--wait", "--", "true"]), Some(77));
    let viewer = json!({"email": "v@example.com", "password": "correct horse battery",
        "role": "viewer"});
    assert_eq!(service.post("/users", &viewer).await.0, 201);
    let sign_in = |email: &str| {
        let ended = jobrunner(home.path(), &service.url, &["login", "--email", email]);
        assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    };
    assert_eq!(code(&["login", "--email", "nobody@example.com"]), Some(77));
    sign_in("v@example.com");
    assert_eq!(code(&["submit", "--working-dir", "/tmp", "--", "true"]), Some(77));
    sign_in(EMAIL);
    assert_eq!(code(&["jobs", "show", UNKNOWN]), Some(66));
    assert_eq!(code(&["jobs", "logs", "-f", UNKNOWN]), Some(66));
    assert_eq!(code(&["batch", "watch", UNKNOWN]), Some(66));
    assert_eq!(code(&["submit", "--wait", "--working-dir", "/etc", "--", "true"]), Some(65));
    assert_eq!(code(&["users", "disable", "nobody@example.com"]), Some(67));
    assert_eq!(code(&["users", "disable", EMAIL]), Some(75), "the last admin");
    assert_eq!(code(&["users", "update", EMAIL]), Some(2), "nothing to change");
    let file = home.path().join("config/jobrunner/credentials.json");
    std::fs::write(file, "{").expect("a file");
    assert_eq!(code(&["jobs", "list"]), Some(78));
}

#[test]
fn what_is_wrong_here_has_a_code_by_its_reason() {
    let home = tempfile::tempdir().expect("a directory");
    let suite = home.path().join("suite.yaml");
    std::fs::write(&suite, "name: s\njobs: [{name: j, shell: 'true', colour: red}]\n")
        .expect("a file");
    let suite = suite.to_str().expect("UTF-8");
    let code = |arguments: &[&str]| failed(home.path(), "http://127.0.0.1:9", arguments);
    assert_eq!(code(&["run", suite]), Some(65));
    assert_eq!(code(&["batch", "submit", suite]), Some(65));
    assert_eq!(code(&["run", "/nowhere/suite.yaml"]), Some(66));
    assert_eq!(code(&["run", "/tmp"]), Some(66), "a directory");
    std::fs::write(suite, "name: s\njobs: [{name: j, shell: 'true'}]\n").expect("a file");
    assert_eq!(code(&["run", suite, "--junit", "/nowhere/r.xml"]), Some(73));
    assert_eq!(code(&["run", suite, "--set", "x=1"]), Some(65));
    assert_eq!(code(&["whoami", "--server", "ftp://x"]), Some(2));
    assert_eq!(failed(home.path(), "ftp://x", &["whoami"]), Some(78), "a setting");
    for wrong in [&["frobnicate"][..], &["run"], &["run", suite, "--slots", "0"]] {
        let ended = jobrunner(home.path(), "http://127.0.0.1:9", wrong);
        assert_eq!(ended.status.code(), Some(2), "{wrong:?}");
    }
    let settings = Command::new(BINARY)
        .arg("api")
        .current_dir(home.path())
        .env("DATABASE_URL", "postgres://127.0.0.1:9/x")
        .env("JWT_SECRET_KEY", "short")
        .output()
        .expect("a process");
    assert_eq!(settings.status.code(), Some(78), "{}", text(&settings.stderr));
    let settings = Command::new(BINARY)
        .args(["run", suite])
        .current_dir(home.path())
        .env("COMMAND_TIMEOUT_SECONDS", "soon")
        .output()
        .expect("a process");
    assert_eq!(settings.status.code(), Some(78), "{}", text(&settings.stderr));
}

#[test]
fn a_server_of_another_kind_is_told_by_exit_code_76() {
    let home = tempfile::tempdir().expect("a directory");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).expect("a request") > 0);
        let answer =
            "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<html";
        stream.write_all(answer.as_bytes()).expect("sent");
    });
    assert_eq!(failed(home.path(), &url, &["login", "--email", EMAIL]), Some(76));
    server.join().expect("it ended");
}
