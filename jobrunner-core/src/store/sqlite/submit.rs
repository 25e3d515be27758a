use std::collections::BTreeSet;

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    clock,
    rows::{id_list, render},
    sql, store_error,
    tally::Tally,
};
use crate::{
    BatchId, Error, JobId, JobSpec, NewBatch, Result, Status, UserId,
    batch::RerunOnly,
    store::{BatchOrder, Idempotency, Specs, Submitted},
};

/// How many jobs one statement stores, unless they are large.
const GROUP_JOBS: usize = 1000;

/// How many bytes of JSON one statement takes, about.
const GROUP_BYTES: usize = 1 << 20;

pub(super) async fn submit_job(
    connection: &mut SqliteConnection,
    owner: UserId,
    spec: JobSpec,
    idempotency: Option<Idempotency>,
) -> Result<Submitted<JobId>> {
    let owner = owner.as_uuid();
    if let Some(id) = done_before(connection, owner, idempotency.as_ref()).await? {
        return Ok(Submitted { id: id.into(), fresh: false });
    }
    let mut group = Group::default();
    let id = group.add(&spec)?;
    group.store(connection, owner, None).await?;
    remember(connection, owner, idempotency, id).await?;
    Ok(Submitted { id: id.into(), fresh: true })
}

pub(super) async fn submit_batch(
    connection: &mut SqliteConnection,
    order: BatchOrder,
    jobs: Specs,
) -> Result<Submitted<BatchId>> {
    let owner = order.owner.as_uuid();
    if let Some(id) = done_before(connection, owner, order.idempotency.as_ref()).await? {
        return Ok(Submitted { id: id.into(), fresh: false });
    }
    let batch = insert_batch(connection, owner, &order.batch, None).await?;
    let mut group = Group::default();
    let mut stored = 0;
    for spec in jobs {
        group.add(&spec?)?;
        if group.is_full() {
            stored += group.store(connection, owner, Some(batch)).await?;
        }
    }
    stored += group.store(connection, owner, Some(batch)).await?;
    if stored == 0 {
        return Err(Error::invalid("jobs", "must have at least one member"));
    }
    remember(connection, owner, order.idempotency, batch).await?;
    Ok(Submitted { id: batch.into(), fresh: true })
}

pub(super) async fn rerun_batch(
    connection: &mut SqliteConnection,
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
    let batch = insert_batch(connection, owner, &new, Some(original.as_uuid())).await?;

    let mut after = Uuid::nil();
    let mut stored = 0;
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
        for (_, spec) in &members {
            group.add(&super::rows::parse(spec)?)?;
        }
        stored += group.store(connection, owner, Some(batch)).await?;
    }
    if stored == 0 {
        return Err(Error::Conflict(
            "no job of this batch failed or was canceled; to repeat all, ask for \"only\": \"all\""
                .to_owned(),
        ));
    }
    Ok(batch.into())
}

async fn insert_batch(
    connection: &mut SqliteConnection,
    owner: Uuid,
    batch: &NewBatch,
    rerun_of: Option<Uuid>,
) -> Result<Uuid> {
    let id = BatchId::new().as_uuid();
    sqlx::query(sql!("batch/insert"))
        .bind(id)
        .bind(owner)
        .bind(&batch.name)
        .bind(&batch.description)
        .bind(render(&batch.payload)?)
        .bind(rerun_of)
        .bind(clock::now())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(sql!("batch/insert_count"))
        .bind(id)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(id)
}

/// What an earlier request with the same key made.
async fn done_before(
    connection: &mut SqliteConnection,
    owner: Uuid,
    idempotency: Option<&Idempotency>,
) -> Result<Option<Uuid>> {
    let Some(Idempotency { key, digest }) = idempotency else {
        return Ok(None);
    };
    let known: Option<(Vec<u8>, Uuid)> = sqlx::query_as(sql!("job/idempotent"))
        .bind(owner)
        .bind(key)
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    match known {
        Some((known, made)) if known == digest => Ok(Some(made)),
        Some(_) => Err(Error::Conflict(
            "this Idempotency-Key was used for a different request; use a fresh key".to_owned(),
        )),
        None => Ok(None),
    }
}

async fn remember(
    connection: &mut SqliteConnection,
    owner: Uuid,
    idempotency: Option<Idempotency>,
    made: Uuid,
) -> Result<()> {
    let Some(Idempotency { key, digest }) = idempotency else {
        return Ok(());
    };
    sqlx::query(sql!("job/remember"))
        .bind(owner)
        .bind(key)
        .bind(digest.as_slice())
        .bind(made)
        .bind(clock::now())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Fresh jobs of one owner, stored by a handful of statements however many they are.
#[derive(Default)]
struct Group {
    ids: Vec<Uuid>,
    queues: BTreeSet<String>,
    /// Their specifications, separated by commas.
    specs: String,
}

impl Group {
    fn add(&mut self, spec: &JobSpec) -> Result<Uuid> {
        let id = JobId::new().as_uuid();
        if !self.specs.is_empty() {
            self.specs.push(',');
        }
        self.specs.push_str(&render(spec)?);
        if !self.queues.contains(&spec.queue) {
            self.queues.insert(spec.queue.clone());
        }
        self.ids.push(id);
        Ok(id)
    }

    fn is_full(&self) -> bool {
        self.ids.len() >= GROUP_JOBS || self.specs.len() >= GROUP_BYTES
    }

    /// Stores the jobs and answers how many they were. The group is empty afterwards.
    async fn store(
        &mut self,
        connection: &mut SqliteConnection,
        owner: Uuid,
        batch: Option<Uuid>,
    ) -> Result<usize> {
        let Self { ids, queues, specs } = std::mem::take(self);
        if ids.is_empty() {
            return Ok(0);
        }
        let now = clock::now();
        let queues = render(&queues)?;
        sqlx::query(sql!("job/insert_queues"))
            .bind(&queues)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        sqlx::query(sql!("job/insert_lanes"))
            .bind(&queues)
            .bind(owner)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        let raw_ids: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
        sqlx::query(sql!("job/insert"))
            .bind(raw_ids)
            .bind(format!("[{specs}]"))
            .bind(owner)
            .bind(batch)
            .bind(now)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        let list = id_list(ids.iter().copied())?;
        for sql in [sql!("job/insert_ready"), sql!("job/insert_deferred")] {
            sqlx::query(sql)
                .bind(&list)
                .bind(now)
                .execute(&mut *connection)
                .await
                .map_err(store_error)?;
        }
        let mut tally = Tally::default();
        tally.add(owner, batch, Status::Waiting, ids.len() as i64);
        tally.write(connection).await?;
        Ok(ids.len())
    }
}
