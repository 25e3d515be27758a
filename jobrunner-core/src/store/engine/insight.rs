//! From rows to what is told of a batch as a whole.

#![expect(missing_docs, reason = "a field is the column of its name")]

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::values::{number, reason};
use crate::{
    Result,
    insight::{Cause, NamedJob, Part},
};

/// A failed member, with how many failed alike. Those that did come one after the other.
#[derive(Debug, FromRow)]
pub struct FailureRow {
    pub reason: Option<String>,
    pub exit_code: Option<i32>,
    pub signal: Option<String>,
    pub error_line: Option<String>,
    pub alike: i64,
    pub id: Uuid,
    pub name: String,
}

/// The failures, those that are alike gathered.
///
/// # Errors
/// A row cannot be read.
pub fn causes(rows: Vec<FailureRow>) -> Result<Vec<Cause>> {
    let mut causes: Vec<Cause> = Vec::new();
    for row in rows {
        let job = NamedJob { id: row.id.into(), name: row.name };
        let cause = Cause {
            reason: row.reason.as_deref().map(reason).transpose()?,
            exit_code: row.exit_code,
            signal: row.signal,
            error_line: row.error_line,
            count: number(row.alike)?,
            jobs: Vec::new(),
        };
        let is_alike = |last: &&mut Cause| {
            (last.reason, last.exit_code, &last.signal, &last.error_line)
                == (cause.reason, cause.exit_code, &cause.signal, &cause.error_line)
        };
        match causes.last_mut().filter(is_alike) {
            Some(last) => last.jobs.push(job),
            None => causes.push(Cause { jobs: vec![job], ..cause }),
        }
    }
    Ok(causes)
}

/// What happened in one part.
#[derive(Debug, FromRow)]
pub struct PartRow {
    pub part: i64,
    pub started: i64,
    pub passed: i64,
    pub failed: i64,
}

/// What happened in each of so many parts.
///
/// # Errors
/// A row cannot be read.
pub fn parts(rows: Vec<PartRow>, count: u32) -> Result<Vec<Part>> {
    let mut parts = vec![Part::default(); count as usize];
    for row in rows {
        let place: usize = number(row.part)?;
        if let Some(part) = parts.get_mut(place) {
            *part = Part {
                started: number(row.started)?,
                passed: number(row.passed)?,
                failed: number(row.failed)?,
            };
        }
    }
    Ok(parts)
}
