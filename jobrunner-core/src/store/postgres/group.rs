use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{both::run, sql, store_error};
use crate::{
    Error, JobId, JobSpec, Result,
    store::{
        engine::{
            identity, spec,
            values::{render, time},
        },
        feed,
    },
};

/// How many jobs one statement stores, unless they are large.
pub(super) const GROUP_JOBS: usize = 4000;

/// How many bytes of specifications one statement takes, about.
const GROUP_BYTES: usize = 4 << 20;

/// Fresh jobs that one statement stores, column by column.
#[derive(Default)]
pub(super) struct Group {
    ids: Vec<Uuid>,
    queues: Vec<String>,
    specs: Vec<String>,
    names: Vec<String>,
    priorities: Vec<i16>,
    max_attempts: Vec<i64>,
    run_at: Vec<Option<DateTime<Utc>>>,
    retries: Vec<Option<String>>,
    tests: Vec<i64>,
    test_names: Vec<Option<String>>,
    variants: Vec<Option<String>>,
    projects: Vec<Option<String>>,
    bytes: usize,
}

impl feed::Group for Group {
    fn add(&mut self, spec: JobSpec) -> Result<()> {
        self.push(JobId::new(), spec)
    }

    fn is_full(&self) -> bool {
        self.ids.len() >= GROUP_JOBS || self.bytes >= GROUP_BYTES
    }

    fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl Group {
    pub(super) fn push(&mut self, id: JobId, spec: JobSpec) -> Result<()> {
        let rendered = spec::render(&spec)?;
        self.bytes += rendered.len();
        self.ids.push(id.as_uuid());
        self.specs.push(rendered);
        self.retries.push(spec.retry.as_ref().map(render).transpose()?);
        self.tests.push(identity::of_spec(&spec));
        self.test_names.push(identity::own_name(&spec).map(str::to_owned));
        self.variants.push(identity::stored_variant(&spec.variant)?);
        self.projects.push(spec.project.map(Into::into));
        self.queues.push(spec.queue);
        self.names.push(spec.name);
        self.priorities.push(i16::from(spec.priority));
        self.max_attempts.push(i64::from(spec.max_attempts));
        self.run_at.push(spec.scheduled_at);
        Ok(())
    }
}

/// Where fresh jobs of one owner go.
pub(super) struct Place {
    pub(super) owner: Uuid,
    pub(super) batch: Option<Uuid>,
    /// The run that they are of.
    pub(super) run: Option<run::Place>,
    /// The lanes of the queues met so far.
    lanes: HashMap<String, i64>,
    /// How many jobs have been stored.
    pub(super) stored: usize,
    /// When the last of them were.
    pub(super) stored_at: Option<DateTime<Utc>>,
}

impl Place {
    pub(super) fn new(owner: Uuid, batch: Option<Uuid>, run: Option<run::Place>) -> Self {
        Self { owner, batch, run, lanes: HashMap::new(), stored: 0, stored_at: None }
    }

    /// Stores jobs by one statement.
    pub(super) async fn store(
        &mut self,
        connection: &mut PgConnection,
        group: Group,
    ) -> Result<()> {
        self.find_lanes(connection, &group.queues).await?;
        let missing = || Error::internal("finding a lane", "it was just made");
        let lane = |queue: &String| self.lanes.get(queue).copied().ok_or_else(missing);
        let lanes = group.queues.iter().map(lane).collect::<Result<Vec<i64>>>()?;
        let jobs = group.ids.len();
        let stored_at: i64 = sqlx::query_scalar(sql!("job/insert"))
            .bind(group.ids)
            .bind(lanes)
            .bind(group.specs)
            .bind(group.names)
            .bind(group.priorities)
            .bind(group.max_attempts)
            .bind(group.run_at)
            .bind(self.owner)
            .bind(self.batch)
            .bind(group.retries)
            .bind(group.tests)
            .bind(self.run.map(|of| of.run))
            .bind(self.run.map(|of| of.series))
            .bind(group.test_names)
            .bind(group.variants)
            .bind(group.projects)
            .fetch_one(connection)
            .await
            .map_err(store_error)?;
        self.stored += jobs;
        self.stored_at = Some(time(stored_at)?);
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
}
