//! What the help says, word for word.

use crate::client::{command, text};

const COMMANDS: [&[&str]; 37] = [
    &[],
    &["login"],
    &["password"],
    &["config"],
    &["submit"],
    &["batch"],
    &["batch", "submit"],
    &["batch", "list"],
    &["batch", "show"],
    &["batch", "wait"],
    &["batch", "rerun"],
    &["jobs"],
    &["jobs", "list"],
    &["jobs", "logs"],
    &["jobs", "repro"],
    &["tests"],
    &["tests", "list"],
    &["tests", "flaky"],
    &["series"],
    &["batch", "diff"],
    &["cancel"],
    &["queues"],
    &["workers"],
    &["users"],
    &["users", "create"],
    &["known-issues"],
    &["known-issues", "create"],
    &["known-issues", "update"],
    &["notifications"],
    &["notifications", "create"],
    &["projects"],
    &["projects", "add"],
    &["tokens"],
    &["tokens", "create"],
    &["audit", "list"],
    &["completions"],
    &["man"],
];

#[test]
fn the_help_is_as_it_was_agreed_on() {
    let home = tempfile::tempdir().expect("a directory");
    let mut told = String::new();
    for words in COMMANDS {
        let asked = [words, &["--help"]].concat();
        let shown = command(home.path(), "", &asked).output().expect("a process");
        assert_eq!(shown.status.code(), Some(0), "{words:?}");
        told.push_str(&format!("$ jobrunner {}\n{}\n", asked.join(" "), text(&shown.stdout)));
    }
    insta::assert_snapshot!("help", told);
}
