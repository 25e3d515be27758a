//! Tokens are renewed before they expire, by one process at a time.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::{
    client::{command, jobrunner, text},
    service::{EMAIL, Service},
};

struct Kept {
    file: PathBuf,
    server: String,
}

impl Kept {
    fn of(home: &Path, service: &Service) -> Self {
        let login = jobrunner(home, &service.url, &["login", "--email", EMAIL]);
        assert_eq!(login.status.code(), Some(0), "{}", text(&login.stderr));
        let file = home.join("config/jobrunner/credentials.json");
        Self { file, server: service.url.clone() }
    }

    fn read(&self) -> Value {
        let kept: Value =
            serde_json::from_slice(&fs::read(&self.file).expect("a file")).expect("JSON");
        kept[&self.server].clone()
    }

    fn change(&self, name: &str, value: Value) {
        let mut credential = self.read();
        credential[name] = value;
        fs::write(&self.file, json!({ &self.server: credential }).to_string()).expect("written");
    }
}

#[tokio::test]
async fn a_token_that_is_due_or_refused_is_renewed_on_the_way() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let kept = Kept::of(home.path(), &service);
    let waits: [&[&str]; 3] = [
        &["whoami"],
        &["submit", "--wait", "--", "echo", "done"],
        &["submit", "--wait", "--output", "json", "--", "true"],
    ];
    for arguments in waits {
        for (name, value) in [("renew_at", json!(1)), ("token", json!("expired"))] {
            let before = kept.read();
            kept.change(name, value);
            let ended = jobrunner(home.path(), &service.url, arguments);
            assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
            let after = kept.read();
            assert_ne!(before["refresh_token"], after["refresh_token"]);
            assert_ne!(after["token"], "expired");
        }
    }
    let mode = kept.file.metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn many_processes_at_once_use_a_refresh_token_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let kept = Kept::of(home.path(), &service);
    for (name, value) in [("renew_at", json!(1)), ("token", json!("expired"))] {
        kept.change(name, value);
        let start = |_| {
            let mut whoami = command(home.path(), &service.url, &["whoami"]);
            let whoami = whoami.stdout(Stdio::piped()).stderr(Stdio::piped());
            whoami.spawn().expect("a process")
        };
        let processes: Vec<_> = (0..6).map(start).collect();
        for process in processes {
            let ended = process.wait_with_output().expect("it ended");
            assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
        }
    }
    let later = jobrunner(home.path(), &service.url, &["whoami"]);
    assert_eq!(later.status.code(), Some(0), "the sign-in goes on: {}", text(&later.stderr));
}

#[tokio::test]
async fn a_sign_in_that_has_ended_is_told_by_exit_code_77_and_logout_ends_its_refresh_token() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let kept = Kept::of(home.path(), &service);
    let copy = kept.read();
    assert_eq!(jobrunner(home.path(), &service.url, &["logout"]).status.code(), Some(0));
    fs::write(&kept.file, json!({ &service.url: copy }).to_string()).expect("written");
    for _ in 0..2 {
        let ended = jobrunner(home.path(), &service.url, &["jobs", "list"]);
        assert_eq!(ended.status.code(), Some(77));
        assert!(text(&ended.stderr).contains("jobrunner login"), "{}", text(&ended.stderr));
    }
}

#[tokio::test]
async fn tokens_that_an_earlier_version_kept_are_used() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let kept = Kept::of(home.path(), &service);
    let credential = kept.read();
    let earlier = json!({"email": credential["email"], "token": credential["token"]});
    fs::write(&kept.file, json!({ &service.url: earlier }).to_string()).expect("written");
    assert_eq!(jobrunner(home.path(), &service.url, &["whoami"]).status.code(), Some(0));
}

#[tokio::test]
async fn a_refresh_token_that_may_be_used_up_is_not_sent_before_it_has_to_be() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let kept = Kept::of(home.path(), &service);
    kept.change("renew_at", json!(1));
    kept.change("in_doubt", json!(true));
    let before = kept.read();
    assert_eq!(jobrunner(home.path(), &service.url, &["whoami"]).status.code(), Some(0));
    assert_eq!(kept.read(), before);
    kept.change("token", json!("expired"));
    assert_eq!(jobrunner(home.path(), &service.url, &["whoami"]).status.code(), Some(0));
    assert_ne!(kept.read()["refresh_token"], before["refresh_token"]);
    assert_eq!(kept.read()["in_doubt"], Value::Null);
}
