//! Jobs as they are asked for.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, Utc};
use jobrunner_core::{job, retry, series, strict};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    job::{OptionalSeed, RetryOn},
    pattern,
};

/// A job as it is asked for. Missing fields, and those that are null, take the service's defaults.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewJob {
    /// What people call it; need not be unique. At most 255 bytes of UTF-8 on one line, of which
    /// something can be seen; kept as it is sent.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    name: String,
    /// The program and its arguments, handed over as they are; no shell reads them. Each has less
    /// than 128 KiB, all of them and `env` together at most 1,900,000 bytes.
    #[schemars(length(min = 1), inner(length(max = 131_071), regex(pattern = pattern::TEXT)))]
    command: Vec<String>,
    /// The absolute directory to run in, without `..`.
    #[schemars(length(min = 1, max = 4096), regex(pattern = pattern::PATH))]
    working_dir: Option<String>,
    /// Variables added to the clean environment. Names have letters, digits and `_`, do not start
    /// with a digit nor with `JOBRUNNER_`, and are not of those that load something, such as
    /// `LD_PRELOAD`. Each has less than 128 KiB with its name.
    #[serde(default, deserialize_with = "strict::once")]
    #[schemars(with = "BTreeMap<String, Variable>")]
    env: BTreeMap<String, String>,
    /// Anything you want to find again beside the job; at most 64 KiB of JSON, nested 64 deep.
    #[serde(default, deserialize_with = "strict::once")]
    payload: Map<String, Value>,
    /// The project that it belongs to, whose members see it; none, if left out. Of a member of a
    /// batch that of the batch.
    #[schemars(length(min = 1, max = 63), regex(pattern = pattern::PROJECT))]
    project: Option<String>,
    /// The queue to wait in.
    #[schemars(length(min = 1, max = 64), regex(pattern = pattern::QUEUE))]
    queue: Option<String>,
    /// 10 first, default 5; orders your own jobs within a queue.
    #[schemars(range(min = 0, max = 10))]
    priority: Option<u8>,
    /// The longest the command may run; lowered to what the operator allows. Time in the queue does
    /// not count.
    #[schemars(range(min = 1))]
    timeout_seconds: Option<u64>,
    /// Not before this time, which is within the next ten years.
    scheduled_at: Option<DateTime<Utc>>,
    /// How many times the command may be run until it passes; default 1.
    #[schemars(range(min = 1, max = 100))]
    max_attempts: Option<u32>,
    /// Which failures are followed by another attempt, and when; all at once, if left out.
    #[serde(default, deserialize_with = "strict::object")]
    retry: Option<NewRetry>,
    /// Exit codes by which the command says that it had nothing to do here: the job is `passed` and
    /// `skipped`. No other attempt follows them, whatever `retry` says.
    #[serde(default)]
    #[schemars(length(max = 255), inner(range(min = 1, max = 255)))]
    skip_exit_codes: Vec<i32>,
    /// Absolute paths that must be readable before the command is started.
    #[serde(default)]
    #[schemars(
        length(max = 1000),
        inner(length(min = 1, max = 4096), regex(pattern = pattern::PATH))
    )]
    inputs: Vec<String>,
    /// Where the command writes JUnit files, below its working directory: `*` stands for any text
    /// of a name, `?` for one character, `**` for any number of directories. When it has ended,
    /// those that it has written are read, 64 MiB and 100,000 cases of a job at most; `report`
    /// tells what could not be, and nothing else changes.
    #[serde(default)]
    #[schemars(
        length(max = 32),
        inner(length(min = 1, max = 1024), regex(pattern = pattern::GLOB))
    )]
    junit: Vec<String>,
    /// The longest the command may write nothing; then it is killed, with the reason `silent`.
    #[schemars(range(min = 1))]
    silence_seconds: Option<u64>,
    /// How much of each stream is stored, head and tail, if it is less than what the operator
    /// allows.
    #[schemars(range(min = 1))]
    max_output_bytes: Option<u64>,
    /// How many MiB of memory all its processes together may use where the worker has control
    /// groups (`containment` is `cgroup_v2`), else each of them as address space.
    #[schemars(range(min = 1))]
    max_memory_mb: Option<u64>,
    /// How many descriptors each of its processes may have open.
    #[schemars(range(min = 16))]
    max_open_files: Option<u64>,
    /// How much processor time each of its processes may use.
    #[schemars(range(min = 1))]
    max_cpu_seconds: Option<u64>,
    /// Which test of its batch's series it is: that of its name, if it is left out. At most 255
    /// bytes of UTF-8 on one line, of which something can be seen.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    test: Option<String>,
    /// In which variant it runs that test: at most 8 keys of at most 64 letters, digits, `.`, `_`
    /// and `-`, with values of at most 255 bytes on one line.
    #[serde(default, deserialize_with = "strict::once")]
    #[schemars(with = "Variant")]
    variant: series::Variant,
    /// What the test draws its random numbers from, a whole number or a text of at most 255 bytes.
    /// It is kept and shown, and no part of what the test is.
    #[serde(default)]
    #[schemars(with = "OptionalSeed")]
    seed: Option<series::Seed>,
}

/// The schema of a variant.
pub(super) enum Variant {}

impl JsonSchema for Variant {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Variant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "maxProperties": series::MAX_VARIANT_KEYS,
            "additionalProperties": {
                "type": "string", "minLength": 1, "maxLength": 255, "pattern": pattern::NAME,
            },
        })
    }
}

/// The schema of a variable's value.
enum Variable {}

impl JsonSchema for Variable {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Variable".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": pattern::TEXT})
    }
}

impl From<NewJob> for job::NewJob {
    fn from(job: NewJob) -> Self {
        let NewJob {
            name,
            command,
            working_dir,
            env,
            payload,
            project,
            queue,
            priority,
            timeout_seconds,
            scheduled_at,
            max_attempts,
            retry,
            skip_exit_codes,
            inputs,
            junit,
            silence_seconds,
            max_output_bytes,
            max_memory_mb,
            max_open_files,
            max_cpu_seconds,
            test,
            variant,
            seed,
        } = job;
        Self {
            name,
            command,
            working_dir,
            env,
            payload,
            project,
            queue,
            priority,
            timeout_seconds,
            scheduled_at,
            max_attempts,
            retry: retry.map(Into::into),
            skip_exit_codes,
            inputs,
            junit,
            silence_seconds,
            max_output_bytes,
            max_memory_mb,
            max_open_files,
            max_cpu_seconds,
            test,
            variant,
            seed,
        }
    }
}

/// Which failures of a command are followed by another attempt, as long as `max_attempts` allows
/// one. The pause before the nth repetition is `delay_seconds × backoff^(n-1)`, one hour at most.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRetry {
    /// Exit codes, and words for other failures; every failure if left out.
    #[serde(default)]
    #[schemars(with = "Vec<RetryOn>")]
    on: Vec<retry::RetryOn>,
    /// The first pause.
    #[serde(default)]
    #[schemars(range(min = 0, max = 3600))]
    delay_seconds: u64,
    /// What each further pause is multiplied with.
    #[serde(default = "no_backoff")]
    #[schemars(range(min = 1, max = 10))]
    backoff: f64,
}

const fn no_backoff() -> f64 {
    1.0
}

impl From<NewRetry> for retry::Retry {
    fn from(retry: NewRetry) -> Self {
        let NewRetry { on, delay_seconds, backoff } = retry;
        Self { on, delay_seconds, backoff }
    }
}
