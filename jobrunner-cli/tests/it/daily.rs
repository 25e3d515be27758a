//! What somebody does with a batch that has failed, each in one command.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    client::{jobrunner, text},
    service::{EMAIL, Service},
};

/// A service, and somebody who is signed in to it.
struct Day<'a> {
    service: Service,
    home: &'a Path,
}

impl<'a> Day<'a> {
    async fn begin(directory: &Path, home: &'a Path) -> Self {
        let day = Self { service: Service::start(directory, 2).await, home };
        day.does(&["login", "--email", EMAIL]);
        day
    }

    fn runs(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let ended = jobrunner(self.home, &self.service.url, arguments);
        (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
    }

    /// What is printed by a command that succeeds.
    fn does(&self, arguments: &[&str]) -> String {
        let (code, printed, said) = self.runs(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        printed
    }
}

/// Fails as long as a file is not there.
fn suite(directory: &Path) -> String {
    let flag = directory.join("repaired").display().to_string();
    let check = format!("test -e {flag} || {{ echo cannot open the door; exit 3; }}");
    let suite = json!({"name": "nightly", "jobs": [
        {"name": "good", "shell": "echo fine"},
        {"name": "door", "shell": check},
        {"name": "gate", "shell": check},
        {"name": "slow", "shell": "exit 4"},
    ]});
    let file = directory.join("nightly.yaml");
    std::fs::write(&file, suite.to_string()).expect("written");
    file.to_str().expect("UTF-8").to_owned()
}

#[tokio::test]
async fn what_failed_and_why_is_shown_and_what_became_of_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let day = Day::begin(directory.path(), home.path()).await;
    let suite = suite(directory.path());
    let submitted = day.runs(&["batch", "submit", "-w", "-q", &suite]);
    assert_eq!(submitted, (Some(1), String::new(), String::new()), "the code is the result");

    let shown = day.does(&["batch", "show", "@last"]);
    let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text} in {shown}"));
    assert!(place("FAILURES") < place("FAILED"), "causes first: {shown}");
    assert!(shown.contains("2         exit code 3  cannot open the door  "), "{shown}");
    assert!(place("exit code 3") < place("exit code 4"), "the most frequent first: {shown}");
    let first = shown.split_whitespace().next().expect("an id").to_owned();

    std::fs::write(directory.path().join("repaired"), "").expect("written");
    let (code, again, _) = day.runs(&["batch", "rerun", "@last"]);
    assert_eq!(code, Some(0));
    assert_eq!(day.runs(&["batch", "wait", again.trim()]).0, Some(1), "one fails still");
    assert_eq!(day.runs(&["batch", "wait", "--gate", "none", again.trim(), &first]).0, Some(0));
    let gated = day.runs(&["batch", "wait", "--gate", "new", again.trim()]);
    assert_eq!(gated.0, Some(1), "it is as new as in the batch that it repeats: {gated:?}");
    let verdict = day.does(&["batch", "verdict", again.trim()]);
    assert!(verdict.starts_with("nightly: 1 new"), "{verdict}");
    let member = day.service.get(&format!("/jobs?batch_id={}&limit=1", again.trim())).await;
    assert!(member["items"][0]["rerun_of"].is_string(), "{member}");
    let list = day.does(&["batch", "list"]);
    let rerun = list.lines().nth(1).expect("a row");
    assert!(rerun.contains(&format!("nightly (rerun of {})", &first[28..])), "{list}");
    let merged = day.does(&["batch", "show", &first]);
    assert!(merged.contains("in all    failed: 3 passed, 1 failed"), "{merged}");
    let json: Value =
        serde_json::from_str(&day.does(&["batch", "show", &first, "-o", "json"])).expect("JSON");
    assert_eq!(json["merged"]["counts"]["passed"], 3, "{}", json["merged"]);
    assert_eq!(json["failures"].as_array().expect("a list").len(), 3);
    assert_eq!(json["causes"][0]["count"], 2);
    assert_eq!(json["reruns"][0]["id"], again.trim());

    assert!(
        day.does(&["batch", "causes", &first]).contains("door, gate")
            || day.does(&["batch", "causes", &first]).contains("gate, door")
    );
    assert!(day.does(&["batch", "timeline", &first]).lines().count() > 1);
    let events = day.does(&["batch", "events", &first]);
    assert!(events.ends_with("  1 passed, 3 failed\n"), "{events}");
    assert!(day.does(&["batch", "junit", &first]).contains("<testsuite"));

