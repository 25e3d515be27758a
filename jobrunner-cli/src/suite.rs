//! Suites: batches written as YAML, with variables and a matrix. The format is described in
//! `docs/SUITES.md`.

mod expand;
mod template;
mod yaml;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jobrunner_core::{NewBatch, NewJob, daemon::Trouble, retry::Retry};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::exit::{Context, Failure};
use yaml::{Placed, Wrong, optional_text};

/// A suite as it is written. What is text here is what stands in the file, `no` and `3.10`
/// included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
    name: Placed<String>,
    #[serde(default, deserialize_with = "optional_text")]
    description: Option<Placed<String>>,
    #[serde(default)]
    payload: Map<String, Value>,
    #[serde(default)]
    vars: BTreeMap<String, String>,
    #[serde(default)]
    defaults: Defaults,
    jobs: Vec<Placed<JobTemplate>>,
    /// The file, for messages.
    #[serde(skip)]
    file: PathBuf,
    /// What relative working directories lie under.
    #[serde(skip)]
    base: Option<PathBuf>,
}

/// What holds for every job that does not say otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    #[serde(default, deserialize_with = "optional_text")]
    working_dir: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "optional_text")]
    queue: Option<String>,
    priority: Option<u8>,
    timeout_seconds: Option<u64>,
    max_attempts: Option<u32>,
    retry: Option<Retry>,
    #[serde(default)]
    inputs: Vec<String>,
    silence_seconds: Option<u64>,
    max_output_bytes: Option<u64>,
    max_memory_mb: Option<u64>,
    max_open_files: Option<u64>,
    max_cpu_seconds: Option<u64>,
}

/// One job, or with a matrix as many as it has combinations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobTemplate {
    name: String,
    command: Option<Vec<String>>,
    #[serde(default, deserialize_with = "optional_text")]
    shell: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    working_dir: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    payload: Map<String, Value>,
    #[serde(default, deserialize_with = "optional_text")]
    queue: Option<String>,
    priority: Option<u8>,
    timeout_seconds: Option<u64>,
    max_attempts: Option<u32>,
    retry: Option<Retry>,
    #[serde(default)]
    inputs: Vec<String>,
    silence_seconds: Option<u64>,
    max_output_bytes: Option<u64>,
    max_memory_mb: Option<u64>,
    max_open_files: Option<u64>,
    max_cpu_seconds: Option<u64>,
    #[serde(default)]
    matrix: BTreeMap<String, Vec<String>>,
}

impl Suite {
    /// Reads a suite from its file, from a pipe, or from standard input if that is `-`.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let cannot = || format!("cannot read the suite {}", file.display());
        let text = if file == Path::new(STDIN) {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(file)
        };
        let text = text.context(Trouble::NoInput, cannot)?;
        let base = base(file).context(Trouble::NoInput, cannot)?;
        let named = if file == Path::new(STDIN) { Path::new("standard input") } else { file };
        Self::parse(&text, named, Some(base))
    }

    /// Reads a suite from its text; the file is named in messages. Relative working directories lie
    /// under `base`; with `None` they are refused.
    pub(crate) fn parse(text: &str, file: &Path, base: Option<PathBuf>) -> Result<Self, Failure> {
        let mut suite: Self = yaml::from_str(text).map_err(|wrong| refused(file, &wrong))?;
        (suite.file, suite.base) = (file.to_owned(), base);
        Ok(suite)
    }

    /// The batch and its jobs, with every variable filled in; `set` overrides variables.
    pub(crate) fn expand(
        &self,
        set: &[(String, String)],
    ) -> Result<(NewBatch, Vec<NewJob>), Failure> {
        let base = self.base.as_deref();
        expand::expand(self, set, base).map_err(|wrong| refused(&self.file, &wrong))
    }
}

/// Stands for standard input.
const STDIN: &str = "-";

/// The directory of a suite's file; the current one where it comes out of a pipe or a device.
fn base(file: &Path) -> std::io::Result<PathBuf> {
    let is_kept = file != Path::new(STDIN)
        && !file.starts_with("/dev")
        && !file.starts_with("/proc")
        && file.metadata()?.is_file();
    if !is_kept {
        return std::env::current_dir();
    }
    let file = file.canonicalize()?;
    Ok(file.parent().unwrap_or(Path::new("/")).to_owned())
}

/// `FILE:LINE:COLUMN: FIELD MESSAGE`, as compilers do.
fn refused(file: &Path, wrong: &Wrong) -> Failure {
    Failure::new(Trouble::Data, format!("{}:{wrong}", file.display()))
}

#[cfg(test)]
mod tests;
