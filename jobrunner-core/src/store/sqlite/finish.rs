use std::time::Duration;

use sqlx::{FromRow, SqliteConnection};
use uuid::Uuid;

use super::{
    clock, log,
    rows::{code, millis, number, parse, stored},
    sql, store_error,
    tally::Tally,
};
use crate::{
    Result, Status,
    job::Reason,
    lease::{Finish, Finished, LeaseRef},
    log::Stream,
    retry::{self, AVOID, History, Retry},
};

pub(super) async fn finish(
    connection: &mut SqliteConnection,
    reports: &[Finish],
) -> Result<Vec<Finished>> {
    let mut tally = Tally::default();
    let mut answers = Vec::with_capacity(reports.len());
    for report in reports {
        answers.push(match held(connection, report.lease).await? {
            Some(held) => {
                log::append(connection, report.lease, number(held.attempts)?, &report.output)
                    .await?;
                end_attempt(connection, &held, report, &mut tally).await?;
                Finished::Won
            }
            None if was_reported(connection, report.lease).await? => Finished::Already,
            None => Finished::Stale,
        });
    }
    tally.write(connection).await?;
    Ok(answers)
}

/// Ends the attempt of a started lease whose worker went away, and answers where the job stands then.
/// `None` when the lease is not started or no longer there.
pub(super) async fn lose(
    connection: &mut SqliteConnection,
    lease: LeaseRef,
    tally: &mut Tally,
) -> Result<Option<Status>> {
    let Some(held) = held(connection, lease).await? else {
        return Ok(None);
    };
    let attempt = number(held.attempts)?;
    let stdout = log::stored_end(connection, lease.job, attempt, Stream::Stdout).await?;
    let stderr = log::stored_end(connection, lease.job, attempt, Stream::Stderr).await?;
    let ran = Duration::from_millis(number((clock::now() - held.started_at).max(0))?);
    let report = Finish::lost(lease, ran, stdout, stderr);
    end_attempt(connection, &held, &report, tally).await.map(Some)
}

/// A started lease.
#[derive(FromRow)]
struct Held {
    session_id: Uuid,
    owner_id: Uuid,
    batch_id: Option<Uuid>,
    attempts: i64,
    losses: i64,
    started_at: i64,
    cancel: bool,
    max_attempts: i64,
    retry: Option<String>,
}

async fn held(connection: &mut SqliteConnection, lease: LeaseRef) -> Result<Option<Held>> {
    sqlx::query_as(sql!("lease/held"))
        .bind(lease.token.0)
        .bind(lease.job.as_uuid())
        .fetch_optional(connection)
        .await
        .map_err(store_error)
}

async fn was_reported(connection: &mut SqliteConnection, lease: LeaseRef) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(sql!("attempt/reported"))
        .bind(lease.job.as_uuid())
        .bind(lease.token.0)
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    Ok(found.is_some())
}

/// Records the end of an attempt and carries out what follows for the job. Answers where it stands.
async fn end_attempt(
    connection: &mut SqliteConnection,
    held: &Held,
    report: &Finish,
    tally: &mut Tally,
) -> Result<Status> {
    let now = clock::now();
    let reason = report.outcome.reason;
    let policy: Option<Retry> = held.retry.as_deref().map(parse).transpose()?;
    let of_worker = reason.is_some_and(retry::is_of_the_worker);
    let history = History {
        attempt: number(held.attempts)?,
        losses: number(held.losses)?,
        max_attempts: number(held.max_attempts)?,
        retry: policy.as_ref(),
        cancel_requested: held.cancel,
        elsewhere: of_worker && elsewhere(connection, report.lease).await?,
    };
    let next = retry::next(reason, report.outcome.exit_code, history);
    let status = super::step(Status::Running, next.change)?;
    let is_flaky = status == Status::Passed && history.is_flaky();
    insert_attempt(connection, held, report, now).await?;
    if status.is_terminal() {
        sqlx::query(sql!("job/end"))
            .bind(report.lease.job.as_uuid())
            .bind(code(status))
            .bind(now)
            .bind(is_flaky)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    } else {
        let avoid_until = history.elsewhere.then(|| now + millis(AVOID));
        let (sql, time) = match next.delay {
            Duration::ZERO => (sql!("lease/retry"), avoid_until),
            delay => (sql!("lease/defer"), Some(now + millis(delay))),
        };
        sqlx::query(sql)
            .bind(report.lease.token.0)
            .bind(report.lease.job.as_uuid())
            .bind(held.losses + i64::from(next.is_free))
            .bind(time)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    sqlx::query(sql!("lease/drop"))
        .bind(report.lease.token.0)
        .bind(report.lease.job.as_uuid())
        .execute(connection)
        .await
        .map_err(store_error)?;
    tally.moved(held.owner_id, held.batch_id, Status::Running, status);
    tally.flaky(held.batch_id, i64::from(is_flaky));
    Ok(status)
}

/// Whether a worker on another host could take the job of a lease.
async fn elsewhere(connection: &mut SqliteConnection, lease: LeaseRef) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(sql!("lease/elsewhere"))
        .bind(lease.token.0)
        .bind(lease.job.as_uuid())
        .bind(clock::uptime())
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    Ok(found.is_some())
}

async fn insert_attempt(
    connection: &mut SqliteConnection,
    held: &Held,
    report: &Finish,
    now: i64,
) -> Result<()> {
    let outcome = &report.outcome;
    let duration_ms = u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX);
    sqlx::query(sql!("attempt/insert"))
        .bind(report.lease.job.as_uuid())
        .bind(held.attempts)
        .bind(report.lease.token.0)
        .bind(held.session_id)
        .bind(held.started_at)
        .bind(now)
        .bind(code(outcome.status()))
        .bind(outcome.exit_code)
        .bind(&outcome.signal)
        .bind(outcome.reason.map(Reason::as_str))
        .bind(&outcome.error)
        .bind(stored(duration_ms))
        .bind(stored(report.stdout_bytes))
        .bind(stored(report.stderr_bytes))
        .bind(report.truncated)
        .bind(&report.error_line)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
