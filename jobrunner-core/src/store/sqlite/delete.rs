use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    cancel::{Standing, execute},
    rows::CountsRow,
    sql, store_error,
    tally::Tally,
};
use crate::{BatchId, Error, JobId, Result, Status};

pub(super) async fn delete_job(connection: &mut SqliteConnection, job: JobId) -> Result<()> {
    let standing = Standing::of(connection, job).await?;
    let status = standing.status()?;
    if !status.is_terminal() {
        return Err(Error::Conflict(format!(
            "the job is {status}; cancel it before you delete it"
        )));
    }
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
    if !counts.all_ended() {
        return Err(Error::Conflict(
            "jobs of the batch have not ended; cancel it before you delete it".to_owned(),
        ));
    }
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
