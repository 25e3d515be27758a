//! Submissions that are not gathered with others: batches, and single jobs that cannot be.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Connection,
    group::{GROUP_JOBS, Group, Place},
    lock, run, sql, store_error,
};
use crate::{
    BatchId, Conflict, Error, JobId, JobSpec, NewBatch, ProjectName, Result, Status, UserId,
    batch::RerunOnly,
    store::{
        BatchOrder, Idempotency, Specs, Submitted,
        engine::{
            tally::Tally,
            values::{self, parse, render, time},
        },
        feed::Feed,
    },
};

pub(in crate::store) async fn submit_job(
    connection: &mut Connection,
    owner: UserId,
    spec: JobSpec,
    idempotency: Option<Idempotency>,
) -> Result<(Submitted<JobId>, Tally)> {
    let owner = owner.as_uuid();
    let id = JobId::new();
    if let Some(made) = done_before(connection, owner, idempotency, id.as_uuid()).await? {
        return Ok((made, Tally::default()));
    }
    let mut job = Group::default();
    job.push(id, spec)?;
    let mut place = Place::new(owner, None, None);
    place.store(connection, job).await?;
    Ok((Submitted { id, made_at: place.stored_at }, counted(&place)))
}

pub(in crate::store) async fn submit_batch(
    connection: &mut Connection,
    order: BatchOrder,
    jobs: Specs,
) -> Result<(Submitted<BatchId>, Tally)> {
    let owner = order.owner.as_uuid();
    let batch = BatchId::new();
    if let Some(made) = done_before(connection, owner, order.idempotency, batch.as_uuid()).await? {
        return Ok((made, Tally::default()));
    }
    let made_at = insert_batch(connection, batch, owner, &order.batch, None).await?;
    let run = run::insert(connection, batch, owner, &order.batch, made_at).await?;
    let mut place = Place::new(owner, Some(batch.as_uuid()), run);
    let mut groups = Feed::<Group>::start(jobs);
    while let Some(group) = groups.next().await? {
        place.store(connection, group).await?;
    }
    if place.stored == 0 {
        return Err(Error::invalid("jobs", "must have at least one member"));
    }
    Ok((Submitted { id: batch, made_at: Some(made_at) }, counted(&place)))
}

pub(super) async fn rerun_batch(
    connection: &mut Connection,
    owner: UserId,
    original: BatchId,
    only: RerunOnly,
) -> Result<(BatchId, Tally)> {
    let owner = owner.as_uuid();
    let about: Option<(String, Option<String>, String, Option<String>)> =
        sqlx::query_as(sql!(both "batch/about"))
            .bind(original.as_uuid())
            .fetch_optional(&mut *connection)
            .await
            .map_err(store_error)?;
    let (name, description, payload, project) = about.ok_or(Error::NotFound("batch"))?;
    let project = project.as_deref().map(values::project).transpose()?;
    let new =
        NewBatch { name, description, project, payload: parse(&payload)?, ..NewBatch::default() };
    let batch = BatchId::new();
    let made_at = insert_batch(connection, batch, owner, &new, Some(original.as_uuid())).await?;
    let run = run::repeat(connection, batch, original, made_at).await?;

    let mut place = Place::new(owner, Some(batch.as_uuid()), run);
    let mut after = Uuid::nil();
    loop {
        let members: Vec<(Uuid, String)> = sqlx::query_as(sql!("batch/members"))
            .bind(original.as_uuid())
            .bind(only == RerunOnly::All)
            .bind(after)
            .bind(GROUP_JOBS as i64)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        let Some((last, _)) = members.last() else {
            break;
        };
        after = *last;
        let mut group = Group::default();
        for (id, spec) in &members {
            group.push(JobId::new(), parse::<JobSpec>(spec)?.again((*id).into()))?;
        }
        place.store(connection, group).await?;
    }
    if place.stored == 0 {
        return Err(Conflict::NothingToRerun.into());
    }
    Ok((batch, counted(&place)))
}

async fn insert_batch(
    connection: &mut Connection,
    id: BatchId,
    owner: Uuid,
    batch: &NewBatch,
    rerun_of: Option<Uuid>,
) -> Result<DateTime<Utc>> {
    let made_at: i64 = sqlx::query_scalar(sql!("batch/insert"))
        .bind(id.as_uuid())
        .bind(owner)
        .bind(&batch.name)
        .bind(&batch.description)
        .bind(render(&batch.payload)?)
        .bind(rerun_of)
        .bind(batch.project.as_ref().map(ProjectName::as_str))
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    time(made_at)
}

/// What the counts grow by. They are written last: from then on, others that write to the same
/// counts wait for the end of the transaction.
fn counted(place: &Place) -> Tally {
    let mut tally = Tally::default();
    tally.add(place.owner, place.batch, Status::Waiting, place.stored as i64);
    tally
}

/// Remembers that the request makes `id`, unless one with the same key was carried out before: then
/// returns what that one made.
async fn done_before<Id: From<Uuid>>(
    connection: &mut Connection,
    owner: Uuid,
    idempotency: Option<Idempotency>,
    id: Uuid,
) -> Result<Option<Submitted<Id>>> {
    let Some(once) = idempotency else {
        return Ok(None);
    };
    lock::key(connection, owner, &once.key).await?;
    let remembered = sqlx::query(sql!("job/remember"))
        .bind(owner)
        .bind(&once.key)
        .bind(once.digest.as_slice())
        .bind(id)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if remembered.rows_affected() > 0 {
        return Ok(None);
    }
    let (known, made): (Vec<u8>, Uuid) = sqlx::query_as(sql!(both "job/idempotent"))
        .bind(owner)
        .bind(&once.key)
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    once.repeated(&known, made).map(Some)
}
