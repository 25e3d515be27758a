//! What really ran, as the commands of the jobs wrote it down themselves.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::until;

/// Appends a line at the start and one at the end, each with a single write and on the disk before
/// the command goes on. Arguments: the ledger, how many seconds to take, the exit code, how many of
/// the first attempts fail with it, and how many seconds the very first attempt takes.
const SCRIPT: &str = r#"
note() { printf '%s %s %s\n' "$1" "$JOBRUNNER_JOB_ID" "$JOBRUNNER_ATTEMPT" >> "$2" && sync -d "$2"; }
note start "$1"
echo "begin $JOBRUNNER_ATTEMPT"
if [ "$JOBRUNNER_ATTEMPT" = 1 ]; then sleep "$5"; else sleep "$2"; fi
echo "end $JOBRUNNER_ATTEMPT"
note end "$1"
[ "$JOBRUNNER_ATTEMPT" -gt "$4" ] || exit "$3"
"#;

/// A file that the commands of jobs append to.
#[derive(Clone)]
pub(crate) struct Ledger(PathBuf);

/// The numbers of lines, by job and attempt.
pub(crate) type Lines = BTreeMap<(String, u64), usize>;

/// What the ledger says.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) starts: Lines,
    pub(crate) ends: Lines,
}

impl Ledger {
    pub(crate) fn new(path: &Path) -> Self {
        fs::write(path, "").expect("written");
        Self(path.to_owned())
    }

    /// A job that takes 50 to 300 ms. Of ten jobs, one fails always and one only at its first
    /// attempt.
    pub(crate) fn job(&self, n: usize) -> Value {
        let (name, code, failures, max_attempts) = match n % 10 {
            3 => ("fail", "3", "99", 1),
            7 => ("flaky", "4", "1", 2),
            _ => ("pass", "0", "0", 1),
        };
        let seconds = format!("0.{:03}", 50 + n * 37 % 250);
        json!({
            "name": name,
            "command": self.command([&seconds, code, failures, &seconds]),
            "max_attempts": max_attempts,
        })
    }

    /// A job that would take ten minutes if nothing happened to its first attempt.
    pub(crate) fn long_at_first(&self) -> Value {
        json!({"name": "long", "command": self.command(["0.1", "0", "0", "600"])})
    }

    fn command(&self, arguments: [&str; 4]) -> Vec<String> {
        let ledger = self.0.to_str().expect("a plain path");
        let words = ["sh", "-c", SCRIPT, "sh", ledger].into_iter().chain(arguments);
        words.map(str::to_owned).collect()
    }

    pub(crate) fn read(&self) -> Ran {
        let text = fs::read_to_string(&self.0).expect("a ledger");
        let mut ran = Ran::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [what, job, attempt] = words[..] else { panic!("a broken line: {line:?}") };
            let lines = match what {
                "start" => &mut ran.starts,
                "end" => &mut ran.ends,
                _ => panic!("a broken line: {line:?}"),
            };
            *lines.entry((job.to_owned(), attempt.parse().expect("a number"))).or_default() += 1;
        }
        ran
    }

    /// Waits until so many commands have been started.
    pub(crate) async fn started(&self, count: usize) {
        let what = format!("{count} commands to be started");
        until(&what, async || self.read().starts.len() >= count).await;
    }
}
