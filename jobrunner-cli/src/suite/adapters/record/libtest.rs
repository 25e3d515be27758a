use std::collections::HashMap;

use super::{Case, Reader, Verdict};

/// What Rust's test programs print: `test NAME ... ok`, and the output of failures at the end.
pub(super) struct Libtest {
    suite: String,
    /// The failure whose output is being read.
    open: Option<String>,
    texts: HashMap<String, String>,
}

impl Libtest {
    pub(super) fn new(suite: String) -> Self {
        Self { suite, open: None, texts: HashMap::new() }
    }
}

impl Reader for Libtest {
    fn line(&mut self, line: &str) -> Vec<Case> {
        if let Some(name) =
            line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"))
        {
            self.open = Some(name.to_owned());
            return Vec::new();
        }
        if line == "failures:" || line.starts_with("test result: ") {
            self.open = None;
            return Vec::new();
        }
        if let Some(name) = &self.open {
            let text = self.texts.entry(name.clone()).or_default();
            text.push_str(line);
            text.push('\n');
            return Vec::new();
        }
        let told = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... "));
        let Some((name, word)) = told else { return Vec::new() };
        let verdict = match word.split([',', ' ']).next() {
            Some("ok") => Verdict::Passed,
            Some("FAILED") => Verdict::Failed,
            Some("ignored") => Verdict::Skipped,
            _ => return Vec::new(),
        };
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        let text = if verdict == Verdict::Passed { String::new() } else { word.to_owned() };
        vec![Case { class: self.suite.clone(), name: name.to_owned(), verdict, text }]
    }

    fn end(&mut self, told: &mut Vec<Case>) {
        for case in told.iter_mut().filter(|case| case.verdict == Verdict::Failed) {
            if let Some(text) = self.texts.remove(&case.name) {
                case.text = text.trim().to_owned();
            }
        }
    }
}
