//! What a run says beside the runs before it: what is new, what still fails, what is fixed.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::{
    BatchId, JobId, Status,
    attempt::Reason,
    id::{KnownIssueId, SeriesId},
    retry,
    series::{Baseline, Gate, Revision, TestId, Variant},
    words::words,
};

/// How many runs are looked back for the last result of a test.
pub const RUNS_LOOKED_AT: u32 = 20;

words! {
    /// What became of a test in a run.
    Outcome {
        /// It passed.
        Passed = "passed",
        /// It passed by an exit code that says that it had nothing to do.
        Skipped = "skipped",
        /// It passed after an attempt that failed.
        Flaky = "flaky",
        /// It was canceled, started or not.
        NotRun = "not_run",
        /// It failed by its host: a worker was lost, an input or the working directory away.
        Infra = "infra",
        /// It failed.
        Failed = "failed",
    }
}

impl Outcome {
    /// What became of a job that ended so.
    #[must_use]
    pub const fn of(status: Status, reason: Option<Reason>, marks: (bool, bool)) -> Self {
        let (flaky, skipped) = marks;
        match (status, reason) {
            (Status::Passed, _) if skipped => Self::Skipped,
            (Status::Passed, _) if flaky => Self::Flaky,
            (Status::Passed, _) => Self::Passed,
            (Status::Failed, Some(reason)) if retry::is_of_the_worker(reason) => Self::Infra,
            (Status::Failed, _) => Self::Failed,
            _ => Self::NotRun,
        }
    }

    /// Whether it says something about the test: only such a result is one that later ones are
    /// compared with.
    #[must_use]
    pub const fn tells(self) -> bool {
        matches!(self, Self::Passed | Self::Flaky | Self::Failed)
    }
}

words! {
    /// What a test is in a run, beside its own last result.
    Class {
        /// It passed.
        Passed = "passed",
        /// It passed after an attempt that failed.
        Flaky = "flaky",
        /// It passed, and its last result was a failure.
        Fixed = "fixed",
        /// It failed, and did not before, or for another cause.
        New = "new",
        /// It failed as before.
        Still = "still",
        /// It failed as a known issue says.
        Known = "known",
        /// It failed by its host.
        Infra = "infra",
        /// It was canceled, started or not.
        NotRun = "not_run",
        /// It has a last result, and is not in this run.
        Missing = "missing",
        /// It passed, in twice the time of nine tenths of its last results or more, and a second
        /// more.
        Slower = "slower",
    }
}

impl Class {
    /// The first eight, of which every test of a run is in one.
    pub const OF_TESTS: [Self; 8] = [
        Self::Passed,
        Self::Flaky,
        Self::Fixed,
        Self::New,
        Self::Still,
        Self::Known,
        Self::Infra,
        Self::NotRun,
    ];
}

/// How many tests of a run are of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the class of its name")]
pub struct ClassCounts {
    pub passed: u64,
    pub flaky: u64,
    pub fixed: u64,
    pub new: u64,
    pub still: u64,
    pub known: u64,
    pub infra: u64,
    pub not_run: u64,
    pub missing: u64,
    pub slower: u64,
}

impl ClassCounts {
    /// The tests of the run: the sum of all but `missing` and `slower`.
    #[must_use]
    pub fn total(&self) -> u64 {
        Class::OF_TESTS.iter().map(|class| self.of(*class)).sum()
    }

    /// How many are of a class.
    #[must_use]
    pub const fn of(&self, class: Class) -> u64 {
        match class {
            Class::Passed => self.passed,
            Class::Flaky => self.flaky,
            Class::Fixed => self.fixed,
            Class::New => self.new,
            Class::Still => self.still,
            Class::Known => self.known,
            Class::Infra => self.infra,
            Class::NotRun => self.not_run,
            Class::Missing => self.missing,
            Class::Slower => self.slower,
        }
    }

    /// One more of a class.
    pub fn add(&mut self, class: Class) {
        let count = match class {
            Class::Passed => &mut self.passed,
            Class::Flaky => &mut self.flaky,
            Class::Fixed => &mut self.fixed,
            Class::New => &mut self.new,
            Class::Still => &mut self.still,
            Class::Known => &mut self.known,
            Class::Infra => &mut self.infra,
            Class::NotRun => &mut self.not_run,
            Class::Missing => &mut self.missing,
            Class::Slower => &mut self.slower,
        };
        *count += 1;
    }

    /// What a gate says of a run that has ended so.
    #[must_use]
    pub const fn through(&self, gate: Gate) -> VerdictStatus {
        let counted = match gate {
            Gate::Failed => self.new + self.still + self.infra,
            Gate::New => self.new,
            Gate::None => 0,
        };
        if counted == 0 { VerdictStatus::Pass } else { VerdictStatus::Fail }
    }

    /// One line for people: `2 new, 41 still, 3 known, 5 flaky, 1 fixed, 2 missing of 10,000`.
    #[must_use]
    pub fn summary(&self) -> String {
        const TOLD: [(Class, &str); 9] = [
            (Class::New, "new"),
            (Class::Still, "still"),
            (Class::Known, "known"),
            (Class::Infra, "infra"),
            (Class::NotRun, "not run"),
            (Class::Flaky, "flaky"),
            (Class::Fixed, "fixed"),
            (Class::Slower, "slower"),
            (Class::Missing, "missing"),
        ];
        let told: Vec<String> = TOLD
            .into_iter()
            .filter(|(class, _)| self.of(*class) > 0)
            .map(|(class, word)| format!("{} {word}", grouped(self.of(class))))
            .collect();
        let total = grouped(self.total());
        match told[..] {
            [] => format!("all {total} passed"),
            _ => format!("{} of {total}", told.join(", ")),
        }
    }

