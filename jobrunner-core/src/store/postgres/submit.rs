use sqlx::PgConnection;
use uuid::Uuid;

use super::{group::GROUP_JOBS, group::Group, rows::render, sql, store_error};
use crate::{
    BatchId, Error, JobId, JobSpec, NewBatch, Result, UserId,
    batch::RerunOnly,
    store::{BatchOrder, Idempotency, Specs, Submitted},
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
        return Ok(Submitted { id: made.into(), fresh: false });
    }
    let mut group = Group::new(owner, None);
    group.add(id, &spec)?;
    group.store(connection).await?;
    group.count(connection, slot).await?;
    Ok(Submitted { id, fresh: true })
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
        return Ok(Submitted { id: made.into(), fresh: false });
    }
    insert_batch(connection, batch, owner, &order.batch, None).await?;
    let mut group = Group::new(owner, Some(batch.as_uuid()));
    for spec in jobs {
        group.add(JobId::new(), &spec?)?;
        if group.is_full() {
            group.store(connection).await?;
        }
    }
    group.store(connection).await?;
    if group.stored == 0 {
        return Err(Error::invalid("jobs", "must have at least one member"));
    }
    group.count(connection, slot).await?;
    Ok(Submitted { id: batch, fresh: true })
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

    let mut group = Group::new(owner, Some(batch.as_uuid()));
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
        for (_, spec) in &members {
            let spec: JobSpec = super::rows::parse(spec)?;
            // The time it was meant for is over.
            group.add(JobId::new(), &JobSpec { scheduled_at: None, ..spec })?;
        }
        group.store(connection).await?;
    }
    if group.stored == 0 {
        return Err(Error::Conflict(
            "no job of this batch failed or was canceled; to repeat all, ask for \"only\": \"all\""
                .to_owned(),
        ));
    }
    group.count(connection, slot).await?;
    Ok(batch)
}

async fn insert_batch(
    connection: &mut PgConnection,
    id: BatchId,
    owner: Uuid,
    batch: &NewBatch,
    rerun_of: Option<Uuid>,
) -> Result<()> {
    sqlx::query(sql!("batch/insert"))
        .bind(id.as_uuid())
        .bind(owner)
        .bind(&batch.name)
        .bind(&batch.description)
        .bind(render(&batch.payload)?)
        .bind(rerun_of)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Remembers that the request makes `id`, unless one with the same key was carried out before: answers
/// what that one made.
async fn done_before(
    connection: &mut PgConnection,
    owner: Uuid,
    idempotency: Option<Idempotency>,
    id: Uuid,
) -> Result<Option<Uuid>> {
    let Some(Idempotency { key, digest }) = idempotency else {
        return Ok(None);
    };
    let remembered = sqlx::query(sql!("job/remember"))
        .bind(owner)
        .bind(&key)
        .bind(digest.as_slice())
        .bind(id)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if remembered.rows_affected() > 0 {
        return Ok(None);
    }
    let (known, made): (Vec<u8>, Uuid) = sqlx::query_as(sql!("job/idempotent"))
        .bind(owner)
        .bind(key)
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    if known == digest {
        Ok(Some(made))
    } else {
        Err(Error::Conflict(
            "this Idempotency-Key was used for a different request; use a fresh key".to_owned(),
        ))
    }
}
