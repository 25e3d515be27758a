//! What the tests of a job say of themselves.

use jobrunner_core::report;
use schemars::JsonSchema;
use serde::Serialize;

use super::CaseStatus;

/// How many cases of an attempt's JUnit files ended how.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Report {
    /// Those that passed, flaky ones included.
    passed: u32,
    failed: u32,
    skipped: u32,
    /// Those that passed after the tool had repeated them.
    flaky: u32,
    /// What could not be read, in one sentence; the counts are of what could.
    error: Option<String>,
}

impl From<report::Summary> for Report {
    fn from(summary: report::Summary) -> Self {
        let report::Summary { passed, failed, skipped, flaky, error } = summary;
        Self { passed, failed, skipped, flaky, error }
    }
}

/// A test case of a job's JUnit files.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Case {
    /// What it is a part of: its class, or the name of its suite; empty if it has neither.
    class: String,
    /// What it is called; not every tool gives each case a name of its own.
    name: String,
    /// The source file that it is in, if the report says so.
    file: Option<String>,
    status: CaseStatus,
    /// Whether it passed after the tool had repeated it.
    flaky: bool,
    duration_ms: Option<u64>,
    /// Why it failed or was skipped, or what failed before it passed; 4 KiB at most, with `…` for
    /// the rest.
    message: Option<String>,
}

impl From<report::Case> for Case {
    fn from(case: report::Case) -> Self {
        let report::Case { class, name, file, status, flaky, duration_ms, message } = case;
        let class = class.to_string();
        Self { class, name, file, status: status.into(), flaky, duration_ms, message }
    }
}