    /// The same of a run that goes on: `so far 2 new of 940`.
    #[must_use]
    pub fn summary_so_far(&self) -> String {
        match self.total() {
            0 => "no test has ended yet".to_owned(),
            _ => format!("so far {}", self.summary()),
        }
    }
}

/// A number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        // Writing to a string does not fail.
        let _ = grouped.write_char(digit);
    }
    grouped
}

words! {
    /// What the gate of a batch says.
    VerdictStatus {
        /// It has not ended.
        Pending = "pending",
        /// Nothing that the gate looks at has failed.
        Pass = "pass",
        /// Something has.
        Fail = "fail",
    }
}

/// What a run says beside the runs before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which batch.
    pub batch_id: BatchId,
    /// The name of its series.
    pub series: String,
    /// Which series that is.
    pub series_id: SeriesId,
    /// What it is compared with: the runs of a branch, null being that of no name, or one batch.
    pub baseline: Baseline,
    /// Whether the batch has ended, and this stays as it is.
    pub is_final: bool,
    /// What the gate says.
    pub status: VerdictStatus,
    /// What the gate looks at.
    pub gate: Gate,
    /// The counts as one line for people.
    pub summary: String,
    /// How many tests are of each class.
    pub counts: ClassCounts,
}

/// A verdict, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortVerdict {
    /// What the gate says.
    pub status: VerdictStatus,
    /// The counts as one line for people.
    pub summary: String,
}

impl ShortVerdict {
    /// Of a batch with this gate: `None` is one that has not ended.
    #[must_use]
    pub fn new(gate: Gate, counts: Option<ClassCounts>) -> Self {
        match counts {
            Some(counts) => Self { status: counts.through(gate), summary: counts.summary() },
            None => Self { status: VerdictStatus::Pending, summary: "not ended yet".to_owned() },
        }
    }
}

/// A test of a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassifiedTest {
    /// Which test.
    pub test_id: TestId,
    /// Its name.
    pub test: String,
    /// Its variant.
    pub variant: Variant,
    /// Its case, if it is one of a report.
    pub case: Option<String>,
    /// The job that it was in this run; none of what is missing.
    pub job_id: Option<JobId>,
    /// Since when it has failed, if it does.
    pub since: Option<Since>,
    /// The last run that it passed, of those that are looked at.
    pub last_good: Option<LastGood>,
    /// Why it failed, if it did.
    pub cause: Option<FailureCause>,
    /// The known issue that it was found to be.
    pub known_issue: Option<KnownIssueId>,
}

/// Since when a test has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// In which batch it failed first.
    pub batch_id: BatchId,
    /// In how many runs, this one included.
    pub runs: u32,
}

/// When a test passed the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastGood {
    /// In which batch.
    pub batch_id: BatchId,
    /// What that had tested.
    pub revision: Option<Revision>,
}

/// What makes failures alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCause {
    /// Why the command did not pass.
    pub reason: Option<Reason>,
    /// What it returned.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// What it said last, without what differs from run to run.
    pub error_line: Option<String>,
}

impl FailureCause {
    /// Of an attempt that failed so. What was written last before a command was killed for its time
    /// or its memory says nothing about why.
    #[must_use]
    pub fn of(
        reason: Reason,
        exit_code: Option<i32>,
        signal: Option<&str>,
        error_line: Option<&str>,
    ) -> Self {
        let is_told = matches!(reason, Reason::ExitCode | Reason::Signal | Reason::SpawnFailed);
        Self {
            reason: Some(reason),
            exit_code,
            signal: signal.map(str::to_owned),
            error_line: error_line.filter(|_| is_told).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_is_not_plainly_passed() {
        let counts = ClassCounts {
            passed: 9948,
            flaky: 5,
            fixed: 1,
            new: 2,
            still: 41,
            known: 3,
            missing: 2,
            ..ClassCounts::default()
        };
        let told = "2 new, 41 still, 3 known, 5 flaky, 1 fixed, 2 missing of 10,000";
        assert_eq!(counts.summary(), told);
        let all = ClassCounts { passed: 1_234_567, ..ClassCounts::default() };
        assert_eq!(all.summary(), "all 1,234,567 passed");
        assert_eq!(all.summary_so_far(), "so far all 1,234,567 passed");
        assert_eq!(ClassCounts::default().summary_so_far(), "no test has ended yet");
    }

    #[test]
    fn a_gate_looks_at_what_it_is_named_after() {
        let through = |gate, class: Class| {
            let mut counts = ClassCounts::default();
            counts.add(class);
            counts.through(gate) == VerdictStatus::Pass
        };
        for class in Class::ALL {
            let fails = matches!(class, Class::New | Class::Still | Class::Infra);
            assert_eq!(through(Gate::Failed, class), !fails, "{class}");
            assert_eq!(through(Gate::New, class), class != Class::New, "{class}");
            assert!(through(Gate::None, class), "{class}");
        }
    }

    #[test]
    fn ends_by_the_host_say_nothing_about_the_test() {
        let failed = |reason| Outcome::of(Status::Failed, Some(reason), (false, false));
        for reason in [Reason::WorkerLost, Reason::InputMissing, Reason::WorkingDir] {
            assert_eq!(failed(reason), Outcome::Infra);
            assert!(!failed(reason).tells());
        }
        for reason in [Reason::ExitCode, Reason::Timeout, Reason::Oom, Reason::SpawnFailed] {
            assert!(failed(reason).tells());
        }
        assert!(!Outcome::of(Status::Passed, None, (false, true)).tells());
        assert!(!Outcome::of(Status::Canceled, None, (false, false)).tells());
    }
}
