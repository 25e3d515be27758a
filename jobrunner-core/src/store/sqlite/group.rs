use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{bind, both::run, clock, sql, steps, store_error};
use crate::{
    JobId, JobSpec, Result,
    store::{
        engine::{
            identity, spec,
            values::{render, time},
        },
        feed,
    },
};

/// How many jobs one statement stores, unless they are large.
pub(super) const GROUP_JOBS: usize = 1000;

/// How many bytes of JSON one statement takes, about.
const GROUP_BYTES: usize = 1 << 20;

/// Fresh jobs of one owner, stored by a handful of statements however many they are.
#[derive(Default)]
pub(super) struct Group {
    ids: Vec<Uuid>,
    queues: BTreeSet<String>,
    /// Their specifications, separated by commas.
    specs: String,
    /// Their tests: numbers, names and variants.
    tests: Vec<(i64, String, Option<String>)>,
}

impl feed::Group for Group {
    fn add(&mut self, spec: JobSpec) -> Result<()> {
        self.push(JobId::new(), spec)
    }

    fn is_full(&self) -> bool {
        self.ids.len() >= GROUP_JOBS || self.specs.len() >= GROUP_BYTES
    }

    fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl Group {
    pub(super) fn push(&mut self, id: JobId, spec: JobSpec) -> Result<()> {
        if !self.specs.is_empty() {
            self.specs.push(',');
        }
        self.specs.push_str(&spec::render(&spec)?);
        let (number, variant) =
            (identity::of_spec(&spec), identity::stored_variant(&spec.variant)?);
        self.tests.push((number, spec.test.unwrap_or(spec.name), variant));
        self.queues.insert(spec.queue);
        self.ids.push(id.as_uuid());
        Ok(())
    }
}

/// Where fresh jobs of one owner go.
pub(super) struct Place {
    pub(super) owner: Uuid,
    pub(super) batch: Option<Uuid>,
    /// The run that they are of.
    pub(super) run: Option<run::Place>,
    /// How many jobs have been stored.
    pub(super) stored: usize,
    /// When the last of them were.
    pub(super) stored_at: Option<DateTime<Utc>>,
}

impl Place {
    pub(super) const fn new(owner: Uuid, batch: Option<Uuid>, run: Option<run::Place>) -> Self {
        Self { owner, batch, run, stored: 0, stored_at: None }
    }

    /// Stores jobs, and makes the lanes that do not exist yet.
    pub(super) async fn store(
        &mut self,
        connection: &mut SqliteConnection,
        group: Group,
    ) -> Result<()> {
        let Group { ids, queues, specs, mut tests } = group;
        let lanes = sqlx::query(steps!("job/insert_queues", "job/insert_lanes"))
            .bind(render(&queues)?)
            .bind(self.owner);
        lanes.execute(&mut *connection).await.map_err(store_error)?;
        let now = clock::now();
        let jobs = ids.len();
        let raw_ids: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
        let owners: Vec<u8> = ids.iter().flat_map(|_| *self.owner.as_bytes()).collect();
        // As bytes: the nth of them is found at once, that of a text by walking through it.
        let numbers: String = tests.iter().map(|(number, ..)| format!("{number:>20}")).collect();
        sqlx::query(steps!("job/insert", "job/insert_ready", "job/insert_deferred"))
            .bind(bind::ids(ids)?)
            .bind(now)
            .bind(raw_ids)
            .bind(format!("[{specs}]"))
            .bind(owners)
            .bind(self.batch)
            .bind(numbers.into_bytes())
            .bind(self.run.map(|of| of.run))
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        if let Some(of) = self.run {
            // In the order of their table, which is then written from one end to the other.
            tests.sort_unstable();
            let known = sqlx::query(sql!("test/insert")).bind(render(&tests)?).bind(of.series);
            known.execute(connection).await.map_err(store_error)?;
        }
        self.stored += jobs;
        self.stored_at = Some(time(now)?);
        Ok(())
    }
}
