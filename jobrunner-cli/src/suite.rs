//! Suites: batches written as YAML, with variables and a matrix. The format is described in
//! `docs/SUITES.md`.

mod expand;
mod template;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jobrunner_core::{NewBatch, NewJob, retry::Retry};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::exit::{Context, Failure};

/// A suite as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
    name: String,
    description: Option<String>,
    #[serde(default)]
    payload: Map<String, Value>,
    #[serde(default)]
    vars: BTreeMap<String, Scalar>,
    #[serde(default)]
    defaults: Defaults,
    jobs: Vec<JobTemplate>,
    /// The file, for messages.
    #[serde(skip)]
    file: PathBuf,
}

/// What holds for every job that does not say otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    working_dir: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, Scalar>,
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
    command: Option<Vec<Scalar>>,
    shell: Option<String>,
    working_dir: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, Scalar>,
    #[serde(default)]
    payload: Map<String, Value>,
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
    matrix: BTreeMap<String, Vec<Scalar>>,
}

/// A value that YAML may take for a number or a boolean, and that is used as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => value.clone(),
        }
    }
}

impl Suite {
    /// Reads a suite from its file.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file)
            .context(|| format!("cannot read the suite {}", file.display()))?;
        Self::parse(&text, file)
    }

    /// Reads a suite from its text; the file is named in messages.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, Failure> {
        let mut suite: Self = serde_saphyr::from_str(text)
            .context(|| format!("{} is not a suite", file.display()))?;
        suite.file = file.to_owned();
        Ok(suite)
    }

    /// The batch and its jobs, with every variable filled in; `set` overrides variables. Relative
    /// working directories lie under `base`; with `None` they are refused.
    pub(crate) fn expand(
        &self,
        set: &[(String, String)],
        base: Option<&Path>,
    ) -> Result<(NewBatch, Vec<NewJob>), Failure> {
        expand::expand(self, set, base)
            .map_err(|message| Failure::new(format!("{}: {message}", self.file.display())))
    }
}
