use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    group::{Columns, GROUP_JOBS, Place},
    rows::{render, time},
    sql, store_error,
};
use crate::{
    BatchId, Error, JobId, JobSpec, NewBatch, Result, UserId,
    batch::RerunOnly,
    store::{BatchOrder, Idempotency, Specs, Submitted, feed::Feed},
};

pub(super) async fn submit_job(
    connection: &mut PgConnection,
    slot: i16,
    owner: UserId,
    spec: JobSpec,
    idempotency: Option<Idempotency>,
) -> Result<Submitted<JobId>> {
    let owner = owner.as_uuid();
    let id = JobId::new();
    if let Some(made) = done_before(connection, owner, idempotency, id.as_uuid()).await? {
        return Ok(made);
    }
    let mut job = Columns::default();
    job.push(id, spec)?;
    let mut place = Place::new(owner, None);
    place.store(connection, job).await?;
    place.count(connection, slot).await?;
    Ok(Submitted { id, made_at: place.stored_at })
}

pub(super) async fn submit_batch(
    connection: &mut PgConnection,
    slot: i16,
    order: BatchOrder,
    jobs: Specs,
) -> Result<Submitted<BatchId>> {
    let owner = order.owner.as_uuid();
    let batch = BatchId::new();
    if let Some(made) = done_before(connection, owner, order.idempotency, batch.as_uuid()).await? {
        return Ok(made);
    }
    let made_at = insert_batch(connection, batch, owner, &order.batch, None).await?;
    let mut place = Place::new(owner, Some(batch.as_uuid()));
    let mut groups = Feed::<Columns>::start(jobs);
    while let Some(group) = groups.next().await? {
        place.store(connection, group).await?;
    }
    if place.stored == 0 {
        return Err(Error::invalid("jobs", "must have at least one member"));
    }
    place.count(connection, slot).await?;
    Ok(Submitted { id: batch, made_at: Some(made_at) })
}

pub(super) async fn rerun_batch(
    connection: &mut PgConnection,
    slot: i16,
    owner: UserId,
    original: BatchId,
    only: RerunOnly,
) -> Result<BatchId> {
    let owner = owner.as_uuid();
    let about: Option<(String, Option<String>, String)> = sqlx::query_as(sql!("batch/about"))
        .bind(original.as_uuid())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let (name, description, payload) = about.ok_or(Error::NotFound("batch"))?;
    let payload = super::rows::parse(&payload)?;
    let new = NewBatch { name, description, payload };
    let batch = BatchId::new();
    insert_batch(connection, batch, owner, &new, Some(original.as_uuid())).await?;

    let mut place = Place::new(owner, Some(batch.as_uuid()));
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
        let mut group = Columns::default();
        for (_, spec) in &members {
            let spec: JobSpec = super::rows::parse(spec)?;
            // The time it was meant for is over.
            group.push(JobId::new(), JobSpec { scheduled_at: None, ..spec })?;
        }
        place.store(connection, group).await?;
    }
    if place.stored == 0 {
        return Err(Error::Conflict(
            "no job of this batch failed or was canceled; to repeat all, ask for \"only\": \"all\""
                .to_owned(),
        ));
    }
    place.count(connection, slot).await?;
    Ok(batch)
}

async fn insert_batch(
    connection: &mut PgConnection,
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
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    time(made_at)
}

/// Remembers that the request makes `id`, unless one with the same key was carried out before: then
/// returns what that one made.
async fn done_before<Id: From<Uuid>>(
    connection: &mut PgConnection,
    owner: Uuid,
    idempotency: Option<Idempotency>,
    id: Uuid,
) -> Result<Option<Submitted<Id>>> {
    let Some(once) = idempotency else {
        return Ok(None);
    };
    sqlx::query(sql!("submit/lock_key"))
        .bind(owner)
        .bind(&once.key)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
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
    let (known, made): (Vec<u8>, Uuid) = sqlx::query_as(sql!("job/idempotent"))
        .bind(owner)
        .bind(&once.key)
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    once.repeated(&known, made).map(Some)
}
