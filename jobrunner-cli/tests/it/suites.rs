//! Suites as they are checked, expanded and run in part.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::service::BINARY;

/// A directory with a suite in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn with(suite: &str) -> Self {
        let place = Self(tempfile::tempdir().expect("a directory"));
        std::fs::write(place.path("s.yaml"), suite).expect("a file");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program here.
    pub(crate) fn jobrunner(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(self.0.path());
        command.env("XDG_STATE_HOME", self.path("state"));
        command.envs([("OWN_VARIABLE", "own"), ("LD_LIBRARY_PATH", "/nowhere")]);
        command.output().expect("a process")
    }

    /// The names of the jobs that a run has as results, each with whether it passed.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
        let ended = self.jobrunner(&[&["run", "s.yaml", "--junit", "r.xml"], arguments].concat());
        let xml = std::fs::read_to_string(self.path("r.xml")).unwrap_or_default();
        (ended.status.code(), names(&xml))
    }
}

/// `NAME` of what passed, `NAME!` of what failed, `NAME-` of what was not run.
fn names(xml: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(xml).expect("XML");
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let verdict = |case: roxmltree::Node<'_, '_>| {
        let has = |tag| case.children().any(|child| child.has_tag_name(tag));
        let mark = match () {
            () if has("failure") || has("error") => "!",
            () if has("skipped") => "-",
            () => "",
        };
        format!("{}{mark}", case.attribute("name").unwrap_or_default())
    };
    cases.map(verdict).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const FIVE: &str = "name: five
jobs:
  - {name: 'n ${n}', shell: 'test ${n} -ne 2 -a ${n} -ne 4', matrix: {n: 1..5}}
";

#[test]
fn a_part_of_a_suite_is_run_by_filter_shard_and_repetition() {
    let place = Place::with(FIVE);
    let run = |arguments: &[&str]| place.run(arguments);
    let all = ["n 1", "n 2!", "n 3", "n 4!", "n 5"];
    assert_eq!(run(&[]), (Some(1), all.map(str::to_owned).into()));
    for (arguments, code, expected) in [
        (&["-k", "1"][..], 0, "n 1"),
        (&["-k", "*3", "-k", "4"], 1, "n 3|n 4!"),
        (&["-k", "!2", "--filter", "!4"], 0, "n 1|n 3|n 5"),
        (&["--shard", "2/2"], 1, "n 2!|n 4!"),
        (&["--shard", "9/9"], 0, ""),
        (&["--shard", "1/2", "--repeat", "2", "-j", "1", "-k", "!5"], 0, "n 1|n 3|n 1 [2]|n 3 [2]"),
    ] {
        let ended = run(arguments);
        assert_eq!(
            (ended.0, ended.1.join("|")),
            (Some(code), expected.to_owned()),
            "{arguments:?}"
        );
    }
    for arguments in
        [&["-k", "none such"][..], &["--shard", "3/2"], &["--fail-fast=0"], &["--repeat", "0"]]
    {
        let refused = place.jobrunner(&[&["run", "s.yaml"], arguments].concat());
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", text(&refused.stderr));
    }
}

#[test]
fn what_failed_the_last_time_is_run_again_until_it_passes() {
    let place = Place::with(
        "name: s\njobs:
  - {name: good, command: ['true']}
  - {name: bad, shell: 'test -e ${name}', matrix: {name: mark}}
  - {name: other, shell: 'test -e mark'}
",
    );
    let run = |arguments: &[&str]| {
        let (code, names) = place.run(arguments);
        (code, names.join("|"))
    };
    let failed = |text: &str| (Some(1), text.to_owned());
    let passed = |text: &str| (Some(0), text.to_owned());
    assert_eq!(run(&["--last-failed"]), failed("good|bad!|other!"), "all, since nothing is known");
    assert_eq!(run(&["--last-failed"]), failed("bad!|other!"));
    assert_eq!(run(&["-k", "good"]), passed("good"));
    std::fs::write(place.path("mark"), "").expect("a file");
    assert_eq!(run(&["--last-failed", "-k", "bad"]), passed("bad"));
    assert_eq!(run(&["--last-failed"]), passed("other"), "what was not run is still known");
    assert_eq!(run(&["--last-failed"]), passed("good|bad|other"), "all, since none failed");
}

#[test]
fn the_rest_is_canceled_after_as_many_failures_as_are_borne() {
    let place = Place::with(
        "name: s\njobs:
  - {name: 'fails ${n}', command: ['false'], matrix: {n: 1..3}}
  - {name: 'waits ${n}', command: [sleep, '7777'], matrix: {n: 1..3}}
",
    );
    for (option, fewest) in [("-x", 1), ("--fail-fast=2", 2)] {
        let (code, names) = place.run(&[option, "--jobs", "1"]);
        let failed = names.iter().filter(|name| name.ends_with('!')).count();
        let left = names.iter().filter(|name| name.ends_with('-')).count();
        assert_eq!(code, Some(1));
        assert!(failed >= fewest && left >= 3 && names.len() == 6, "{names:?}");
    }
}

#[test]
fn the_summary_names_failures_and_the_slowest_and_the_environment_there_was() {
    let place = Place::with(
        "name: s\njobs:
  - {name: slow, command: [sleep, '0.3']}
  - {name: fast, command: ['true']}
  - {name: wrong, shell: 'echo why; exit 4'}
",
    );
    let ended = place.jobrunner(&["run", "s.yaml", "--jobs", "2"]);
    let (out, said) = (text(&ended.stdout), text(&ended.stderr));
    let slowest: Vec<_> = out.lines().skip_while(|line| *line != "slowest:").collect();
    assert!(slowest[1].ends_with(" s  slow"), "{out}");
    assert!(out.contains("── wrong ── exited with code 4\nstdout:\n  why\n"), "{out}");
    assert!(said.contains("commands got PATH") && said.contains("--pass-env"), "{said}");
}

#[test]
fn variables_of_this_environment_are_passed_on_when_they_are_asked_for() {
    let suite = "name: s\njobs:
  - {name: own, shell: 'test \"$OWN_VARIABLE\" = own'}
  - {name: loads, shell: 'test \"$LD_LIBRARY_PATH\" = /nowhere'}
  - {name: set, shell: 'test \"$OWN_VARIABLE\" = set', env: {OWN_VARIABLE: set}}
";
    let place = Place::with(suite);
    for (arguments, expected) in [
        (&[][..], "own!|loads!|set"),
        (&["--pass-env", "OWN_VARIABLE", "--pass-env", "NOT_SET_ANYWHERE"], "own|loads!|set"),
        (&["--pass-env", "LD_LIBRARY_PATH"], "own!|loads|set"),
        (&["--inherit-env"], "own|loads|set"),
    ] {
        assert_eq!(place.run(arguments).1.join("|"), expected, "{arguments:?}");
    }
    let refused = place.jobrunner(&["run", "s.yaml", "--pass-env", "JOBRUNNER_JOB_ID"]);
    assert_eq!(refused.status.code(), Some(2));
    // What a suite itself sets is judged as it is everywhere.
    let place = Place::with("name: s\njobs: [{name: a, shell: x, env: {LD_PRELOAD: x}}]\n");
    let refused = place.jobrunner(&["run", "s.yaml", "--inherit-env"]);
    assert_eq!(refused.status.code(), Some(65), "{}", text(&refused.stderr));
}

#[test]
fn a_check_names_everything_that_is_wrong_and_so_does_a_dry_run() {
    let place = Place::with(
        "name: s\njobs:
  - {name: a, shell: x, priority: 11}
  - {name: b, shell: x, queue: 'no such queue'}
  - {name: c, shell: x, env: {LD_PRELOAD: x}}
  - {name: d}
",
    );
    let checked = place.jobrunner(&["suite", "check", "s.yaml"]);
    let said = text(&checked.stderr);
    assert_eq!((checked.status.code(), said.lines().count()), (Some(65), 4), "{said}");
    for (line, expected) in said.lines().zip([
        "s.yaml:3:35: jobs[0] (a).priority must be 0 to 10",
        "s.yaml:4:32: jobs[1] (b).queue must have",
        "s.yaml:5:43: jobs[2] (c).env.LD_PRELOAD may not be set",
        "s.yaml:6:5: jobs[3] (d) needs a command",
    ]) {
        assert!(line.contains(expected), "{line}");
    }
    for dry in [&["run", "--dry-run", "s.yaml"][..], &["batch", "submit", "--dry-run", "s.yaml"]] {
        let dry = place.jobrunner(dry);
        let said = text(&dry.stderr);
        assert_eq!(dry.status.code(), Some(65));
        assert!(said.contains("priority must be 0 to 10 (and 3 more;"), "{said}");
    }
}

#[test]
fn scripts_are_shown_as_they_are_and_commands_as_they_would_be_typed() {
    let place = Place::with(
        "name: s\nparameters: {n: 3}\njobs:
  - name: script
    shell: |
      if true; then
      \techo \"${n}\" $${n}
      fi
  - {name: command, command: [echo, 'a b', '$x', \"it's\"], timeout_seconds: 9999}
",
    );
    for arguments in [&["suite", "check", "s.yaml"][..], &["run", "--dry-run", "s.yaml"]] {
        let shown = place.jobrunner(arguments);
        assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
        let expected = "s: 2 jobs\n\nscript\n    if true; then\n    \techo \"3\" ${n}\n    fi\n\ncommand\n    echo 'a b' '$x' 'it'\\''s'\n";
        assert_eq!(text(&shown.stdout), expected);
        assert!(text(&shown.stderr).contains("limits the timeout to 3600 s; 9999 s"));
    }
}

#[test]
fn what_is_expanded_is_a_suite_of_the_same_jobs() {
    let place = Place::with(FIVE);
    let json = |file: &str| -> Value {
        let expanded = place.jobrunner(&["suite", "expand", file, "--output", "json"]);
        serde_json::from_slice(&expanded.stdout).expect("JSON")
    };
    let before = json("s.yaml");
    assert_eq!(before["jobs"].as_array().map(Vec::len), Some(5));
    let yaml = place.jobrunner(&["suite", "expand", "s.yaml"]);
    std::fs::write(place.path("expanded.yaml"), &yaml.stdout).expect("a file");
    assert_eq!(json("expanded.yaml"), before);
    let refused = place.jobrunner(&["suite", "expand", "s.yaml", "--set", "m=1"]);
    assert_eq!(refused.status.code(), Some(65));
}

#[test]
fn the_suites_of_the_examples_are_right() {
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/suites");
    for suite in std::fs::read_dir(suites).expect("a directory") {
        let suite = suite.expect("a file").path();
        let checked = Command::new(BINARY).args(["suite", "check"]).arg(&suite).output();
        let checked = checked.expect("a process");
        assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    }
}
