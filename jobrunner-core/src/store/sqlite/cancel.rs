use sqlx::{FromRow, SqliteConnection};
use uuid::Uuid;

use super::{
    clock,
    rows::{code, status},
    sql, store_error,
    tally::Tally,
};
use crate::{BatchId, Error, JobId, Result, Status, status::Change, store::Canceled};

/// What is to be known of a job before it is canceled or deleted.
#[derive(FromRow)]
pub(super) struct Standing {
    pub(super) owner_id: Uuid,
    pub(super) batch_id: Option<Uuid>,
    status: i64,
    /// Whether it passed after it had failed.
    pub(super) flaky: bool,
    running: bool,
}

impl Standing {
    pub(super) async fn of(connection: &mut SqliteConnection, job: JobId) -> Result<Self> {
        let standing: Option<Self> = sqlx::query_as(sql!("job/standing"))
            .bind(job.as_uuid())
            .fetch_optional(connection)
            .await
            .map_err(store_error)?;
        standing.ok_or(Error::NotFound("job"))
    }

    pub(super) fn status(&self) -> Result<Status> {
        if self.running { Ok(Status::Running) } else { status(self.status) }
    }
}

pub(super) async fn cancel_job(connection: &mut SqliteConnection, job: JobId) -> Result<Canceled> {
    let standing = Standing::of(connection, job).await?;
    let id = job.as_uuid();
    match standing.status()? {
        Status::Running => {
            let told = execute(connection, sql!("lease/cancel"), id).await?;
            Ok(Canceled { ended: 0, stopping: told })
        }
        Status::Waiting => {
            for sql in [
                sql!("job/withdraw_ready"),
                sql!("job/withdraw_deferred"),
                sql!("job/withdraw_lease"),
            ] {
                execute(connection, sql, id).await?;
            }
            let canceled = super::step(Status::Waiting, Change::Cancel)?;
            let ended = end(connection, sql!("job/end"), id, canceled).await?;
            let mut tally = Tally::default();
            tally.moved(standing.owner_id, standing.batch_id, Status::Waiting, canceled);
            tally.write(connection).await?;
            Ok(Canceled { ended, stopping: 0 })
        }
        Status::Passed | Status::Failed | Status::Canceled => Ok(Canceled::default()),
    }
}

pub(super) async fn cancel_batch(
    connection: &mut SqliteConnection,
    batch: BatchId,
) -> Result<Canceled> {
    let id = batch.as_uuid();
    let owner: Option<Uuid> = sqlx::query_scalar(sql!("batch/owner"))
        .bind(id)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let owner = owner.ok_or(Error::NotFound("batch"))?;
    let stopping = execute(connection, sql!("batch/cancel_running"), id).await?;
    for sql in [
        sql!("batch/withdraw_leases"),
        sql!("batch/withdraw_ready"),
        sql!("batch/withdraw_deferred"),
    ] {
        execute(connection, sql, id).await?;
    }
    let canceled = super::step(Status::Waiting, Change::Cancel)?;
    let ended = end(connection, sql!("batch/end_waiting"), id, canceled).await?;
    if ended > 0 {
        let jobs = super::rows::stored(ended);
        let mut tally = Tally::default();
        tally.add(owner, Some(id), Status::Waiting, -jobs);
        tally.add(owner, Some(id), canceled, jobs);
        tally.write(connection).await?;
    }
    Ok(Canceled { ended, stopping })
}

/// Carries out a statement about one job or batch; answers how many rows it changed.
pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: &'static str,
    id: Uuid,
) -> Result<u64> {
    let done = sqlx::query(sql).bind(id).execute(connection).await.map_err(store_error)?;
    Ok(done.rows_affected())
}

async fn end(
    connection: &mut SqliteConnection,
    sql: &'static str,
    id: Uuid,
    status: Status,
) -> Result<u64> {
    let ended = sqlx::query(sql)
        .bind(id)
        .bind(code(status))
        .bind(clock::now())
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(ended.rows_affected())
}
