use std::{fs, path::PathBuf};

use super::{Case, Reader, Verdict};

/// Whether a test was not run without a reason that is an element: CTest says so of disabled ones.
fn is_left_out(case: &roxmltree::Node<'_, '_>) -> bool {
    case.attribute("status").is_some_and(|status| ["disabled", "notrun"].contains(&status))
}

/// Results that a command writes itself: what it prints says nothing.
pub(super) struct Junit {
    pub(super) file: PathBuf,
}

impl Reader for Junit {
    fn line(&mut self, _: &str) -> Vec<Case> {
        Vec::new()
    }

    /// What cannot be read is for whoever reads the results.
    fn end(&mut self, told: &mut Vec<Case>) {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let Ok(document) = roxmltree::Document::parse(&text) else { return };
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        told.extend(cases.map(|case| {
            let has = |tag: &str| case.children().any(|child| child.has_tag_name(tag));
            let verdict = match () {
                () if has("failure") => Verdict::Failed,
                () if has("error") => Verdict::Error,
                () if has("skipped") || is_left_out(&case) => Verdict::Skipped,
                () => Verdict::Passed,
            };
            let [class, name] = ["classname", "name"]
                .map(|name| case.attribute(name).unwrap_or_default().to_owned());
            Case { class, name, verdict, text: String::new() }
        }));
    }
}
