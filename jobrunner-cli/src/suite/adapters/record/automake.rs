use super::{Case, Reader, Verdict};

/// What Automake's test harness prints: `PASS: NAME`, one line for each test.
pub(super) struct Automake {
    pub(super) suite: String,
}

impl Reader for Automake {
    fn line(&mut self, line: &str) -> Vec<Case> {
        let Some((word, name)) = line.split_once(": ") else { return Vec::new() };
        let (verdict, text) = match word {
            "PASS" => (Verdict::Passed, ""),
            "FAIL" => (Verdict::Failed, "failed"),
            "XFAIL" => (Verdict::Expected, "failed as expected"),
            "XPASS" => (Verdict::Failed, "passed unexpectedly"),
            "SKIP" => (Verdict::Skipped, "skipped"),
            "ERROR" => (Verdict::Error, "could not be run"),
            _ => return Vec::new(),
        };
        let (class, name) = (self.suite.clone(), name.to_owned());
        vec![Case { class, name, verdict, text: text.to_owned() }]
    }

    fn end(&mut self, _: &mut Vec<Case>) {}
}
