//! The fields of a suite that are read as they are. What decides how many jobs there are
//! (parameters, includes, matrices) is read from the tree, in the modules of those names.

use std::collections::BTreeMap;

use jobrunner_core::retry::RetryOn;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny},
};
use serde_json::{Map, Value};

#[cfg(test)]
use super::schema;
use super::yaml::{Placed, optional_text};

/// The version of the format that this program reads.
const VERSION: u64 = 1;

/// A batch of jobs, written as YAML.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "JobRunner suite"))]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// The version of the format: 1.
    #[serde(default, deserialize_with = "version")]
    #[cfg_attr(test, schemars(with = "schema::Version"))]
    #[expect(dead_code, reason = "there is only one")]
    version: (),
    /// What people call the batch. Runs of one suite share it.
    #[cfg_attr(test, schemars(with = "schema::Text"))]
    pub(super) name: Placed<String>,
    /// What the batch is for.
    #[serde(default, deserialize_with = "optional_text")]
    #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
    pub(super) description: Option<Placed<String>>,
    /// The project that the batch belongs to, whose members see it.
    #[serde(default, deserialize_with = "optional_text")]
    #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
    pub(super) project: Option<Placed<String>>,
    /// Anything you want to find again beside the batch.
    #[serde(default, rename = "payload")]
    #[cfg_attr(test, schemars(with = "Map<String, Value>"))]
    _payload: IgnoredAny,
    /// Of which series the batch is a run; that of its name, if it is left out.
    #[serde(default, deserialize_with = "optional_text")]
    #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
    pub(super) series: Option<Placed<String>>,
    /// What it tests; runs are compared with those of the same branch.
    #[serde(default, rename = "revision")]
    #[cfg_attr(test, schemars(with = "Option<schema::Revision>"))]
    _revision: IgnoredAny,
    /// Which failures make its verdict one.
    #[serde(default, rename = "gate")]
    #[cfg_attr(test, schemars(with = "Option<schema::Gate>"))]
    _gate: IgnoredAny,
    /// What it is compared with, if not with the runs before it on its branch.
    #[serde(default, rename = "baseline")]
    #[cfg_attr(test, schemars(with = "Option<schema::Baseline>"))]
    _baseline: IgnoredAny,
    /// What whoever runs the suite may set, by `--set NAME=VALUE`.
    #[serde(default, rename = "parameters")]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, schema::Parameter>"))]
    _parameters: IgnoredAny,
    /// Texts that are written once and used as `${NAME}`. They may use parameters and each other.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, schema::Text>"))]
    pub(super) vars: BTreeMap<String, Placed<String>>,
    /// Other suites, whose jobs come before those of this one.
    #[serde(default, rename = "include")]
    #[cfg_attr(test, schemars(with = "Vec<schema::Include>"))]
    _include: IgnoredAny,
    /// What holds for every job that does not say otherwise.
    #[serde(default, rename = "defaults")]
    #[cfg_attr(test, schemars(with = "Defaults"))]
    _defaults: IgnoredAny,
    /// The jobs, each with a matrix as many as it has combinations.
    #[serde(default, rename = "jobs")]
    #[cfg_attr(test, schemars(with = "Vec<Job>"))]
    _jobs: IgnoredAny,
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match u64::deserialize(deserializer)? {
        VERSION => Ok(()),
        other => Err(D::Error::custom(format!(
            "is {other}; this program reads suites of version {VERSION}"
        ))),
    }
}

/// A parameter that says more than its default.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Parameter {
    /// What values look like.
    #[serde(default, rename = "type")]
    pub(super) kind: ParameterType,
    /// The value, unless another is set. Without a default one has to be set.
    #[serde(default, deserialize_with = "optional_text")]
    #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
    pub(super) default: Option<Placed<String>>,
    /// The only values there are.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<schema::Text>"))]
    pub(super) choices: Vec<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "optional_text")]
    #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
    #[expect(dead_code, reason = "for people")]
    pub(super) description: Option<String>,
}

/// What the values of a parameter look like. They stay as they are written, whatever the type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename_all = "lowercase"))]
pub(super) enum ParameterType {
    /// Any text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl<'de> Deserialize<'de> for ParameterType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "string" => Ok(Self::String),
            "integer" => Ok(Self::Integer),
            "number" => Ok(Self::Number),
            "boolean" => Ok(Self::Boolean),
            _ => Err(D::Error::custom("must be one of string, integer, number, boolean")),
        }
    }
}

/// Another suite and the parameters that it gets.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Included {
    /// Its file, relative to this one.
    #[cfg_attr(test, schemars(with = "schema::Text"))]
    pub(super) suite: String,
    /// Values for its parameters.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, schema::Text>"))]
    pub(super) set: BTreeMap<String, String>,
}

