//! How long tests took before, as JUnit files say.

use std::{collections::HashMap, path::PathBuf};

use jobrunner_core::daemon::Trouble;

use super::tool::{Test, Unit, not_understood};
use crate::exit::{Context, Failure};

/// Seconds by class and name, and by name alone.
#[derive(Debug, Default)]
pub(super) struct Durations {
    by_class: HashMap<(String, String), f64>,
    by_name: HashMap<String, f64>,
    /// For tests of which nothing is known.
    usual: f64,
}

/// A test case of a JUnit file.
pub(super) struct Case {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) file: Option<String>,
    pub(super) seconds: Option<f64>,
}

impl Durations {
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut durations = Self::default();
        for file in files {
            let text = std::fs::read_to_string(file);
            let text =
                text.context(Trouble::NoInput, || format!("cannot read {}", file.display()))?;
            for case in cases(&text, &file.display().to_string())? {
                if let Some(seconds) = case.seconds {
                    durations.by_name.insert(case.name.clone(), seconds);
                    durations.by_class.insert((case.class, case.name), seconds);
                }
            }
        }
        durations.usual = durations.mean();
        Ok(durations)
    }

    #[cfg(test)]
    pub(super) fn of_names(known: impl Iterator<Item = (String, f64)>) -> Self {
        let mut durations = Self { by_name: known.collect(), ..Self::default() };
        durations.usual = durations.mean();
        durations
    }

    fn mean(&self) -> f64 {
        let known = self.by_name.len();
        if known == 0 { 1.0 } else { self.by_name.values().sum::<f64>() / known as f64 }
    }

    /// How long these tests take one after the other, as far as it is known.
    pub(super) fn of(&self, unit: &Unit) -> f64 {
        unit.tests.iter().map(|test| self.of_test(test)).sum()
    }

    fn of_test(&self, test: &Test) -> f64 {
        let by_class = self.by_class.get(&(test.class.clone(), test.name.clone()));
        // A run of one job for each test calls them by their ids.
        let known = by_class.or_else(|| self.by_name.get(&test.id));
        known.or_else(|| self.by_name.get(&test.name)).copied().unwrap_or(self.usual)
    }
}

/// The test cases of a JUnit document.
pub(super) fn cases(text: &str, file: &str) -> Result<Vec<Case>, Failure> {
    let document = roxmltree::Document::parse(text);
    let document = document.map_err(|error| not_understood(file, error))?;
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    Ok(cases
        .map(|case| Case {
            class: case.attribute("classname").unwrap_or_default().to_owned(),
            name: case.attribute("name").unwrap_or_default().to_owned(),
            file: case.attribute("file").map(str::to_owned),
            seconds: case.attribute("time").and_then(|time| time.replace(',', "").parse().ok()),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_known_by_its_class_its_id_or_its_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("r.xml");
        let xml = r#"<testsuites><testsuite><testcase classname="a" name="x" time="2"/>
            <testcase classname="b" name="x" time="4"/><testcase name="p::y" time="1,006"/>
            <testcase name="no time"/></testsuite></testsuites>"#;
        std::fs::write(&file, xml).expect("a file");
        let durations = Durations::read(&[file]).expect("durations");
        let of = |id: &str, class: &str, name: &str| {
            let [id, class, name] = [id, class, name].map(str::to_owned);
            durations.of(&Test { id, class, name, ..Test::default() }.into())
        };
        assert!((of("", "a", "x") - 2.0).abs() < 1e-9);
        assert!((of("", "b", "x") - 4.0).abs() < 1e-9);
        assert!((of("p::y", "p", "y") - 1006.0).abs() < 1e-9);
        assert!((of("", "c", "new") - 505.0).abs() < 1e-9, "the mean of 4 and 1006");
    }
}
