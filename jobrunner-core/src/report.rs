//! What tests say of themselves: the cases of the JUnit files that a job's command writes.
//!
//! Nothing here touches a file. [`Cases`] takes the bytes of one file after another, whatever they
//! are: what it keeps is bounded, entities stand for nothing but the five characters that XML
//! itself gives a name, and a document type is passed over.

mod encoding;
mod glob;
mod junit;
mod text;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use glob::Glob;
pub(crate) use glob::Progress;
pub use junit::Cases;

use crate::words::words;

/// The most cases that are kept of the reports of one attempt.
pub const MOST_CASES: usize = 100_000;

/// The most bytes that the reports of one attempt may have together.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The longest message that is kept of a case, in bytes; of a longer one the end is cut, and `…`
/// stands for it.
pub const LONGEST_MESSAGE: usize = 4 * 1024;

/// The longest name, class or file that is kept, in bytes; the end of a longer one is exchanged for
/// a digest of it, so that it is still told from others.
pub const LONGEST_NAME: usize = 1024;

words! {
    /// How a case ended.
    CaseStatus {
        /// It failed, or could not be carried out.
        Failed = "failed",
        /// It was left out.
        Skipped = "skipped",
        /// It passed.
        Passed = "passed",
    }
}

/// One test case of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What it is a part of: its `classname`, or the name of its suite; empty if it has neither.
    #[serde(with = "text::shared")]
    pub class: Arc<str>,
    /// What it is called, on one line. Not every tool gives each case a name of its own.
    pub name: String,
    /// The source file that it is in, if the report says so.
    pub file: Option<String>,
    /// How it ended.
    pub status: CaseStatus,
    /// Whether it passed after the tool had repeated it.
    pub flaky: bool,
    /// How long it took, if the report says so.
    pub duration_ms: Option<u64>,
    /// Why it failed or was skipped, or what failed before it passed.
    pub message: Option<String>,
}

/// What the reports of one attempt say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Failed ones first, then those that are flaky, those that were skipped, and the others; each
    /// in the order of the reports.
    pub cases: Arc<[Case]>,
    /// What could not be read, in one sentence; the cases are those that could.
    pub error: Option<String>,
}

impl Report {
    /// A report without cases, and why.
    #[must_use]
    pub fn unread(error: impl Into<String>) -> Self {
        Self { cases: Arc::default(), error: Some(error.into()) }
    }

    /// How many cases ended how.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { error: self.error.clone(), ..Summary::default() };
        for case in &*self.cases {
            match case.status {
                CaseStatus::Failed => summary.failed += 1,
                CaseStatus::Skipped => summary.skipped += 1,
                CaseStatus::Passed => summary.passed += 1,
            }
            summary.flaky += u32::from(case.flaky);
        }
        summary
    }
}

/// How many cases of an attempt's reports ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Those that passed, flaky ones included.
    pub passed: u32,
    /// Those that failed.
    pub failed: u32,
    /// Those that were left out.
    pub skipped: u32,
    /// Those that passed after the tool had repeated them.
    #[serde(default)]
    pub flaky: u32,
    /// What could not be read, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Summary {
    /// How many cases there are.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.passed + self.failed + self.skipped
    }
}

/// Which cases of a job a list shows. Every `None` lets everything through.
#[derive(Clone, Debug, Default)]
pub struct CaseFilter {
    /// Only those of this attempt; `None` is the last one that has ended.
    pub attempt: Option<u32>,
    /// Only those that ended so.
    pub status: Option<CaseStatus>,
    /// Only those of exactly this name; `*` in it stands for any text.
    pub name: Option<String>,
}
