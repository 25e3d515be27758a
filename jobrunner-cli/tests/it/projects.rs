//! Projects, as people see to them from a terminal.

use serde_json::Value;

use crate::{
    client::{command, jobrunner, text},
    service::{EMAIL, Service},
};

/// Runs the command: its exit status, what it printed, and what it said.
type Said<'a> = &'a dyn Fn(&[&str]) -> (Option<i32>, String, String);

#[tokio::test]
async fn a_team_shares_what_is_submitted_to_its_project() {
    let directory = tempfile::tempdir().expect("a directory");
    let (home, other) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
    let service = Service::start(directory.path(), 0).await;
    let run = |arguments: &[&str]| {
        let done = jobrunner(home.path(), &service.url, arguments);
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let ada = |arguments: &[&str]| {
        let done = jobrunner(other.path(), &service.url, arguments);
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    assert_eq!(run(&["login", "--email", EMAIL]).0, Some(0));
    assert_eq!(run(&["users", "create", "ada@example.com"]).0, Some(0));
    assert_eq!(ada(&["login", "--email", "ada@example.com"]).0, Some(0));
    assert!(ada(&["projects", "list"]).2.contains("ask an admin"));

    let made = run(&["projects", "create", "web", "--description", "The shop"]);
    assert_eq!((made.0, made.1.trim()), (Some(0), "web  open"), "{}", made.2);
    let added = run(&["projects", "add", "web", "ada@example.com", "--role", "viewer"]);
    assert_eq!((added.0, added.1.trim()), (Some(0), "ada@example.com  viewer"), "{}", added.2);
    let unknown = run(&["projects", "add", "web", "nobody@example.com"]);
    assert!(unknown.0 != Some(0) && unknown.2.contains("there is no such user"), "{}", unknown.2);
    let shown = run(&["projects", "show", "web"]).1;
    assert!(shown.contains("The shop") && shown.contains("maintainer"), "{shown}");
    let members = run(&["projects", "members", "web", "--output", "json"]).1;
    let members: Value = serde_json::from_str(&members).expect("JSON");
    assert_eq!(members.as_array().expect("a list").len(), 2);
    assert!(ada(&["projects", "list"]).1.contains("web"));

    // What a suite names is stronger than what is usual, and weaker than what is asked for.
    let suite = directory.path().join("suite.yaml");
    let text_of = |project: &str| {
        format!("name: night\n{project}jobs:\n  - {{name: a, command: ['true']}}\n")
    };
    std::fs::write(&suite, text_of("project: web\n")).expect("a file");
    let suite = suite.to_str().expect("a path");
    let project_of = |arguments: &[&str], usual: &str| {
        let all = [&["batch", "submit", suite, "--output", "json"][..], arguments].concat();
        let done = command(home.path(), &service.url, &all)
            .env("JOBRUNNER_PROJECT", usual)
            .output()
            .expect("a process");
        let batch: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        (done.status.code(), batch["project"].clone())
    };
    assert_eq!(run(&["projects", "create", "other"]).0, Some(0));
    assert_eq!(project_of(&[], "other"), (Some(0), "web".into()));
    assert_eq!(project_of(&["--project", "other"], ""), (Some(0), "other".into()));
    std::fs::write(suite, text_of("")).expect("a file");
    assert_eq!(project_of(&[], "web"), (Some(0), "web".into()));
    assert_eq!(project_of(&[], ""), (Some(0), Value::Null));
    assert_eq!(run(&["submit", "--project", "web", "--name", "one", "--", "true"]).0, Some(0));

    let listed = |of: Said<'_>, arguments: &[&str]| {
        of(&[arguments, &["list", "--quiet"]].concat()).1.lines().count()
    };
    assert_eq!(listed(&ada, &["batch"]), 2, "those of the project");
    assert_eq!(listed(&run, &["batch"]), 4);
    assert_eq!(listed(&run, &["batch", "--project", "other"]), 1);
    assert_eq!(listed(&run, &["jobs", "--project", "web"]), 3);
    let refused = ada(&["submit", "--project", "web", "--", "true"]);
    assert_eq!(refused.0, Some(77), "{}", refused.2);
    assert!(refused.2.contains("role operator in the project web"), "{}", refused.2);
    let unknown = run(&["submit", "--project", "nothing", "--", "true"]);
    assert!(unknown.0 != Some(0) && unknown.2.contains("there is no such project"), "{unknown:?}");
    assert_eq!(run(&["jobs", "list", "--project", "Not a name"]).0, Some(2));

    let busy = run(&["projects", "delete", "web"]);
    assert!(busy.0 != Some(0) && busy.2.contains("have not ended"), "{}", busy.2);
    assert_eq!(run(&["cancel", "--all"]).0, Some(0));
    assert_eq!(run(&["projects", "delete", "web"]).0, Some(0));
    assert!(run(&["projects", "list"]).1.contains("archived"));
    assert_eq!(run(&["projects", "update", "web", "--restore"]).1.trim(), "web  open");
    let last = run(&["projects", "remove", "web", EMAIL]);
    assert!(last.0 != Some(0) && last.2.contains("last maintainer"), "{}", last.2);
    assert_eq!(run(&["projects", "remove", "web", "ada@example.com"]).0, Some(0));
    assert_eq!(listed(&ada, &["batch"]), 0);
}
