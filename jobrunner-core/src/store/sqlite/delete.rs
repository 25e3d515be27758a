use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    cancel::{Standing, execute},
    rows::CountsRow,
    sql, store_error,
    tally::Tally,
};
use crate::{
    BatchId, Error, JobId, Result, Status,
    store::{check_all_ended, check_ended},
};

pub(super) async fn delete_job(connection: &mut SqliteConnection, job: JobId) -> Result<()> {
    let standing = Standing::of(connection, job).await?;
    let status = standing.status()?;
    check_ended(status)?;
    for sql in [
        sql!("job/delete_log"),
        sql!("job/delete_gaps"),
        sql!("job/delete_attempts"),
        sql!("job/delete"),
    ] {
        execute(connection, sql, job.as_uuid()).await?;
    }
    let mut tally = Tally::default();
    tally.add(standing.owner_id, standing.batch_id, status, -1);
    tally.flaky(standing.batch_id, -i64::from(standing.flaky));
    tally.write(connection).await
}

pub(super) async fn delete_batch(connection: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    let id = batch.as_uuid();
    let owner: Option<Uuid> = sqlx::query_scalar(sql!("batch/owner"))
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
    tally.write(connection).await?;
    for sql in [
        sql!("batch/delete_log"),
        sql!("batch/delete_gaps"),
        sql!("batch/delete_attempts"),
        sql!("batch/delete_jobs"),
        sql!("batch/delete_count"),
        sql!("batch/delete"),
    ] {
        execute(connection, sql, id).await?;
    }
    Ok(())
}
