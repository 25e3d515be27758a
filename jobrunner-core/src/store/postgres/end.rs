//! Ends of attempts, reported or not: what is decided about them, and the one statement that writes it.

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    rows::{code, number, stored},
    sql, store_error,
    tally::Tally,
};
use crate::{
    Result, Status,
    job::Reason,
    lease::{Finish, LeaseRef, LeaseToken},
    retry::{self, History},
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
    tally: Tally,
}

impl Ends {
    /// Decides what follows the end of an attempt, and answers where its job will stand.
    pub(super) fn add(&mut self, held: &Held, report: &Finish) -> Result<Status> {
        let outcome = &report.outcome;
        let history = History {
            attempt: number(held.attempts)?,
            losses: number(held.losses)?,
            max_attempts: number(held.max_attempts)?,
            cancel_requested: held.cancel,
        };
        let status = super::step(Status::Running, retry::next(outcome.reason, history))?;
        let lost = i64::from(outcome.reason == Some(Reason::WorkerLost));
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
        self.losses.push(held.losses + lost);
        self.tally.moved(held.owner_id, held.batch_id, Status::Running, status);
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