    let several = day.runs(&["batch", "wait", &first, again.trim(), "nightly"]);
    assert_eq!(several.0, Some(1), "{}", several.2);
    day.does(&["batch", "delete", again.trim(), &first]);
    assert_eq!(day.runs(&["batch", "show", &first]).0, Some(66));
}

#[tokio::test]
async fn jobs_are_repeated_waited_for_and_forgotten() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let day = Day::begin(directory.path(), home.path()).await;
    let (_, passed, _) = day.runs(&["submit", "--", "true"]);
    let (_, failed, _) = day.runs(&["submit", "--", "false"]);
    let (passed, failed) = (passed.trim(), failed.trim());
    assert_eq!(day.runs(&["jobs", "wait", passed]).0, Some(0));
    assert_eq!(day.runs(&["jobs", "wait", passed, failed]).0, Some(1));
    let again = day.does(&["jobs", "rerun", passed, failed]);
    assert_eq!(again.lines().count(), 2);
    let (first, second) = again.trim().split_once('\n').expect("two");
    assert_eq!(day.runs(&["jobs", "wait", first, second]).0, Some(1));
    let job = day.service.get(&format!("/jobs/{second}")).await;
    assert_eq!(job["rerun_of"], failed, "{job}");
    let listed = day.does(&["jobs", "list", "--mine"]);
    assert_eq!(listed.matches("(rerun of ").count(), 2, "{listed}");
    assert!(day.does(&["jobs", "show", second]).contains(&format!("rerun of  {failed}")));
    assert!(day.does(&["jobs", "attempts", second]).contains("exited with code 1"));
    day.does(&["jobs", "delete", first, second]);
    assert_eq!(day.runs(&["jobs", "show", first]).0, Some(66));

    let (_, later, said) = day.runs(&["submit", "--at", "2h", "--", "true"]);
    assert!(said.contains("not before"), "{said}");
    let job = day.service.get(&format!("/jobs/{}", later.trim())).await;
    assert!(job["scheduled_at"].is_string() && job["status"] == "waiting", "{job}");
    assert_eq!(day.runs(&["jobs", "wait", "--wait-timeout", "300ms", later.trim()]).0, Some(124));
    assert_eq!(day.runs(&["jobs", "delete", later.trim()]).0, Some(75), "it has not ended");
    day.does(&["jobs", "cancel", later.trim()]);
    assert_eq!(day.runs(&["jobs", "wait", later.trim()]).0, Some(3));
    let (code, _, said) = day.runs(&["submit", "--after", passed, "--", "true"]);
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("jobrunner jobs wait"), "{said}");

    let (code, submitted, _) =
        day.runs(&["submit", "--wait", "--skip-exit-code", "4,77", "--", "sh", "-c", "exit 77"]);
    assert_eq!((code, submitted.as_str()), (Some(0), ""));
    let listed = day.does(&["jobs", "list", "-n", "1"]);
    assert!(
        listed.contains("passed") && listed.contains("skipped: it exited with code 77"),
        "{listed}"
    );
    assert_eq!(day.runs(&["submit", "--skip-exit-code", "0", "--", "true"]).0, Some(2));

    let once = ["submit", "--idempotency-key", "k1", "--", "true"];
    assert_eq!(day.does(&once), day.does(&once));
    assert_eq!(day.runs(&["submit", "--idempotency-key", "k1", "--", "false"]).0, Some(75));
}

