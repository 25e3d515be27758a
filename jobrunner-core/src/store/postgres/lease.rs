//! What is read and written of leases, all of a group by one statement.

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{sql, store_error};
use crate::{
    Result,
    job::Reason,
    lease::{LeaseRef, LeaseToken},
    store::engine::{
        decide::{Decision, End, Held, Orphan},
        results::{Results, TestEnd},
    },
};

/// Those of the leases that are held, locked in order.
pub(super) async fn held(connection: &mut PgConnection, leases: &[LeaseRef]) -> Result<Vec<Held>> {
    let (jobs, tokens) = columns(leases);
    let held = sqlx::query_as(sql!("lease/held")).bind(jobs).bind(tokens);
    held.fetch_all(connection).await.map_err(store_error)
}

/// Those of the leases that a report was accepted of before.
pub(super) async fn reported(
    connection: &mut PgConnection,
    leases: &[LeaseRef],
) -> Result<HashSet<LeaseRef>> {
    let (jobs, tokens) = columns(leases);
    let reported = sqlx::query_as(sql!("attempt/reported")).bind(jobs).bind(tokens);
    let found: Vec<(Uuid, i64)> = reported.fetch_all(connection).await.map_err(store_error)?;
    let lease = |(job, token): (Uuid, i64)| LeaseRef { job: job.into(), token: LeaseToken(token) };
    Ok(found.into_iter().map(lease).collect())
}

/// Those of the leased jobs that a worker on another host could take.
pub(super) async fn elsewhere(connection: &mut PgConnection, jobs: Vec<Uuid>) -> Result<Vec<Uuid>> {
    let elsewhere = sqlx::query_scalar(sql!("lease/elsewhere")).bind(jobs);
    elsewhere.fetch_all(connection).await.map_err(store_error)
}

/// A group of the leases of sessions that are gone, or of all leases, locked.
pub(super) async fn orphans(connection: &mut PgConnection, all: bool) -> Result<Vec<Orphan>> {
    let orphans = sqlx::query_as(sql!("lease/orphans")).bind(all);
    orphans.fetch_all(connection).await.map_err(store_error)
}

/// Writes what was decided, but for the counts.
pub(super) async fn end(connection: &mut PgConnection, decision: Decision) -> Result<()> {
    if !decision.ends.is_empty() {
        causes(connection, &decision.results).await?;
        let mut columns = Columns::default();
        decision.results.rows.into_iter().for_each(|end| columns.results.push(end));
        decision.ends.into_iter().for_each(|end| columns.push(end));
        columns.write(connection).await?;
    }
    if !decision.unstarted.is_empty() {
        let (jobs, tokens) = columns(&decision.unstarted);
        let put_back = sqlx::query(sql!("lease/return")).bind(jobs).bind(tokens);
        put_back.execute(connection).await.map_err(store_error)?;
    }
    Ok(())
}

/// Writes the causes that are not known yet.
async fn causes(connection: &mut PgConnection, results: &Results) -> Result<()> {
    if results.causes.is_empty() {
        return Ok(());
    }
    let causes = results.causes.values();
    let reasons = causes.clone().map(|cause| cause.reason.map(Reason::as_str));
    sqlx::query(sql!("cause/insert"))
        .bind(results.causes.keys().copied().collect::<Vec<_>>())
        .bind(reasons.collect::<Vec<_>>())
        .bind(causes.clone().map(|cause| cause.exit_code).collect::<Vec<_>>())
        .bind(causes.clone().map(|cause| cause.signal.clone()).collect::<Vec<_>>())
        .bind(causes.map(|cause| cause.error_line.clone()).collect::<Vec<_>>())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Leases as the two arrays that statements take.
fn columns(leases: &[LeaseRef]) -> (Vec<Uuid>, Vec<i64>) {
    leases.iter().map(|lease| (lease.job.as_uuid(), lease.token.0)).unzip()
}

/// Ends as the arrays that the statement takes.
#[derive(Default)]
struct Columns {
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
    alone: Vec<bool>,
    reports: Vec<Option<String>>,
    results: ResultColumns,
}

/// What became of tests, as the arrays that the statement takes.
#[derive(Default)]
struct ResultColumns {
    jobs: Vec<Uuid>,
    tests: Vec<i64>,
    runs: Vec<i64>,
    causes: Vec<i64>,
    durations: Vec<i32>,
    hosts: Vec<String>,
    outcomes: Vec<i16>,
    attempts: Vec<i16>,
}

impl ResultColumns {
    fn push(&mut self, end: TestEnd) {
        self.jobs.push(end.job);
        self.tests.push(end.test);
        self.runs.push(end.run);
        self.causes.push(end.cause);
        self.durations.push(end.duration_ms);
        self.hosts.push(end.host);
        self.outcomes.push(end.outcome);
        self.attempts.push(end.attempts);
    }
}

impl Columns {
    async fn write(self, connection: &mut PgConnection) -> Result<()> {
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
            .bind(self.alone)
            .bind(self.reports)
            .bind(self.results.jobs)
            .bind(self.results.tests)
            .bind(self.results.runs)
            .bind(self.results.causes)
            .bind(self.results.durations)
            .bind(self.results.hosts)
            .bind(self.results.outcomes)
            .bind(self.results.attempts)
            .execute(connection)
            .await
            .map(|_| ())
            .map_err(store_error)
    }

    fn push(&mut self, end: End) {
        self.jobs.push(end.job);
        self.tokens.push(end.token);
        self.statuses.push(end.status);
        self.exit_codes.push(end.exit_code);
        self.signals.push(end.signal);
        self.reasons.push(end.reason);
        self.errors.push(end.error);
        self.durations.push(end.duration_ms);
        self.stdout_bytes.push(end.stdout_bytes);
        self.stderr_bytes.push(end.stderr_bytes);
        self.truncated.push(end.truncated);
        self.job_statuses.push(end.job_status);
        self.losses.push(end.losses);
        self.delays.push(end.delay_ms);
        self.avoids.push(end.avoid_ms);
        self.flaky.push(end.flaky);
        self.error_lines.push(end.error_line);
        self.alone.push(end.alone);
        self.reports.push(end.report);
    }
}
