//! Forgetting what has ended.

use uuid::Uuid;

use super::{Connection, cancel::Standing, lock, sql, store_error};
use crate::{
    BatchId, Error, JobId, Result, Status,
    store::engine::{
        decide::{check_all_ended, check_ended},
        rows::CountsRow,
        tally::Tally,
        values::stored,
    },
};

pub(super) async fn delete_job(connection: &mut Connection, job: JobId) -> Result<((), Tally)> {
    let standing = Standing::of(connection, job).await?;
    let status = standing.status()?;
    check_ended(status)?;
    if delete_jobs(connection, job.as_uuid()).await? == 0 {
        // Somebody else deleted it at the same moment, and has counted it.
        return Err(Error::NotFound("job"));
    }
    let mut tally = Tally::default();
    tally.add(standing.owner_id, standing.batch_id, status, -1);
    tally.marked(standing.batch_id, standing.marks()?, -1);
    Ok(((), tally))
}

pub(super) async fn delete_batch(
    connection: &mut Connection,
    batch: BatchId,
) -> Result<((), Tally)> {
    let id = batch.as_uuid();
    let owner = lock::batch(connection, id).await?.ok_or(Error::NotFound("batch"))?;
    let counts: CountsRow = sqlx::query_as(sql!(both "count/columns", both "count/of_batch"))
        .bind(id)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    let counts = counts.into_counts()?;
    check_all_ended(&counts)?;
    let mut tally = Tally::default();
    for status in Status::ALL {
        tally.add(owner, None, status, -stored(counts.of(status)));
    }
    delete_jobs(connection, id).await?;
    execute(connection, sql!(both "delete/count"), id).await?;
    execute(connection, sql!(both "delete/batch"), id).await?;
    Ok(((), tally))
}

/// Deletes a job or all members of a batch, and returns how many they were.
async fn delete_jobs(connection: &mut Connection, id: Uuid) -> Result<u64> {
    execute(connection, sql!(both "delete/log"), id).await?;
    execute(connection, sql!(both "delete/gaps"), id).await?;
    execute(connection, sql!(both "delete/attempts"), id).await?;
    execute(connection, sql!(both "delete/cases"), id).await?;
    execute(connection, sql!("delete/jobs"), id).await
}

async fn execute(connection: &mut Connection, sql: &'static str, id: Uuid) -> Result<u64> {
    let done = sqlx::query(sql).bind(id).execute(connection).await.map_err(store_error)?;
    Ok(done.rows_affected())
}