#[tokio::test]
async fn a_script_does_what_a_job_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let day = Day::begin(directory.path(), home.path()).await;
    let work = directory.path().join("a place with ' in it");
    std::fs::create_dir(&work).expect("made");
    let print = "pwd; printf '[%s]' \"$@\" \"$GREETING\" \"$SECRET\" \"$JOBRUNNER_QUEUE\"; exit 9";
    let (_, id, _) = day.runs(&[
        "submit",
        "-C",
        work.to_str().expect("UTF-8"),
        "-e",
        "GREETING=it's \"$HOME\"\nline",
        "--",
        "sh",
        "-c",
        print,
        "sh",
        "a b",
        "",
        "$x",
        "*",
    ]);
    let id = id.trim();
    day.service.ended(&format!("/jobs/{id}")).await;
    let original = day.does(&["jobs", "logs", id]);
    let script = day.does(&["jobs", "repro", id]);
    let file = directory.path().join("repro.sh");
    std::fs::write(&file, &script).expect("written");
    let mut shell = Command::new("sh");
    let ended = shell.arg(&file).env("SECRET", "of mine").output().expect("a shell");
    assert_eq!(ended.status.code(), Some(9), "{}", text(&ended.stderr));
    assert_eq!(text(&ended.stdout), original, "{script}");
    let (code, printed, said) = day.runs(&["jobs", "repro", "--run", id]);
    assert_eq!((code, printed), (Some(1), original), "{said}");
    assert!(said.contains('9'), "{said}");
}

#[tokio::test]
async fn output_is_shown_by_attempt_stream_and_last_lines() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let day = Day::begin(directory.path(), home.path()).await;
    let script = "for n in $(seq 9); do echo out $JOBRUNNER_ATTEMPT.$n; \
                  echo err $JOBRUNNER_ATTEMPT.$n >&2; done; exit 1";
    let (_, id, _) = day.runs(&["submit", "--max-attempts", "2", "--", "sh", "-c", script]);
    let id = id.trim();
    day.service.ended(&format!("/jobs/{id}")).await;
    let logs = |more: &[&str]| day.runs(&[&["jobs", "logs", id], more].concat());
    let (_, out, err) = logs(&["-n", "2"]);
    assert_eq!((&*out, &*err), ("out 2.8\nout 2.9\n", "err 2.8\nerr 2.9\n"));
    let (_, out, err) = logs(&["--stderr", "--attempt", "1", "--tail", "1"]);
    assert_eq!((&*out, &*err), ("err 1.9\n", ""), "the only stream has stdout for itself");
    let (_, out, _) = logs(&["--stdout", "--attempt", "1"]);
    assert_eq!((out.lines().count(), out.lines().next()), (9, Some("out 1.1")));
    assert_eq!(logs(&["-n", "0"]).1, "");
    assert_eq!(logs(&["-n", "1000"]).1.lines().count(), 9);
    assert_eq!(logs(&["--attempt", "3"]).0, Some(66));
    assert_eq!(logs(&["--attempt", "0"]).0, Some(2));
    assert_eq!(logs(&["-f", "--tail", "1"]).0, Some(2));

    let (_, id, _) =
        day.runs(&["submit", "--", "sh", "-c", "yes | head -c 300000; echo; echo end"]);
    day.service.ended(&format!("/jobs/{}", id.trim())).await;
    let tail = day.does(&["jobs", "logs", id.trim(), "-n", "100000"]);
    assert_eq!(tail.lines().count(), 100_000, "more than is asked for at first");
    assert!(
        tail.ends_with("y\n\nend\n") || tail.ends_with("\nend\n"),
        "{}",
        &tail[tail.len() - 20..]
    );
}

#[tokio::test]
async fn queues_are_paused_and_weighted() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let day = Day::begin(directory.path(), home.path()).await;
    let said = day.runs(&["queues", "list"]);
    assert_eq!((said.0, &*said.1), (Some(0), ""));
    day.does(&["submit", "--wait", "--queue", "slow", "--", "true"]);
    assert!(day.does(&["queue", "pause", "slow"]).starts_with("slow  paused"));
    let (_, waiting, _) = day.runs(&["submit", "--queue", "slow", "--", "true"]);
    let list = day.does(&["queues", "list"]);
    assert!(list.lines().nth(1).expect("a row").starts_with("slow   paused  1       1"), "{list}");
    assert!(day.does(&["queues", "weight", "slow", "2.5"]).contains("weight 2.5"));
    day.does(&["queues", "resume", "slow"]);
    day.service.ended(&format!("/jobs/{}", waiting.trim())).await;
    assert_eq!(day.runs(&["queues", "pause", "nowhere"]).0, Some(66));
    assert_eq!(day.runs(&["queues", "weight", "slow", "0"]).0, Some(65));
    let queues: Value =
        serde_json::from_str(&day.does(&["queues", "list", "-o", "json"])).expect("JSON");
    assert_eq!((&queues[0]["weight"], &queues[0]["paused"]), (&json!(2.5), &json!(false)));
}
