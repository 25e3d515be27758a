//! Ends of attempts, reported or not: what follows for their jobs, decided the same way for every database.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    rows::{code, millis, number, parse, stored},
    step,
    tally::Tally,
};
use crate::{
    Result, Status,
    job::Reason,
    lease::{Finish, LeaseRef, LeaseToken},
    retry::{self, AVOID, History, Retry},
};

/// A lease with all that decides about the end of its attempt.
#[derive(FromRow)]
pub(super) struct Held {
    pub(super) job_id: Uuid,
    token: i64,
    pub(super) owner_id: Uuid,
    pub(super) batch_id: Option<Uuid>,
    /// The number of its attempt.
    pub(super) attempts: i64,
    losses: i64,
    pub(super) cancel: bool,
    max_attempts: i64,
    retry: Option<String>,
    /// Always, but for leases that a version without exchanges has claimed.
    pub(super) is_started: bool,
    /// How long it has been running.
    pub(super) ran_ms: i64,
}

impl Held {
    pub(super) fn lease(&self) -> LeaseRef {
        LeaseRef { job: self.job_id.into(), token: LeaseToken(self.token) }
    }
}

/// The end of one attempt, as it is written.
#[derive(Serialize)]
pub(super) struct End {
    #[serde(with = "uuid::serde::simple")]
    pub(super) job: Uuid,
    pub(super) token: i64,
    pub(super) status: i16,
    pub(super) exit_code: Option<i32>,
    pub(super) signal: Option<String>,
    pub(super) reason: Option<&'static str>,
    pub(super) error: Option<String>,
    pub(super) duration_ms: i64,
    pub(super) stdout_bytes: i64,
    pub(super) stderr_bytes: i64,
    pub(super) truncated: bool,
    /// The status of the job, 0 if it waits again.
    pub(super) job_status: i16,
    /// How many attempts cost the job no run.
    pub(super) losses: i64,
    /// After how many milliseconds the job may be claimed again.
    pub(super) delay_ms: i64,
    /// For how many it avoids the host it was on.
    pub(super) avoid_ms: i64,
    /// Whether it passed after it had failed.
    pub(super) flaky: bool,
    pub(super) error_line: Option<String>,
}

/// Ends that are written together.
#[derive(Default)]
pub(super) struct Ends {
    pub(super) rows: Vec<End>,
    /// Those of the jobs that a worker on another host could take.
    elsewhere: HashSet<Uuid>,
}

impl Ends {
    /// Nothing yet. `elsewhere` are the jobs among those of [`of_the_worker`] that another host could take.
    pub(super) fn knowing(elsewhere: HashSet<Uuid>) -> Self {
        Self { rows: Vec::new(), elsewhere }
    }

    /// Decides what follows the end of an attempt, and returns the status that its job will have.
    pub(super) fn add(
        &mut self,
        held: &Held,
        report: &Finish,
        tally: &mut Tally,
    ) -> Result<Status> {
        let outcome = &report.outcome;
        let policy: Option<Retry> = held.retry.as_deref().map(parse).transpose()?;
        let history = History {
            attempt: number(held.attempts)?,
            losses: number(held.losses)?,
            max_attempts: number(held.max_attempts)?,
            retry: policy.as_ref(),
            cancel_requested: held.cancel,
            elsewhere: self.elsewhere.contains(&held.job_id),
            salt: held.job_id.as_u64_pair().1,
        };
        let next = retry::next(outcome.reason, outcome.exit_code, history);
        let status = step(Status::Running, next.change)?;
        let flaky = status == Status::Passed && history.is_flaky();
        self.rows.push(End {
            job: held.job_id,
            token: held.token,
            status: small(outcome.status()),
            exit_code: outcome.exit_code,
            signal: outcome.signal.clone(),
            reason: outcome.reason.map(Reason::as_str),
            error: outcome.error.clone(),
            duration_ms: stored(u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX)),
            stdout_bytes: stored(report.stdout_bytes),
            stderr_bytes: stored(report.stderr_bytes),
            truncated: report.truncated,
            job_status: small(status),
            losses: held.losses + i64::from(next.is_free),
            delay_ms: millis(next.delay),
            avoid_ms: if history.elsewhere { millis(AVOID) } else { 0 },
            flaky,
            error_line: report.error_line.clone(),
        });
        tally.moved(held.owner_id, held.batch_id, Status::Running, status);
        tally.flaky(held.batch_id, i64::from(flaky));
        Ok(status)
    }
}

/// The jobs of reports that are about the worker and not about the command: another host may be able to
/// run them.
pub(super) fn of_the_worker(reports: impl Iterator<Item = (Uuid, Option<Reason>)>) -> Vec<Uuid> {
    let is_of_worker = |reason: Option<Reason>| reason.is_some_and(retry::is_of_the_worker);
    reports.filter(|(_, why)| is_of_worker(*why)).map(|(job, _)| job).collect()
}

/// A status as the columns have it; one that is to be waited in again is 0.
fn small(status: Status) -> i16 {
    code(status) as i16
}
