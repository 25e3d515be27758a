use sqlx::PgConnection;
use uuid::Uuid;

use super::{cancel::Standing, rows::CountsRow, sql, store_error, tally::Tally};
use crate::{
    BatchId, Error, JobId, Result, Status,
    store::{check_all_ended, check_ended},
};

pub(super) async fn delete_job(connection: &mut PgConnection, job: JobId) -> Result<((), Tally)> {
    let standing = Standing::of(connection, job).await?;
    let status = standing.status()?;
    check_ended(status)?;
    let mut deleted = 0;
    for sql in [
        sql!("job/delete_log"),
        sql!("job/delete_gaps"),
        sql!("job/delete_attempts"),
        sql!("job/delete_ends"),
        sql!("job/delete"),
    ] {
        deleted = execute(connection, sql, job.as_uuid()).await?;
    }
    if deleted == 0 {
        // Somebody else deleted it at the same moment, and has counted it.
        return Err(Error::NotFound("job"));
    }
    let mut tally = Tally::default();
    tally.add(standing.owner_id, standing.batch_id, status, -1);
    tally.flaky(standing.batch_id, -i64::from(standing.flaky));
    Ok(((), tally))
}

pub(super) async fn delete_batch(
    connection: &mut PgConnection,
    batch: BatchId,
) -> Result<((), Tally)> {
    let id = batch.as_uuid();
    let owner: Option<Uuid> = sqlx::query_scalar(sql!("batch/lock"))
        .bind(id)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let owner = owner.ok_or(Error::NotFound("batch"))?;
    let counts: CountsRow = sqlx::query_as(sql!("batch/counts"))
        .bind(id)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    let counts = counts.into_counts()?;
    check_all_ended(&counts)?;
    let mut tally = Tally::default();
    for status in Status::ALL {
        tally.add(owner, None, status, -super::rows::stored(counts.of(status)));
    }
    for sql in [
        sql!("batch/delete_log"),
        sql!("batch/delete_gaps"),
        sql!("batch/delete_attempts"),
        sql!("batch/delete_ends"),
        sql!("batch/delete_jobs"),
        sql!("batch/delete_count"),
        sql!("batch/delete"),
    ] {
        execute(connection, sql, id).await?;
    }
    Ok(((), tally))
}

async fn execute(connection: &mut PgConnection, sql: &'static str, id: Uuid) -> Result<u64> {
    let done = sqlx::query(sql).bind(id).execute(connection).await.map_err(store_error)?;
    Ok(done.rows_affected())
}
