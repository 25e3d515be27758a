//! Jobs as they are shown.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use jobrunner_core::{
    job::{self, JobSpec},
    retry, series,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{HoldReason, Reason, Report, RetryKind, Status, pattern};

/// A job as it stands.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Job {
    id: Uuid,
    owner_id: Uuid,
    /// The batch it is a member of.
    batch_id: Option<Uuid>,
    /// The job that it repeats, which may have been deleted since.
    rerun_of: Option<Uuid>,
    name: String,
    /// The program and its arguments.
    command: Vec<String>,
    working_dir: String,
    env: BTreeMap<String, String>,
    payload: Map<String, Value>,
    /// The project that it belongs to.
    project: Option<String>,
    queue: String,
    /// 0 to 10, 10 first.
    priority: u8,
    timeout_seconds: u64,
    /// It is not started before this time.
    scheduled_at: Option<DateTime<Utc>>,
    max_attempts: u32,
    /// Which failures are followed by another attempt, and when; null is all, at once.
    retry: Option<Retry>,
    /// Exit codes by which it passes and is skipped.
    #[schemars(inner(range(min = 1, max = 255)))]
    skip_exit_codes: Vec<i32>,
    inputs: Vec<String>,
    /// Where the command writes JUnit files, below its working directory.
    junit: Vec<String>,
    silence_seconds: Option<u64>,
    max_output_bytes: Option<u64>,
    max_memory_mb: Option<u64>,
    max_open_files: Option<u64>,
    max_cpu_seconds: Option<u64>,
    /// Which test of its batch's series it is; null is that of its name.
    test: Option<String>,
    /// In which variant it runs that test.
    variant: BTreeMap<String, String>,
    /// What the test draws its random numbers from.
    #[schemars(with = "OptionalSeed")]
    seed: Option<series::Seed>,
    status: Status,
    /// How many attempts were started, the running one included.
    attempt: u32,
    created_at: DateTime<Utc>,
    /// When the running or last attempt was started; null while it waits.
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    /// How the last attempt ended; null until the job has ended.
    result: Option<JobResult>,
    /// Why it did not pass, in one sentence.
    error: Option<String>,
    /// Whether it passed after an attempt that failed.
    flaky: bool,
    /// Whether it passed by one of its `skip_exit_codes`; then it is not flaky.
    skipped: bool,
    /// What the JUnit files of the last attempt say; null until the job has ended, and if it names
    /// none.
    report: Option<Report>,
}

impl From<job::Job> for Job {
    fn from(job: job::Job) -> Self {
        let job::Job {
            id,
            owner_id,
            batch_id,
            spec,
            status,
            attempt,
            created_at,
            started_at,
            finished_at,
            result,
            error,
            flaky,
            skipped,
            report,
        } = job;
        let JobSpec {
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
            rerun_of,
        } = spec;
        Self {
            id: id.as_uuid(),
            owner_id: owner_id.as_uuid(),
            batch_id: batch_id.map(|id| id.as_uuid()),
            rerun_of: rerun_of.map(|id| id.as_uuid()),
            name,
            command,
            working_dir,
            env,
            payload,
            project: project.map(Into::into),
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
            status: status.into(),
            attempt,
            created_at,
            started_at,
            finished_at,
            result: result.map(Into::into),
            error,
            flaky,
            skipped,
            report: report.map(Into::into),
        }
    }
}

/// Which failures of a command are followed by another attempt, and when.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Retry {
    /// Exit codes, and words for other failures; empty is every failure.
    #[schemars(with = "Vec<RetryOn>")]
    on: Vec<retry::RetryOn>,
    /// The first pause.
    delay_seconds: u64,
    /// What each further pause is multiplied with.
    backoff: f64,
}

impl From<retry::Retry> for Retry {
    fn from(retry: retry::Retry) -> Self {
        let retry::Retry { on, delay_seconds, backoff } = retry;
        Self { on, delay_seconds, backoff }
    }
}

/// The schema of [`retry::RetryOn`].
pub(super) enum RetryOn {}

impl JsonSchema for RetryOn {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RetryOn".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An exit code, or a kind of failure.",
            "oneOf": [
                {"type": "integer", "format": "int32", "minimum": 1, "maximum": 255},
                generator.subschema_for::<RetryKind>(),
            ],
        })
    }
}

/// The schema of [`series::Seed`], or null.
pub(super) enum OptionalSeed {}

impl JsonSchema for OptionalSeed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OptionalSeed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [
                {"type": "integer", "format": "int64"},
                {"type": "string", "minLength": 1, "maxLength": 255, "pattern": pattern::NAME},
                {"type": "string", "enum": [null], "nullable": true},
            ],
        })
    }
}

/// How an attempt ended.
#[derive(Serialize, JsonSchema)]
pub(crate) struct JobResult {
    /// What the command returned; null if it did not end by itself or was never started.
    exit_code: Option<i32>,
    /// The signal that ended it, as `SIGKILL`.
    signal: Option<String>,
    /// Why it did not pass; null if it did.
    reason: Option<Reason>,
    duration_ms: u64,
    /// What the command wrote, stored or not.
    stdout_bytes: u64,
    /// What the command wrote, stored or not.
    stderr_bytes: u64,
    /// Whether part of the output was left out of storage.
    truncated: bool,
    /// The worker that ran it.
    worker_id: Option<Uuid>,
}

impl From<job::JobResult> for JobResult {
    fn from(result: job::JobResult) -> Self {
        let job::JobResult {
            exit_code,
            signal,
            reason,
            duration_ms,
            stdout_bytes,
            stderr_bytes,
            truncated,
            worker_id,
        } = result;
        Self {
            exit_code,
            signal,
            reason: reason.map(Into::into),
            duration_ms,
            stdout_bytes,
            stderr_bytes,
            truncated,
            worker_id: worker_id.map(|id| id.as_uuid()),
        }
    }
}

/// One start of a job's command.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Attempt {
    /// 1 for the first.
    attempt: u32,
    /// `running`, or how this attempt ended.
    status: Status,
    /// The worker that ran it.
    worker_id: Option<Uuid>,
    /// The host of that worker, if it is known.
    worker_host: Option<String>,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    /// How it ended; null while it runs.
    result: Option<JobResult>,
    /// Why it did not pass, in one sentence.
    error: Option<String>,
    /// What its JUnit files say; null while it runs, and if the job names none.
    report: Option<Report>,
}

impl From<job::Attempt> for Attempt {
    fn from(of_core: job::Attempt) -> Self {
        let job::Attempt {
            attempt,
            status,
            worker_id,
            worker_host,
            started_at,
            finished_at,
            result,
            error,
            report,
        } = of_core;
        Self {
            attempt,
            status: status.into(),
            worker_id: worker_id.map(|id| id.as_uuid()),
            worker_host,
            started_at,
            finished_at,
            result: result.map(Into::into),
            error,
            report: report.map(Into::into),
        }
    }
}

/// Why a job that waits is not started yet.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Hold {
    reason: HoldReason,
    /// One sentence for people, with what ends it.
    message: String,
    /// When it ends by itself; null if that is not known.
    until: Option<DateTime<Utc>>,
}

impl From<job::Hold> for Hold {
    fn from(hold: job::Hold) -> Self {
        let job::Hold { reason, message, until } = hold;
        Self { reason: reason.into(), message, until }
    }
}
