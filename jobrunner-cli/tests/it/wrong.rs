//! Whatever is wrong with a command line is told in one line, with what to do next.

use std::fmt::Write as _;

use crate::client::{command, text};

/// Nobody listens there.
const SERVER: &str = "http://127.0.0.1:9";

const WRONG: [&[&str]; 46] = [
    &["frobnicate"],
    &["--frobnicate"],
    &["bach", "list"],
    &["batch"],
    &["batch", "lst"],
    &["batch", "show"],
    &["batch", "show", ""],
    &["batch", "show", "a", "b"],
    &["batch", "submit"],
    &["batch", "submit", "nowhere.yaml"],
    &["batch", "submit", "s.yaml", "--set", "x"],
    &["batch", "submit", "s.yaml", "--dry-run", "--wait"],
    &["batch", "rerun", "@last", "--only", "some"],
    &["batch", "watch", "@last", "--wait-timeout", "soon"],
    &["batch", "list", "--status", "done"],
    &["batch", "list", "--limit", "0"],
    &["batch", "list", "--all", "--limit", "3"],
    &["batch", "list", "--mine", "--owner", "a@example.com"],
    &["batch", "list", "--since", "soon"],
    &["jobs"],
    &["jobs", "lits"],
    &["jobs", "list", "--output", "yaml"],
    &["jobs", "list", "-o", "jsn"],
    &["jobs", "list", "--sort", "name"],
    &["jobs", "list", "--reason", "bad luck"],
    &["jobs", "list", "--statsu", "failed"],
    &["jobs", "show", "nightly"],
    &["jobs", "cancel"],
    &["jobs", "logs", "abcd", "--follow", "--tail", "3"],
    &["jobs", "logs", "abcd", "--tail", "some"],
    &["submit"],
    &["submit", "true"],
    &["submit", "--priority", "11", "--", "true"],
    &["submit", "--timeout", "1500ms", "--", "true"],
    &["submit", "--env", "A", "--", "true"],
    &["submit", "--at", "noon", "--", "true"],
    &["submit", "--retry-on", "3", "--", "true"],
    &["submit", "--wait-timeout", "3s", "--", "true"],
    &["cancel"],
    &["cancel", "--mine", "--all"],
    &["queues", "weight", "default", "much"],
    &["users", "create", "a@example.com", "--role", "boss"],
    &["workers", "drain", "host-1"],
    &["whoami", "--server", "nowhere"],
    &["config", "use", "nowhere"],
    &["completions", "tcsh"],
];

#[test]
fn whatever_is_wrong_is_told_in_one_line_with_what_to_do_next() {
    let home = tempfile::tempdir().expect("a directory");
    let mut told = String::new();
    for arguments in WRONG {
        let mut wrong = command(home.path(), SERVER, arguments);
        let ended = wrong.current_dir(home.path()).output().expect("a process");
        let said = text(&ended.stderr);
        assert_eq!(text(&ended.stdout), "", "{arguments:?}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(said.starts_with("jobrunner: ") && !said.contains("::"), "{arguments:?}: {said}");
        let code = ended.status.code().expect("a code");
        assert_ne!(code, 1, "{arguments:?}");
        writeln!(told, "$ jobrunner {}\n{said}[{code}]\n", shell_words::join(arguments))
            .expect("written");
    }
    insta::assert_snapshot!("wrong", told);
}

#[test]
fn without_any_argument_the_help_is_shown() {
    let home = tempfile::tempdir().expect("a directory");
    let bare = command(home.path(), SERVER, &[]).output().expect("a process");
    assert_eq!(bare.status.code(), Some(2));
    assert!(text(&bare.stderr).contains("Usage: jobrunner <COMMAND>"), "{}", text(&bare.stderr));
    let version = command(home.path(), SERVER, &["--version"]).output().expect("a process");
    assert_eq!(text(&version.stdout), format!("jobrunner {}\n", env!("CARGO_PKG_VERSION")));
}
