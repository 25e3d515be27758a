//! From rows to what is told of a batch as a whole.

use sqlx::FromRow;
use uuid::Uuid;

use super::rows::{number, reason};
use crate::{
    Result,
    insight::{Cause, NamedJob, Part},
};

/// A failed member, with how many failed alike. Those that did come one after the other.
#[derive(FromRow)]
pub(super) struct FailureRow {
    reason: Option<String>,
    exit_code: Option<i32>,
    signal: Option<String>,
    error_line: Option<String>,
    alike: i64,
    id: Uuid,
    name: String,
}

pub(super) fn causes(rows: Vec<FailureRow>) -> Result<Vec<Cause>> {
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
#[derive(FromRow)]
pub(super) struct PartRow {
    part: i64,
    started: i64,
    passed: i64,
    failed: i64,
}

pub(super) fn parts(rows: Vec<PartRow>, count: u32) -> Result<Vec<Part>> {
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
