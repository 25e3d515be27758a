//! How single values are stored, in the two stores of this crate alike.

use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, ProjectName, Result, Status, executor::Containment, job::Reason, log::Stream,
    report::CaseStatus, series::Gate,
};

/// How a status is stored.
#[must_use]
pub const fn code(status: Status) -> i16 {
    match status {
        Status::Waiting => 0,
        Status::Running => 1,
        Status::Passed => 2,
        Status::Failed => 3,
        Status::Canceled => 4,
    }
}

/// How a stream is stored.
#[must_use]
pub const fn stream_code(stream: Stream) -> i16 {
    match stream {
        Stream::Stdout => 1,
        Stream::Stderr => 2,
    }
}

/// The status with a code.
///
/// # Errors
/// There is none.
pub fn status(stored: i64) -> Result<Status> {
    let known = Status::ALL.into_iter().find(|status| i64::from(code(*status)) == stored);
    known.ok_or_else(|| damaged("a status", format!("unknown code {stored}")))
}

/// The reason with a word.
///
/// # Errors
/// There is none.
pub fn reason(stored: &str) -> Result<Reason> {
    stored.parse().map_err(|error| damaged("a reason", error))
}

/// The gate with a word.
///
/// # Errors
/// There is none.
pub fn gate(stored: &str) -> Result<Gate> {
    stored.parse().map_err(|error| damaged("a gate", error))
}

/// The project with a name.
///
/// # Errors
/// It is no name of a project.
pub fn project(stored: &str) -> Result<ProjectName> {
    stored.parse().map_err(|error| damaged("the name of a project", error))
}

/// How the status of a case is stored: as that of a job, but for what was skipped.
#[must_use]
pub const fn case_code(status: CaseStatus) -> i16 {
    match status {
        CaseStatus::Passed => code(Status::Passed),
        CaseStatus::Failed => code(Status::Failed),
        CaseStatus::Skipped => 5,
    }
}

/// The status of a case with a code.
///
/// # Errors
/// There is none.
pub fn case_status(stored: i64) -> Result<CaseStatus> {
    let known = CaseStatus::ALL.into_iter().find(|status| i64::from(case_code(*status)) == stored);
    known.ok_or_else(|| damaged("the status of a case", format!("unknown code {stored}")))
}

/// The containment with a word.
///
/// # Errors
/// There is none.
pub fn containment(stored: &str) -> Result<Containment> {
    stored.parse().map_err(|error| damaged("a containment", error))
}

/// A time out of milliseconds since 1970 UTC.
///
/// # Errors
/// It is out of range.
pub fn time(stored: i64) -> Result<DateTime<Utc>> {
    let time = Utc.timestamp_millis_opt(stored).single();
    time.ok_or_else(|| damaged("a time", format!("{stored} is out of range")))
}

/// A number out of what is stored.
///
/// # Errors
/// It is out of range.
pub fn number<T: TryFrom<i64>>(stored: i64) -> Result<T>
where
    T::Error: std::error::Error + Send + Sync + 'static,
{
    T::try_from(stored).map_err(|e| damaged("a number", e))
}

/// A count of bytes or milliseconds as it is stored; what is beyond the largest is as good as it.
#[must_use]
pub fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A duration in whole milliseconds, as it is stored.
#[must_use]
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A value out of its JSON.
///
/// # Errors
/// It is not the JSON of such a value.
pub fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| damaged("stored JSON", e))
}

/// A value as JSON.
///
/// # Errors
/// It has none.
pub fn render<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::internal("writing JSON", e))
}

/// An error about something stored that this version cannot have stored.
pub(crate) fn damaged(
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::internal(what, source)
}
