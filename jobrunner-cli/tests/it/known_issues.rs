//! Known issues by the command.

use serde_json::Value;

use crate::{
    client::{jobrunner, text},
    service::{EMAIL, Service},
};

/// From one to none, and a batch beside it whose gate lets through what is known.
#[tokio::test]
async fn known_issues_are_made_listed_changed_and_deleted() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start_with(directory.path(), 1, &[]).await;
    let home = tempfile::tempdir().expect("a home");
    let run = |arguments: &[&str]| {
        let done = jobrunner(home.path(), &service.url, arguments);
        assert_eq!(done.status.code(), Some(0), "{arguments:?}: {}", text(&done.stderr));
        text(&done.stdout).trim().to_owned()
    };
    run(&["login", "--email", EMAIL]);
    let id = run(&[
        "known-issues",
        "create",
        "it overflows",
        "--test",
        "parser*",
        "--variant",
        "os=linux",
        "--variant",
        "arch=i686",
        "--series",
        "nightly",
        "--pattern",
        "^overflow",
        "--ticket",
        "https://bugs.example/7",
    ]);
    let id = id.as_str();
    let list = || -> Value {
        let json = run(&["known-issues", "list", "--output", "json"]);
        serde_json::from_str(&json).expect("JSON")
    };
    let made = list();
    assert_eq!((&made[0]["id"], &made[0]["effect"]), (&id.into(), &"mute".into()));
    assert_eq!(made[0]["variant"], serde_json::json!({"os": "linux", "arch": "i686"}));
    assert!(run(&["known-issues", "list"]).contains("it overflows"));
    run(&["known-issues", "update", id, "--effect", "xfail", "--pattern", "", "--title", "t"]);
    let changed = list();
    assert_eq!((&changed[0]["pattern"], &changed[0]["title"]), (&Value::Null, &"t".into()));
    assert_eq!(
        (&changed[0]["effect"], &changed[0]["series"]),
        (&"xfail".into(), &"nightly".into())
    );
    let wrong = ["known-issues", "update", id, "--pattern", "("];
    let refused = jobrunner(home.path(), &service.url, &wrong);
    assert!(text(&refused.stderr).contains("pattern"), "{}", text(&refused.stderr));
    let nothing = jobrunner(home.path(), &service.url, &["known-issues", "update", id]);
    assert_eq!(nothing.status.code(), Some(2));
    run(&["known-issues", "delete", id]);
    assert_eq!(run(&["known-issues", "list", "--quiet"]), "");
}
