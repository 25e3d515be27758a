use std::collections::BTreeSet;

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    clock,
    rows::{id_list, render, time},
    sql, steps, store_error,
    tally::Tally,
};
use crate::{
    BatchId, Error, JobId, JobSpec, NewBatch, Result, Status, UserId,
    batch::RerunOnly,
    store::{
        BatchOrder, Idempotency, Specs, Submitted,
        feed::{self, Feed},
        spec,
    },
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
    if let Some(made) = done_before(connection, owner, idempotency.as_ref()).await? {
        return Ok(made);
    }
    let mut job = Group::default();
    let id = job.push(&spec)?;
    let now = clock::now();
    job.store(connection, owner, None, now).await?;
    remember(connection, owner, idempotency, id, now).await?;
    Ok(Submitted { id: id.into(), made_at: Some(time(now)?) })
}

pub(super) async fn submit_batch(
    connection: &mut SqliteConnection,
    order: BatchOrder,
    jobs: Specs,
) -> Result<Submitted<BatchId>> {
    let owner = order.owner.as_uuid();
    if let Some(made) = done_before(connection, owner, order.idempotency.as_ref()).await? {
        return Ok(made);
    }
    let now = clock::now();
    let batch = insert_batch(connection, owner, &order.batch, None, now).await?;
    let mut groups = Feed::<Group>::start(jobs);
    let mut stored = 0;
    while let Some(group) = groups.next().await? {
        stored += group.store(connection, owner, Some(batch), now).await?;
    }
    if stored == 0 {
        return Err(Error::invalid("jobs", "must have at least one member"));
    }
    remember(connection, owner, order.idempotency, batch, now).await?;
    Ok(Submitted { id: batch.into(), made_at: Some(time(now)?) })
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
    let now = clock::now();
    let batch = insert_batch(connection, owner, &new, Some(original.as_uuid()), now).await?;

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
            group.push(&super::rows::parse(spec)?)?;
        }
        stored += group.store(connection, owner, Some(batch), now).await?;
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
    now: i64,
) -> Result<Uuid> {
    let id = BatchId::new().as_uuid();
    sqlx::query(sql!("batch/insert"))
        .bind(id)
        .bind(owner)
        .bind(&batch.name)
        .bind(&batch.description)
        .bind(render(&batch.payload)?)
        .bind(rerun_of)
        .bind(now)
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
async fn done_before<Id: From<Uuid>>(
    connection: &mut SqliteConnection,
    owner: Uuid,
    idempotency: Option<&Idempotency>,
) -> Result<Option<Submitted<Id>>> {
    let Some(once) = idempotency else {
        return Ok(None);
    };
    let known: Option<(Vec<u8>, Uuid)> = sqlx::query_as(sql!("job/idempotent"))
        .bind(owner)
        .bind(&once.key)
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    known.map(|(digest, made)| once.repeated(&digest, made)).transpose()
}

async fn remember(
    connection: &mut SqliteConnection,
    owner: Uuid,
    idempotency: Option<Idempotency>,
    made: Uuid,
    now: i64,
) -> Result<()> {
    let Some(Idempotency { key, digest }) = idempotency else {
        return Ok(());
    };
    sqlx::query(sql!("job/remember"))
        .bind(owner)
        .bind(key)
        .bind(digest.as_slice())
        .bind(made)
        .bind(now)
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

impl feed::Group for Group {
    fn add(&mut self, spec: JobSpec) -> Result<()> {
        self.push(&spec).map(|_| ())
    }

    fn is_full(&self) -> bool {
        self.ids.len() >= GROUP_JOBS || self.specs.len() >= GROUP_BYTES
    }

    fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl Group {
    fn push(&mut self, spec: &JobSpec) -> Result<Uuid> {
        let id = JobId::new().as_uuid();
        if !self.specs.is_empty() {
            self.specs.push(',');
        }
        self.specs.push_str(&spec::render(spec)?);
        if !self.queues.contains(&spec.queue) {
            self.queues.insert(spec.queue.clone());
        }
        self.ids.push(id);
        Ok(id)
    }

    /// Stores the jobs and returns how many they were.
    async fn store(
        self,
        connection: &mut SqliteConnection,
        owner: Uuid,
        batch: Option<Uuid>,
        now: i64,
    ) -> Result<usize> {
        let Self { ids, queues, specs } = self;
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
        let owners: Vec<u8> = ids.iter().flat_map(|_| *owner.as_bytes()).collect();
        sqlx::query(steps!("job/insert", "job/insert_ready", "job/insert_deferred"))
            .bind(id_list(ids.iter().copied())?)
            .bind(now)
            .bind(raw_ids)
            .bind(format!("[{specs}]"))
            .bind(owners)
            .bind(batch)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        let mut tally = Tally::default();
        tally.add(owner, batch, Status::Waiting, ids.len() as i64);
        tally.write(connection).await?;
        Ok(ids.len())
    }
}
