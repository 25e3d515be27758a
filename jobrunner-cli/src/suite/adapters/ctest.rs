use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::tool::{Listing, Test, Tool, Unit, not_understood, recorded};
use crate::{exit::Failure, output::note};

/// The longest expression that names tests: CMake's own limit is twice that.
const LONGEST_EXPRESSION: usize = 16_000;

/// CTest: `--show-only=json-v1` lists tests with their properties. Those that share a fixture or a
/// resource, or depend on each other, are run by one job, in which CTest heeds that.
pub(super) struct Ctest;

#[derive(Deserialize)]
struct Shown {
    tests: Vec<Shows>,
}

#[derive(Deserialize)]
struct Shows {
    name: String,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    value: Value,
}

impl Tool for Ctest {
    fn list(&self, listing: &Listing) -> Result<Vec<Unit>, Failure> {
        let text = listing.text(["--test-dir", &*listing.directory, "--show-only=json-v1"])?;
        let shown: Shown = serde_json::from_str(&text)
            .map_err(|error| not_understood("what ctest lists", error))?;
        let alone = shown.tests.iter().filter(|test| test.has("RUN_SERIAL")).count();
        if alone > 0 {
            note(&format!(
                "{alone} tests are RUN_SERIAL; they run alone within their job, beside other jobs"
            ));
        }
        Ok(units(&shown.tests))
    }

    fn command(
        &self,
        listing: &Listing,
        tests: &[&Test],
        junit: &str,
    ) -> Result<Vec<String>, Failure> {
        let names: Vec<String> = tests.iter().map(|test| literally(&test.name)).collect();
        let expression = format!("^({})$", names.join("|"));
        if expression.len() > LONGEST_EXPRESSION {
            return Err(Failure::usage(
                "a job's tests have more names than ctest takes; make more shards",
            ));
        }
        let command = listing.call([
            "--test-dir",
            &listing.directory,
            "--output-on-failure",
            "--output-junit",
            junit,
            "-R",
            &expression,
        ]);
        recorded("junit", "", junit, command)
    }

    fn is_recorded(&self) -> bool {
        true
    }

    fn variables(&self) -> &'static [&'static str] {
        &["CTEST_OUTPUT_ON_FAILURE", "CTEST_PARALLEL_LEVEL", "CTEST_TEST_TIMEOUT"]
    }
}

impl Shows {
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let property = self.properties.iter().find(|property| property.name == name);
        let values = property.and_then(|property| property.value.as_array());
        values.into_iter().flatten().filter_map(Value::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|property| property.name == name && property.value == true)
    }

    /// What other tests may have in common with this one.
    fn ties(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fixtures = ["FIXTURES_SETUP", "FIXTURES_CLEANUP", "FIXTURES_REQUIRED"];
        let fixtures = fixtures.into_iter().flat_map(|name| self.values(name));
        let fixtures = fixtures.map(|fixture| ("fixture", fixture));
        let resources = self.values("RESOURCE_LOCK").map(|resource| ("resource", resource));
        let depends = self.values("DEPENDS").chain([self.name.as_str()]).map(|test| ("test", test));
        fixtures.chain(resources).chain(depends)
    }
}

/// Tests that are tied together, each group where its first test is.
fn units(shown: &[Shows]) -> Vec<Unit> {
    let mut group: Vec<usize> = (0..shown.len()).collect();
    let mut first: HashMap<_, usize> = HashMap::new();
    for (index, test) in shown.iter().enumerate() {
        for tie in test.ties() {
            let other = *first.entry(tie).or_insert(index);
            let (a, b) = (root(&group, index), root(&group, other));
            group[a.max(b)] = a.min(b);
        }
    }
    let mut units: Vec<Unit> = vec![Unit::default(); shown.len()];
    for (index, Shows { name, .. }) in shown.iter().enumerate() {
        let [id, class, name] = [name, name, name].map(String::clone);
        units[root(&group, index)].tests.push(Test { id, class, name, ..Test::default() });
    }
    units.retain(|unit| !unit.tests.is_empty());
    units
}

fn root(group: &[usize], mut index: usize) -> usize {
    while group[index] != index {
        index = group[index];
    }
    index
}

/// A regular expression of CMake's for this text alone.
fn literally(text: &str) -> String {
    let mut expression = String::with_capacity(text.len());
    for c in text.chars() {
        if "^$.[]*+?()|\\".contains(c) {
            expression.push('\\');
        }
        expression.push(c);
    }
    expression
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tests_that_share_something_stay_together() {
        let test = |name: &str, property: &str, value: &[&str]| json!({"name": name, "properties": [{"name": property, "value": value}]});
        let shown: Shown = serde_json::from_value(json!({"tests": [
            test("start", "FIXTURES_SETUP", &["db"]),
            test("plain", "LABELS", &["db"]),
            test("uses", "FIXTURES_REQUIRED", &["db", "net"]),
            test("locks", "RESOURCE_LOCK", &["port"]),
            test("locks too", "RESOURCE_LOCK", &["port"]),
            test("later", "DEPENDS", &["plain"]),
            test("stop", "FIXTURES_CLEANUP", &["net"]),
        ]}))
        .expect("a listing");
        let units = units(&shown.tests);
        let names =
            |unit: &Unit| unit.tests.iter().map(|test| test.name.clone()).collect::<Vec<_>>();
        let names: Vec<_> = units.iter().map(names).collect();
        assert_eq!(
            names,
            [&["start", "uses", "stop"][..], &["plain", "later"], &["locks", "locks too"]]
        );
    }

    #[test]
    fn names_are_no_expressions() {
        assert_eq!(literally("a.b(c)+[d]"), "a\\.b\\(c\\)\\+\\[d\\]");
    }
}
