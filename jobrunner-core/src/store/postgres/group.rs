use std::{collections::HashMap, mem};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{counts, rows::render, sql, store_error, tally::Tally};
use crate::{Error, JobId, JobSpec, Result, Status};

/// How many jobs one statement stores, unless they are large.
pub(super) const GROUP_JOBS: usize = 4000;

/// How many bytes of specifications one statement takes, about.
const GROUP_BYTES: usize = 4 << 20;

/// Fresh jobs of one owner, gathered and stored by one statement a group.
pub(super) struct Group {
    owner: Uuid,
    batch: Option<Uuid>,
    /// The lanes of the queues met so far.
    lanes: HashMap<String, i64>,
    columns: Columns,
    bytes: usize,
    /// How many jobs have been stored.
    pub(super) stored: usize,
}

#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    queues: Vec<String>,
    specs: Vec<String>,
    names: Vec<String>,
    priorities: Vec<i16>,
    max_attempts: Vec<i64>,
    run_at: Vec<Option<DateTime<Utc>>>,
    retries: Vec<Option<String>>,
}

impl Group {
    pub(super) fn new(owner: Uuid, batch: Option<Uuid>) -> Self {
        let (lanes, columns) = (HashMap::new(), Columns::default());
        Self { owner, batch, lanes, columns, bytes: 0, stored: 0 }
    }

    pub(super) fn add(&mut self, id: JobId, spec: &JobSpec) -> Result<()> {
        let rendered = render(spec)?;
        self.bytes += rendered.len();
        let columns = &mut self.columns;
        columns.ids.push(id.as_uuid());
        columns.queues.push(spec.queue.clone());
        columns.specs.push(rendered);
        columns.names.push(spec.name.clone());
        columns.priorities.push(i16::from(spec.priority));
        columns.max_attempts.push(i64::from(spec.max_attempts));
        columns.run_at.push(spec.scheduled_at);
        columns.retries.push(spec.retry.as_ref().map(render).transpose()?);
        Ok(())
    }

    pub(super) fn is_full(&self) -> bool {
        self.columns.ids.len() >= GROUP_JOBS || self.bytes >= GROUP_BYTES
    }

    /// Stores what was gathered since the last time.
    pub(super) async fn store(&mut self, connection: &mut PgConnection) -> Result<()> {
        let columns = mem::take(&mut self.columns);
        self.bytes = 0;
        if columns.ids.is_empty() {
            return Ok(());
        }
        self.find_lanes(connection, &columns.queues).await?;
        let missing = || Error::internal("finding a lane", "it was just made");
        let lane = |queue: &String| self.lanes.get(queue).copied().ok_or_else(missing);
        let lanes = columns.queues.iter().map(lane).collect::<Result<Vec<i64>>>()?;
        let jobs = columns.ids.len();
        sqlx::query(sql!("job/insert"))
            .bind(columns.ids)
            .bind(lanes)
            .bind(columns.specs)
            .bind(columns.names)
            .bind(columns.priorities)
            .bind(columns.max_attempts)
            .bind(columns.run_at)
            .bind(self.owner)
            .bind(self.batch)
            .bind(columns.retries)
            .execute(connection)
            .await
            .map_err(store_error)?;
        self.stored += jobs;
        Ok(())
    }

    /// Makes the lanes that do not exist yet, and remembers them.
    async fn find_lanes(&mut self, connection: &mut PgConnection, queues: &[String]) -> Result<()> {
        let mut new: Vec<&String> =
            queues.iter().filter(|queue| !self.lanes.contains_key(*queue)).collect();
        new.sort_unstable();
        new.dedup();
        if new.is_empty() {
            return Ok(());
        }
        sqlx::query(sql!("job/insert_queues"))
            .bind(&new)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        sqlx::query(sql!("job/insert_lanes"))
            .bind(&new)
            .bind(self.owner)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        let found: Vec<(String, i64)> = sqlx::query_as(sql!("job/lanes"))
            .bind(&new)
            .bind(self.owner)
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        self.lanes.extend(found);
        Ok(())
    }

    /// Counts what was stored. The last thing to do: from here on, others that write to the same counts
    /// wait for the end of the transaction.
    pub(super) async fn count(&self, connection: &mut PgConnection, slot: i16) -> Result<()> {
        let mut tally = Tally::default();
        tally.add(self.owner, self.batch, Status::Waiting, self.stored as i64);
        counts::write(connection, slot, &tally).await
    }
}
