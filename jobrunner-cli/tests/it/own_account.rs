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
