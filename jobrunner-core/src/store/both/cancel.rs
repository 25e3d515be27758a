//! Cancels: what waits ends, and what runs is marked to be killed by its worker.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{Connection, Store, pass, sql, store_error};
use crate::{
    BatchId, Error, JobId, Result, Status, UserId,
    attempt::is_skipped,
    store::{
        Canceled,
        engine::{
            decide,
            tally::{Marks, Tally},
            values::{number, status, stored},
        },
    },
};

/// How many passes a cancel makes at most. A second one is needed when a claim or a report moved a
/// job at the moment of the first; each further one, when that happened again.
const PASSES: usize = 20;

/// What is to be known of a job before it is canceled or deleted.
#[derive(FromRow)]
pub(super) struct Standing {
    pub(super) owner_id: Uuid,
    pub(super) batch_id: Option<Uuid>,
    status: i64,
    flaky: bool,
    exit_code: Option<i32>,
    running: bool,
}

impl Standing {
    pub(super) async fn of(connection: &mut Connection, job: JobId) -> Result<Self> {
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

    /// What its batch counts of it beside its status.
    pub(super) fn marks(&self) -> Result<Marks> {
        let skipped = is_skipped(self.status()?, self.exit_code);
        Ok(Marks { flaky: self.flaky, skipped })
    }
}

/// What is canceled.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Target {
    /// A job, or a batch with all its members.
    pub(in crate::store) id: Uuid,
    pub(in crate::store) owner: Uuid,
    pub(in crate::store) batch: Option<Uuid>,
}

pub(super) async fn cancel_job(store: &Store, job: JobId) -> Result<Canceled> {
    let mut connection = store.hot().acquire().await.map_err(store_error)?;
    let standing = Standing::of(&mut connection, job).await?;
    drop(connection);
    let id = job.as_uuid();
    cancel(store, Target { id, owner: standing.owner_id, batch: standing.batch_id }).await
}

pub(super) async fn cancel_batch(store: &Store, batch: BatchId) -> Result<Canceled> {
    let id = batch.as_uuid();
    let owner: Option<Uuid> = sqlx::query_scalar(sql!(both "batch/owner"))
        .bind(id)
        .fetch_optional(store.hot())
        .await
        .map_err(store_error)?;
    let owner = owner.ok_or(Error::NotFound("batch"))?;
    cancel(store, Target { id, owner, batch: Some(id) }).await
}

async fn cancel(store: &Store, target: Target) -> Result<Canceled> {
    let mut canceled = Canceled::default();
    for _ in 0..PASSES {
        let (ended, told) = store.counted(move |c| Box::pin(counted_pass(c, target))).await?;
        canceled.ended += ended;
        // Each pass tells all that run.
        canceled.stopping = told;
        if !pass::has_escaped(store, target).await? {
            return Ok(canceled);
        }
    }
    Err(kept_moving())
}

/// Cancels all that is open, of one owner or of everybody, until nothing is left of what was there
/// at the beginning. What is submitted meanwhile may be canceled, too.
pub(super) async fn cancel_all(store: &Store, owner: Option<UserId>) -> Result<Canceled> {
    let owner = owner.map(UserId::as_uuid);
    let begun = pass::begin(store).await?;
    let mut canceled = Canceled::default();
    for _ in 0..PASSES {
        let (ended, told) = store.counted(move |c| Box::pin(counted_pass_of_all(c, owner))).await?;
        canceled.ended += ended;
        canceled.stopping += told;
        if !pass::is_left(store, owner, begun).await? {
            return Ok(canceled);
        }
    }
    Err(kept_moving())
}

fn kept_moving() -> Error {
    Error::unavailable("the cancel", "the jobs kept moving while they were canceled")
}

async fn counted_pass(connection: &mut Connection, target: Target) -> Result<((u64, u64), Tally)> {
    let status = decide::canceled()?;
    let (ended, told) = pass::pass(connection, target.id, status).await?;
    let mut tally = Tally::default();
    if ended > 0 {
        tally.add(target.owner, target.batch, Status::Waiting, -stored(ended));
        tally.add(target.owner, target.batch, status, stored(ended));
    }
    Ok(((ended, told), tally))
}

async fn counted_pass_of_all(
    connection: &mut Connection,
    owner: Option<Uuid>,
) -> Result<((u64, u64), Tally)> {
    let status = decide::canceled()?;
    let (rows, told) = pass::pass_of_all(connection, owner, status).await?;
    let (mut ended, mut tally) = (0, Tally::default());
    for (owner, batch, jobs) in rows {
        ended += number::<u64>(jobs)?;
        tally.add(owner, batch, Status::Waiting, -jobs);
        tally.add(owner, batch, status, jobs);
    }
    Ok(((ended, told), tally))
}
