//! What commands write.

use std::borrow::Cow;

use jobrunner_core::{JobId, log::LogInfo};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Status, Stream};

/// A job's output.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Logs {
    job_id: Uuid,
    /// Which attempt wrote it; 0 when none was started.
    attempt: u32,
    status: Status,
    /// Bytes that are not UTF-8 are replaced here; the raw stream has them as they were written.
    stdout: String,
    /// Bytes that are not UTF-8 are replaced here; the raw stream has them as they were written.
    stderr: String,
    /// What the command wrote so far, stored or not.
    stdout_bytes: u64,
    /// What the command wrote so far, stored or not.
    stderr_bytes: u64,
    /// Whether part of the output was left out of storage.
    truncated: bool,
    /// Whether nothing will be added any more.
    complete: bool,
}

impl Logs {
    /// What is known of a job's output, without the output.
    pub(crate) fn about(job: JobId, info: LogInfo) -> Self {
        Self {
            job_id: job.as_uuid(),
            attempt: info.attempt,
            status: info.status.into(),
            stdout: String::new(),
            stderr: String::new(),
            stdout_bytes: info.stdout.written,
            stderr_bytes: info.stderr.written,
            truncated: info.truncated,
            complete: info.complete(),
        }
    }
}

/// The data of an event of a job that is followed.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct LogEvent<'a> {
    pub(crate) attempt: u32,
    /// `stdout` or `stderr`, for `output` and `gap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Stream")]
    pub(crate) stream: Option<Stream>,
    /// How many bytes had been written to the stream before, for `output` and `gap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub(crate) offset: Option<u64>,
    /// For `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) text: Option<Cow<'a, str>>,
    /// For `output` that is not UTF-8: all of its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) base64: Option<String>,
    /// For `gap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub(crate) omitted_bytes: Option<u64>,
    /// For `status` and `end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Status")]
    pub(crate) status: Option<Status>,
}
