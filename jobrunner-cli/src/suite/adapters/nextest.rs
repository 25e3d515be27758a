use std::collections::BTreeMap;

use serde::Deserialize;

use super::tool::{Listing, Test, Tool, Unit, by_place, not_understood};
use crate::exit::Failure;

/// cargo-nextest: `list --message-format json` lists test binaries and their tests.
pub(super) struct Nextest;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    rust_suites: BTreeMap<String, Suite>,
}

#[derive(Deserialize)]
struct Suite {
    #[serde(default)]
    testcases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Case {
    ignored: bool,
    filter_match: Match,
}

#[derive(Deserialize)]
struct Match {
    status: String,
}

impl Tool for Nextest {
    fn list(&self, listing: &Listing) -> Result<Vec<Unit>, Failure> {
        let text = listing.text(["list", "--message-format", "json"])?;
        let listed: Listed = serde_json::from_str(&text)
            .map_err(|error| not_understood("what nextest lists", error))?;
        let mut units = Vec::new();
        for (binary, suite) in listed.rust_suites {
            for (name, case) in suite.testcases {
                if case.ignored || case.filter_match.status != "matches" {
                    continue;
                }
                let (id, place) = (format!("{binary} {name}"), vec![binary.clone()]);
                units.push(Test { id, class: binary.clone(), name, place }.into());
            }
        }
        Ok(units)
    }

    /// A profile of its own takes the project's default one and adds the file; nextest reads it
    /// from a configuration beside the results.
    fn command(
        &self,
        listing: &Listing,
        tests: &[&Test],
        junit: &str,
    ) -> Result<Vec<String>, Failure> {
        let config = format!("{junit}.toml");
        let text = format!("[profile.jobrunner.junit]\npath = {}\n", toml(junit));
        let tool_config = format!("jobrunner:{config}");
        let mut command = listing.call([
            "run",
            "--no-fail-fast",
            "--profile",
            "jobrunner",
            "--tool-config-file",
            &tool_config,
        ]);
        for (binary, tests) in by_place(tests) {
            let names: Vec<_> =
                tests.iter().map(|test| format!("test(={})", literally(&test.name))).collect();
            let binary = binary.first().map_or("", String::as_str);
            let set = format!("binary_id(={}) & ({})", literally(binary), names.join(" | "));
            command.extend(["-E".to_owned(), set]);
        }
        let script = format!(
            "printf %s {} > {}\nexec {}\n",
            shell_words::quote(&text),
            shell_words::quote(&config),
            shell_words::join(&command)
        );
        Ok(["/bin/sh".to_owned(), "-c".to_owned(), script].into())
    }

    fn variables(&self) -> &'static [&'static str] {
        super::cargo::VARIABLES
    }
}

/// A name in a filter of nextest's, for nothing but itself.
fn literally(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\)/,".contains(c) {
            name.push('\\');
        }
        name.push(c);
    }
    name
}

/// A string of TOML's, which takes JSON's.
fn toml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
