use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::{
    run::suites,
    service::{BINARY, EMAIL, PASSWORD, Service},
};

/// The command, for somebody whose home is there.
pub(crate) fn command(home: &Path, server: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("JOBRUNNER_SERVER", server)
        .env("JOBRUNNER_PASSWORD", PASSWORD);
    command
}

pub(crate) fn jobrunner(home: &Path, server: &str, arguments: &[&str]) -> Output {
    command(home, server, arguments).output().expect("a process")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_person_signs_in_submits_waits_and_looks() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 2).await;
    let run = |arguments: &[&str]| jobrunner(home.path(), &service.url, arguments);

    let early = run(&["whoami"]);
    assert_eq!(early.status.code(), Some(77));
    assert!(text(&early.stderr).contains("jobrunner login"), "{}", text(&early.stderr));
    let signed_in = run(&["login", "--email", EMAIL]);
    assert_eq!(signed_in.status.code(), Some(0), "{}", text(&signed_in.stderr));
    let kept = home.path().join("config/jobrunner/credentials.json");
    let mode = kept.metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(text(&run(&["whoami"]).stdout).contains("admin@example.com (admin)"));

    let code =
        |arguments: &[&str]| run(&[&["submit", "--wait"][..], arguments].concat()).status.code();
    assert_eq!(code(&["--", "true"]), Some(0));
    assert_eq!(code(&["--", "sh", "-c", "exit 7"]), Some(1));
    assert_eq!(code(&["--wait-timeout", "300ms", "--", "sleep", "60"]), Some(124));
    let printed = run(&["submit", "--wait", "--", "sh", "-c", "printf out; printf err >&2"]);
    assert_eq!(printed.stdout, b"out");
    assert!(text(&printed.stderr).ends_with("err"), "{}", text(&printed.stderr));

    let suite = suites().join("shell.yaml");
    let batch = run(&["batch", "submit", "--output", "json", suite.to_str().expect("UTF-8")]);
    let batch: Value = serde_json::from_slice(&batch.stdout).expect("JSON");
    let id = batch["id"].as_str().expect("an id");
    let watched = run(&["batch", "watch", id]);
    assert_eq!(watched.status.code(), Some(0), "{}", text(&watched.stderr));
    assert!(text(&run(&["batch", "show", id]).stdout).contains("32 passed"));
    assert!(text(&run(&["batch", "list"]).stdout).contains(&id[28..]));
    let jobs = run(&["jobs", "list", "--batch", id, "--all", "--output", "json"]);
    let jobs: Vec<Value> = serde_json::from_slice(&jobs.stdout).expect("JSON");
    assert_eq!(jobs.len(), 32);

    let running = service.job("sleeper", &["sleep", "60"], Value::Null).await;
    assert_eq!(run(&["jobs", "cancel", &running]).status.code(), Some(0));
    service.ended(&format!("/jobs/{running}")).await;
    assert!(text(&run(&["jobs", "show", &running]).stdout).contains("canceled"));
    let kept = std::fs::read(&kept).expect("a file");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    let token = kept[&service.url]["token"].as_str().expect("a token").to_owned();
    assert_eq!(run(&["logout"]).status.code(), Some(0));
    assert_eq!(run(&["whoami"]).status.code(), Some(77));
    let copy = service.request_with(&token, reqwest::Method::GET, "/users/me").send().await;
    assert_eq!(copy.expect("an answer").status(), 401, "a copy of the token is of no use");
}

#[tokio::test]
async fn an_admin_makes_accounts_changes_and_disables_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let run = |arguments: &[&str]| jobrunner(home.path(), &service.url, arguments);
    let said = |arguments: &[&str]| {
        let ended = run(arguments);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
        text(&ended.stdout)
    };
    said(&["login", "--email", EMAIL]);
    let made = said(&["users", "create", "Ada@Example.com", "--max-running-jobs", "3"]);
    assert_eq!(made, "made ada@example.com (operator, active)\n");
    assert!(said(&["users", "list"]).contains("ada@example.com"));
    let change =
        ["users", "update", "ada@example.com", "--role", "viewer", "--max-running-jobs", "none"];
    assert_eq!(said(&change), "changed ada@example.com (viewer, active)\n");
    let token = service.token_of("ada@example.com").await;
    assert_eq!(
        said(&["users", "disable", "ada@example.com"]),
        "disabled ada@example.com (viewer, disabled)\n"
    );
    let refused = service.request_with(&token, reqwest::Method::GET, "/users/me").send().await;
    assert_eq!(refused.expect("an answer").status(), 401);
    let users: Vec<Value> =
        serde_json::from_str(&said(&["users", "list", "--output", "json"])).expect("JSON");
    let ada = users.iter().find(|user| user["email"] == "ada@example.com").expect("the account");
    assert_eq!((&ada["is_active"], &ada["max_running_jobs"]), (&Value::Bool(false), &Value::Null));

    let audit = said(&["audit", "list", "--actor", EMAIL, "--action", "update_user"]);
    let rows: Vec<&str> = audit.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{audit}");
    assert!(rows[0].contains("user ada@example.com") && rows[0].contains("is_active=false"));
    assert!(rows[1].contains("max_running_jobs=null role=viewer"), "{audit}");
    let events: Vec<Value> =
        serde_json::from_str(&said(&["audit", "list", "--output", "json"])).expect("JSON");
    assert_eq!(events.last().expect("an event")["action"], "create_user");

    let unknown = run(&["users", "disable", "nobody@example.com"]);
    assert_eq!(unknown.status.code(), Some(67));
    assert!(text(&unknown.stderr).contains("there is no account nobody@example.com"));
    let last = run(&["users", "disable", EMAIL]);
    assert_eq!(last.status.code(), Some(75), "the last admin stays");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_by_exit_code_69() {
    let home = tempfile::tempdir().expect("a directory");
    // The port of a listener that is gone again.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let refused = jobrunner(home.path(), &url, &["login", "--email", EMAIL]);
    assert_eq!(refused.status.code(), Some(69));
    let said = text(&refused.stderr);
    assert!(said.contains("cannot reach") && said.contains("jobrunner up"), "{said}");
}
