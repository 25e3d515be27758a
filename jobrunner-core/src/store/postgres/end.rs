//! Ends of attempts, reported or not: what is decided about them, and the one statement that writes it.

use std::collections::HashSet;

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    rows::{code, millis, number, parse, stored},
    sql, store_error,
    tally::Tally,
};
use crate::{
    Result, Status,
    job::Reason,
    lease::{Finish, LeaseRef, LeaseToken},
    retry::{self, AVOID, History, Retry},
};

/// A locked lease with what decides about the end of its attempt.
#[derive(FromRow)]
pub(super) struct Held {
    pub(super) job_id: Uuid,
    token: i64,
    owner_id: Uuid,
    pub(super) batch_id: Option<Uuid>,
    pub(super) attempts: i64,
    losses: i64,
    cancel: bool,
    max_attempts: i64,
    retry: Option<String>,
    pub(super) is_started: bool,
    /// How long it has been running.
    pub(super) ran_ms: i64,
}

impl Held {
    pub(super) fn lease(&self) -> LeaseRef {
        LeaseRef { job: self.job_id.into(), token: LeaseToken(self.token) }
    }
}

/// Ends that are written together.
#[derive(Default)]
pub(super) struct Ends {
    jobs: Vec<Uuid>,
    tokens: Vec<i64>,
    statuses: Vec<i16>,
    exit_codes: Vec<Option<i32>>,
    signals: Vec<Option<String>>,
    reasons: Vec<Option<&'static str>>,
    errors: Vec<Option<String>>,
    durations: Vec<i64>,
    stdout_bytes: Vec<i64>,
    stderr_bytes: Vec<i64>,
    truncated: Vec<bool>,
    job_statuses: Vec<i16>,
    losses: Vec<i64>,
    delays: Vec<i64>,
    avoids: Vec<i64>,
    flaky: Vec<bool>,
    error_lines: Vec<Option<String>>,
    /// Those of the jobs that a worker on another host could take.
    elsewhere: HashSet<Uuid>,
    tally: Tally,
}

impl Ends {
    /// Nothing yet. Of the reports that are about the worker and not about the command, finds out whether
    /// another host could take the job.
    pub(super) async fn of(
        connection: &mut PgConnection,
        reports: impl Iterator<Item = (Uuid, Option<Reason>)>,
    ) -> Result<Self> {
        let is_of_worker = |reason: Option<Reason>| reason.is_some_and(retry::is_of_the_worker);
        let jobs: Vec<Uuid> = reports.filter(|(_, why)| is_of_worker(*why)).map(|r| r.0).collect();
        let mut ends = Self::default();
        if !jobs.is_empty() {
            let found: Vec<Uuid> = sqlx::query_scalar(sql!("lease/elsewhere"))
                .bind(jobs)
                .fetch_all(connection)
                .await
                .map_err(store_error)?;
            ends.elsewhere = found.into_iter().collect();
        }
        Ok(ends)
    }

    /// Decides what follows the end of an attempt, and answers where its job will stand.
    pub(super) fn add(&mut self, held: &Held, report: &Finish) -> Result<Status> {
        let outcome = &report.outcome;
        let policy: Option<Retry> = held.retry.as_deref().map(parse).transpose()?;
        let history = History {
            attempt: number(held.attempts)?,
            losses: number(held.losses)?,
            max_attempts: number(held.max_attempts)?,
            retry: policy.as_ref(),
            cancel_requested: held.cancel,
            elsewhere: self.elsewhere.contains(&held.job_id),
        };
        let next = retry::next(outcome.reason, outcome.exit_code, history);
        let status = super::step(Status::Running, next.change)?;
        let is_flaky = status == Status::Passed && history.is_flaky();
        let duration = u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX);
        self.jobs.push(held.job_id);
        self.tokens.push(held.token);
        self.statuses.push(small(outcome.status()));
        self.exit_codes.push(outcome.exit_code);
        self.signals.push(outcome.signal.clone());
        self.reasons.push(outcome.reason.map(Reason::as_str));
        self.errors.push(outcome.error.clone());
        self.durations.push(stored(duration));
        self.stdout_bytes.push(stored(report.stdout_bytes));
        self.stderr_bytes.push(stored(report.stderr_bytes));
        self.truncated.push(report.truncated);
        self.job_statuses.push(small(status));
        self.losses.push(held.losses + i64::from(next.is_free));
        self.delays.push(millis(next.delay));
        self.avoids.push(if history.elsewhere { millis(AVOID) } else { 0 });
        self.flaky.push(is_flaky);
        self.error_lines.push(report.error_line.clone());
        self.tally.moved(held.owner_id, held.batch_id, Status::Running, status);
        self.tally.flaky(held.batch_id, i64::from(is_flaky));
        Ok(status)
    }

    /// Writes them; answers what is left to be counted.
    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<Tally> {
        if self.jobs.is_empty() {
            return Ok(self.tally);
        }
        sqlx::query(sql!("lease/end"))
            .bind(self.jobs)
            .bind(self.tokens)
            .bind(self.statuses)
            .bind(self.exit_codes)
            .bind(self.signals)
            .bind(self.reasons)
            .bind(self.errors)
            .bind(self.durations)
            .bind(self.stdout_bytes)
            .bind(self.stderr_bytes)
            .bind(self.truncated)
            .bind(self.job_statuses)
            .bind(self.losses)
            .bind(self.delays)
            .bind(self.avoids)
            .bind(self.flaky)
            .bind(self.error_lines)
            .execute(connection)
            .await
            .map_err(store_error)?;
        Ok(self.tally)
    }
}

/// A status as the columns have it; one that is to be waited in again is 0.
fn small(status: Status) -> i16 {
    code(status) as i16
}