/// A struct with the fields that jobs and the defaults for them share.
macro_rules! with_shared_fields {
    ($(#[$meta:meta])* struct $name:ident { $($own:tt)* }) => {
        #[derive(Debug, Default, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        $(#[$meta])*
        pub(super) struct $name {
            $($own)*
            /// Where to run, relative to the directory of the suite; that itself if it is left out.
            #[serde(default, deserialize_with = "optional_text")]
            #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
            pub(super) working_dir: Option<String>,
            /// Variables added to the clean environment.
            #[serde(default)]
            #[cfg_attr(test, schemars(with = "BTreeMap<String, schema::Text>"))]
            pub(super) env: BTreeMap<String, String>,
            /// The queue to wait in.
            #[serde(default, deserialize_with = "optional_text")]
            #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
            pub(super) queue: Option<String>,
            /// 0 to 10, 10 first.
            #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
            pub(super) priority: Option<u8>,
            /// The longest the command may run, in seconds.
            #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
            pub(super) timeout_seconds: Option<u64>,
            /// How many times the command may be run until it passes.
            #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
            pub(super) max_attempts: Option<u32>,
            /// What failures are followed by another attempt, and when.
            pub(super) retry: Option<Retry>,
            /// Exit codes by which the command says that it had nothing to do here, 1 to 255: the
            /// job is passed and skipped.
            #[serde(default)]
            #[cfg_attr(test, schemars(with = "Vec<schema::ExitCode>"))]
            pub(super) skip_exit_codes: Vec<u8>,
            /// Absolute paths that must be readable before the command is started.
            #[serde(default)]
            #[cfg_attr(test, schemars(with = "Vec<schema::Text>"))]
            pub(super) inputs: Vec<String>,
            /// Where the command writes JUnit files, below its working directory: `*` stands for
            /// any text of a name, `?` for one character, `**` for any number of directories.
            #[serde(default)]
            #[cfg_attr(test, schemars(with = "Vec<schema::Text>"))]
            pub(super) junit: Vec<String>,
            /// How long the command may write nothing, in seconds.
            #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
            pub(super) silence_seconds: Option<u64>,
            /// How much of each of its streams is stored, in bytes: head and tail.
            #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
            pub(super) max_output_bytes: Option<u64>,
            /// How much memory it may use, in MiB.
            #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
            pub(super) max_memory_mb: Option<u64>,
            /// How many descriptors each of its processes may have open.
            #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
            pub(super) max_open_files: Option<u64>,
            /// How much processor time each of its processes may use, in seconds.
            #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
            pub(super) max_cpu_seconds: Option<u64>,
        }
    };
}

with_shared_fields! {
    /// What holds for every job that does not say otherwise.
    #[expect(dead_code, reason = "what they hold is read as part of each job")]
    struct Defaults {}
}

with_shared_fields! {
    /// A job, or with a matrix as many as it has combinations.
    #[cfg_attr(test, schemars(extend("required" = ["name"])))]
    struct Job {
        /// What people call it.
        #[serde(default, deserialize_with = "optional_text")]
        #[cfg_attr(test, schemars(with = "schema::Text"))]
        pub(super) name: Option<String>,
        /// The program and its arguments, handed over as they are; no shell reads them.
        #[cfg_attr(test, schemars(with = "Option<Vec<schema::Text>>"))]
        pub(super) command: Option<Vec<String>>,
        /// A script that `/bin/sh -c` runs, instead of a command.
        #[serde(default, deserialize_with = "optional_text")]
        #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
        pub(super) shell: Option<String>,
        /// Anything you want to find again beside the job.
        #[serde(default)]
        pub(super) payload: Map<String, Value>,
        /// Which test of the series it is; that of its name, if it is left out.
        #[serde(default, deserialize_with = "optional_text")]
        #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
        pub(super) test: Option<String>,
        /// In which variant it runs that test; the combination of its matrix, if it is left out.
        #[cfg_attr(test, schemars(with = "Option<BTreeMap<String, schema::Text>>"))]
        pub(super) variant: Option<BTreeMap<String, String>>,
        /// What the test draws its random numbers from; no part of what the test is.
        #[serde(default, deserialize_with = "optional_text")]
        #[cfg_attr(test, schemars(with = "Option<schema::Text>"))]
        pub(super) seed: Option<String>,
        /// Names and their values: one job for each combination.
        #[serde(default, rename = "matrix")]
        #[cfg_attr(test, schemars(with = "schema::Matrix"))]
        _matrix: IgnoredAny,
    }
}

/// What failures are followed by another attempt, and when.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Retry {
    /// Exit codes, 1 to 255, and `signal`, `timeout`, `silent`; empty is every failure.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<schema::Failure>"))]
    on: Vec<On>,
    /// The first pause, in seconds.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "schema::Number"))]
    delay_seconds: u64,
    /// What each further pause is multiplied with, 1 to 10.
    #[cfg_attr(test, schemars(with = "Option<schema::Number>"))]
    backoff: Option<f64>,
}

impl From<Retry> for jobrunner_core::retry::Retry {
    fn from(retry: Retry) -> Self {
        let default = Self::default();
        Self {
            on: retry.on.into_iter().map(|On(on)| on).collect(),
            delay_seconds: retry.delay_seconds,
            backoff: retry.backoff.unwrap_or(default.backoff),
        }
    }
}

/// A failure, as it is written.
#[derive(Clone, Copy, Debug)]
struct On(RetryOn);

impl<'de> Deserialize<'de> for On {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer);
        // What is no text is no failure either.
        let parsed = text.ok().and_then(|text| text.parse().ok());
        parsed.map(Self).ok_or_else(|| D::Error::custom(jobrunner_core::retry::UnknownFailure))
    }
}
