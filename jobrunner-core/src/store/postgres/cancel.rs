use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    PostgresStore,
    rows::{code, number, status, stored},
    sql, store_error,
    tally::Tally,
};
use crate::{BatchId, Error, JobId, Result, Status, UserId, status::Change, store::Canceled};

/// How many passes a cancel makes at most. A second one is needed when a claim or a report moved a job
/// at the moment of the first; each further one, when that happened again.
pub(super) const PASSES: usize = 20;

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
    pub(super) async fn of(connection: &mut PgConnection, job: JobId) -> Result<Self> {
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

/// What is canceled, and the statements for it.
#[derive(Clone, Copy)]
struct Target {
    id: Uuid,
    owner: Uuid,
    batch: Option<Uuid>,
    pass: &'static str,
    uncanceled: &'static str,
}

pub(super) async fn cancel_job(store: &PostgresStore, job: JobId) -> Result<Canceled> {
    let mut connection = store.pools.changes.acquire().await.map_err(store_error)?;
    let standing = Standing::of(&mut connection, job).await?;
    drop(connection);
    let target = Target {
        id: job.as_uuid(),
        owner: standing.owner_id,
        batch: standing.batch_id,
        pass: sql!("job/cancel"),
        uncanceled: sql!("job/uncanceled"),
    };
    cancel(store, target).await
}

pub(super) async fn cancel_batch(store: &PostgresStore, batch: BatchId) -> Result<Canceled> {
    let owner: Option<UserId> = sqlx::query_scalar::<_, Uuid>(sql!("batch/owner"))
        .bind(batch.as_uuid())
        .fetch_optional(&store.pools.changes)
        .await
        .map_err(store_error)?
        .map(Into::into);
    let target = Target {
        id: batch.as_uuid(),
        owner: owner.ok_or(Error::NotFound("batch"))?.as_uuid(),
        batch: Some(batch.as_uuid()),
        pass: sql!("batch/cancel"),
        uncanceled: sql!("batch/uncanceled"),
    };
    cancel(store, target).await
}

async fn cancel(store: &PostgresStore, target: Target) -> Result<Canceled> {
    let mut canceled = Canceled::default();
    for _ in 0..PASSES {
        let (ended, told) =
            store.counted(move |connection| Box::pin(pass(connection, target))).await?;
        canceled.ended += ended;
        // Each pass tells all that run.
        canceled.stopping = told;
        let again: bool = sqlx::query_scalar(target.uncanceled)
            .bind(target.id)
            .fetch_one(&store.pools.changes)
            .await
            .map_err(store_error)?;
        if !again {
            return Ok(canceled);
        }
    }
    Err(Error::unavailable("the cancel", "the jobs kept moving while they were canceled"))
}

async fn pass(connection: &mut PgConnection, target: Target) -> Result<((u64, u64), Tally)> {
    let status = super::step(Status::Waiting, Change::Cancel)?;
    let (ended, told): (i64, i64) = sqlx::query_as(target.pass)
        .bind(target.id)
        .bind(code(status) as i16)
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    let (ended, told): (u64, u64) = (number(ended)?, number(told)?);
    let mut tally = Tally::default();
    if ended > 0 {
        tally.add(target.owner, target.batch, Status::Waiting, -stored(ended));
        tally.add(target.owner, target.batch, status, stored(ended));
    }
    Ok(((ended, told), tally))
}
