//! Writes ends of attempts, all of a group by one statement.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    ends::{End, Ends, of_the_worker},
    sql, store_error,
};
use crate::{Result, job::Reason};

/// No ends yet, knowing which of these reports are of jobs that another host could take.
pub(super) async fn ends(
    connection: &mut PgConnection,
    reports: impl Iterator<Item = (Uuid, Option<Reason>)>,
) -> Result<Ends> {
    let jobs = of_the_worker(reports);
    if jobs.is_empty() {
        return Ok(Ends::default());
    }
    let found: Vec<Uuid> = sqlx::query_scalar(sql!("lease/elsewhere"))
        .bind(jobs)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    Ok(Ends::knowing(found.into_iter().collect()))
}

/// Writes the ends, but for the counts.
pub(super) async fn write(connection: &mut PgConnection, ends: Ends) -> Result<()> {
    if ends.rows.is_empty() {
        return Ok(());
    }
    let mut columns = Columns::default();
    ends.rows.into_iter().for_each(|end| columns.push(end));
    sqlx::query(sql!("lease/end"))
        .bind(columns.jobs)
        .bind(columns.tokens)
        .bind(columns.statuses)
        .bind(columns.exit_codes)
        .bind(columns.signals)
        .bind(columns.reasons)
        .bind(columns.errors)
        .bind(columns.durations)
        .bind(columns.stdout_bytes)
        .bind(columns.stderr_bytes)
        .bind(columns.truncated)
        .bind(columns.job_statuses)
        .bind(columns.losses)
        .bind(columns.delays)
        .bind(columns.avoids)
        .bind(columns.flaky)
        .bind(columns.error_lines)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// The rows as the arrays that the statement takes.
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
}

impl Columns {
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
    }
}
