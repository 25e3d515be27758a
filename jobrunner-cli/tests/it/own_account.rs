//! What people do with their own account.

use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use crate::{
    client::{command, jobrunner, text},
    service::{EMAIL, PASSWORD, Service},
};

const NEW: &str = "nine purple bicycles underwater";

fn with_input(home: &Path, server: &str, arguments: &[&str], input: &str) -> Output {
    let mut asked = command(home, server, arguments);
    asked.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut asked = asked.spawn().expect("a process");
    asked.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    asked.wait_with_output().expect("it ended")
}

#[tokio::test]
async fn a_password_is_changed_and_the_sign_in_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let (home, other) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
    let service = Service::start(directory.path(), 0).await;
    for home in [&home, &other] {
        let login = jobrunner(home.path(), &service.url, &["login", "--email", EMAIL]);
        assert_eq!(login.status.code(), Some(0), "{}", text(&login.stderr));
    }
    let change = |lines: &str| {
        with_input(home.path(), &service.url, &["password", "--password-stdin"], lines)
    };
    for (lines, code, said) in [
        (format!("{PASSWORD}\npassword1234\n"), 65, "too easy to guess"),
        (format!("a wrong one of mine\n{NEW}\n"), 77, "the current password is wrong"),
        (format!("{PASSWORD}\n"), 2, "nothing was entered"),
    ] {
        let refused = change(&lines);
        assert_eq!(refused.status.code(), Some(code), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains(said), "{}", text(&refused.stderr));
    }
    let changed = change(&format!("{PASSWORD}\n{NEW}\n"));
    assert_eq!(changed.status.code(), Some(0), "{}", text(&changed.stderr));
    assert!(text(&changed.stderr).contains("is changed"), "{}", text(&changed.stderr));
    let whoami = |home: &Path| jobrunner(home, &service.url, &["whoami"]).status.code();
    assert_eq!((whoami(home.path()), whoami(other.path())), (Some(0), Some(77)));
    let old = jobrunner(other.path(), &service.url, &["login", "--email", EMAIL]);
    assert_eq!(old.status.code(), Some(77), "the old one is of no use");
    let new = with_input(
        other.path(),
        &service.url,
        &["login", "--email", EMAIL, "--password-stdin"],
        &format!("{NEW}\n"),
    );
    assert_eq!(new.status.code(), Some(0), "{}", text(&new.stderr));
    let blind = with_input(home.path(), &service.url, &["password"], "");
    assert_eq!(blind.status.code(), Some(2));
    assert!(text(&blind.stderr).contains("--password-stdin"), "{}", text(&blind.stderr));
}

#[tokio::test]
async fn a_token_stands_in_for_a_sign_in_until_it_is_deleted() {
    let directory = tempfile::tempdir().expect("a directory");
    let (home, elsewhere) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
    let service = Service::start(directory.path(), 1).await;
    let run = |arguments: &[&str]| jobrunner(home.path(), &service.url, arguments);
    assert_eq!(run(&["login", "--email", EMAIL]).status.code(), Some(0));
    let create =
        run(&["tokens", "create", "ci", "--scope", "read,submit", "--expires-in", "90days"]);
    assert_eq!(create.status.code(), Some(0), "{}", text(&create.stderr));
    let secret = text(&create.stdout).trim().to_owned();
    assert!(secret.starts_with("jr_"), "{secret}");
    let by_token = |arguments: &[&str]| {
        let mut asked = command(elsewhere.path(), &service.url, arguments);
        asked.env("JOBRUNNER_TOKEN", &secret).output().expect("a process")
    };
    let done = by_token(&["submit", "--wait", "--", "echo", "done"]);
    assert_eq!((done.status.code(), done.stdout.as_slice()), (Some(0), &b"done\n"[..]));
    for refused in [&["users", "list"][..], &["tokens", "list"], &["cancel", "--mine"]] {
        let ended = by_token(refused);
        assert_eq!(ended.status.code(), Some(77), "{refused:?}: {}", text(&ended.stderr));
    }
    let listed = run(&["tokens", "list"]);
    let listed = text(&listed.stdout);
    assert!(listed.contains("ci") && listed.contains("read,submit"), "{listed}");
    let id = text(&run(&["tokens", "list", "--quiet"]).stdout).trim().to_owned();
    let deleted = run(&["tokens", "delete", &id[id.len() - 8..]]);
    assert_eq!(deleted.status.code(), Some(0), "{}", text(&deleted.stderr));
    assert_eq!(by_token(&["whoami"]).status.code(), Some(77));
}

#[tokio::test]
async fn a_service_account_is_made_with_its_tokens() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let run = |arguments: &[&str]| {
        let ended = jobrunner(home.path(), &service.url, arguments);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
        text(&ended.stdout).trim().to_owned()
    };
    run(&["login", "--email", EMAIL]);
    run(&["users", "create", "ci@example.com", "--service"]);
    let secret = run(&["tokens", "create", "nightly", "--for", "ci@example.com"]);
    let mut whoami = command(home.path(), &service.url, &["whoami"]);
    let told = whoami.env("JOBRUNNER_TOKEN", &secret).output().expect("a process");
    assert!(text(&told.stdout).contains("ci@example.com (operator)"), "{}", text(&told.stderr));
    assert_eq!(run(&["tokens", "list", "--quiet"]), "");
    let id = run(&["tokens", "list", "--for", "ci@example.com", "--quiet"]);
    run(&["tokens", "delete", &id[id.len() - 8..], "--for", "ci@example.com"]);
    assert_eq!(run(&["tokens", "list", "--for", "ci@example.com", "--quiet"]), "");
}
