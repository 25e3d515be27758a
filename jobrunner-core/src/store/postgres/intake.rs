//! Single submissions: those that arrive while one statement is being committed share the next one.
//!
//! One task with a connection of its own takes all that have arrived, the first at once, and stores
//! them by one statement that commits by itself. What cannot be stored so, because its lane does
//! not exist yet, its key is being stored by somebody else at that moment, or the statement fails
//! for the sake of one of the group, goes back to its caller, who stores it alone in a transaction.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{
    Connection, FromRow, PgConnection,
    postgres::{PgConnectOptions, PgRow},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use uuid::Uuid;

use super::{sql, store_error};
use crate::{
    Error, ProjectName, Result,
    store::{
        engine::values::{render, time},
        intake::{Asked, GROUP, Known, Outcome, Request, firsts, settle, take, together},
    },
};

/// How many submissions may wait; further callers wait to hand theirs over.
const WAITING: usize = 256;

/// The longest a statement may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The longest that making a connection, or asking whether one is still there, may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// How long the statement waits for a lock, before each job of the group is stored alone.
const LOCK_LIMIT: &str = "5s";

/// After how long without use a connection is asked whether it is still there.
const IDLE: Duration = Duration::from_secs(1);

/// Hands submissions to the task that stores them. Cheap to clone; the task ends with the last
/// clone.
#[derive(Clone, Debug)]
pub(super) struct Intake(mpsc::Sender<Request>);

impl Intake {
    /// Starts the task. It connects when there is something to store.
    pub(super) fn start(options: &PgConnectOptions, slot: i16) -> Self {
        let (arriving, requests) = mpsc::channel(WAITING);
        let options = options.clone().options([("lock_timeout", LOCK_LIMIT)]);
        let kept = Kept { options, connection: None };
        tokio::spawn(store_all(kept, slot, requests));
        Self(arriving)
    }

    /// Stores a job together with others. A caller that goes away cannot undo it half-way.
    pub(super) async fn store(&self, asked: Box<Asked>) -> Result<Outcome> {
        let stopped =
            || Error::unavailable("the database", "the task that stores jobs has stopped");
        let (request, outcome) = Request::new(asked);
        self.0.send(request).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())
    }
}

async fn store_all(mut kept: Kept, slot: i16, mut requests: mpsc::Receiver<Request>) {
    let mut arrived = Vec::with_capacity(GROUP);
    while take(&mut requests, &mut arrived, GROUP).await {
        while !arrived.is_empty() {
            store(&mut kept, slot, together(&mut arrived)).await;
        }
    }
}

/// Stores a group, and lets each of its callers know.
async fn store(kept: &mut Kept, slot: i16, group: Vec<Request>) {
    let settled = match kept.insert(slot, &firsts(&group)).await {
        Ok(stored) => {
            let is_open = |request: &&Request| {
                let id = request.asked.id.as_uuid();
                request.asked.idempotency.is_some() && !stored.contains_key(&id)
            };
            let open: Vec<&Request> = group.iter().filter(is_open).collect();
            let known = kept.known(&open).await.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "cannot look keys up; their jobs are stored alone");
                Known::new()
            });
            settle(&group, &stored, known)
        }
        Err(Failed::Undone(error)) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "each job is stored alone");
            group.iter().map(|_| None).collect()
        }
        Err(Failed::Unknown(why)) => {
            let failed = |_| Some(Err(Error::unavailable("the database", why.clone())));
            group.iter().map(failed).collect()
        }
    };
    for (request, settled) in group.into_iter().zip(settled) {
        request.settle(settled);
    }
}

/// Why a group was not stored.
enum Failed {
    /// The server refused the statement, which stored nothing.
    Undone(sqlx::Error),
    /// The connection broke; what was sent may have been stored.
    Unknown(String),
}

impl Failed {
    fn new(error: sqlx::Error) -> Self {
        match is_refusal(&error) {
            true => Self::Undone(error),
            false => Self::Unknown(error.to_string()),
        }
    }
}

/// Whether the server refused a statement, and goes on.
fn is_refusal(error: &sqlx::Error) -> bool {
    /// Classes of SQLSTATE that may come at any moment, and end the connection: of connections,
    /// resources, operators and the system.
    const BROKEN: [&str; 4] = ["08", "53", "57", "58"];
    let sqlx::Error::Database(refusal) = error else { return false };
    let code = refusal.code().unwrap_or_default();
    !BROKEN.iter().any(|class| code.starts_with(class))
}

/// A connection that is kept between statements, and made anew when it is lost.
struct Kept {
    options: PgConnectOptions,
    /// With the time of its last use.
    connection: Option<(PgConnection, Instant)>,
}

impl Kept {
    /// Stores jobs, and returns which of them when.
    async fn insert(
        &mut self,
        slot: i16,
        group: &[&Request],
    ) -> Result<HashMap<Uuid, DateTime<Utc>>, Failed> {
        let columns = Columns::of(group).map_err(|error| Failed::Unknown(error.to_string()))?;
        let insert = sqlx::query(sql!("submit/group"))
            .bind(columns.ids)
            .bind(columns.places)
            .bind(columns.specs)
            .bind(columns.names)
            .bind(columns.priorities)
            .bind(columns.max_attempts)
            .bind(columns.run_at)
            .bind(columns.retries)
            .bind(columns.keys)
            .bind(columns.owners)
            .bind(columns.queues)
            .bind(columns.digests)
            .bind(slot)
            .bind(columns.projects);
        let mut connection = self.take().await.map_err(Failed::new)?;
        let rows = in_time(LIMIT, insert.fetch_all(&mut connection)).await;
        self.put_back(connection, &rows);
        let read = |row: &PgRow| {
            let (id, at): (Uuid, i64) = FromRow::from_row(row).map_err(Failed::new)?;
            let at = time(at).map_err(|error| Failed::Unknown(error.to_string()))?;
            Ok((id, at))
        };
        rows.map_err(Failed::new)?.iter().map(read).collect()
    }

    /// What earlier requests with the keys of these made.
    async fn known(&mut self, requests: &[&Request]) -> Result<Known> {
        if requests.is_empty() {
            return Ok(Known::new());
        }
        let keys = requests.iter().filter_map(|request| request.asked.key());
        let (owners, keys): (Vec<Uuid>, Vec<String>) = keys.unzip();
        let find = sqlx::query(sql!("submit/known")).bind(owners).bind(keys);
        let mut connection = self.take().await.map_err(store_error)?;
        let rows = in_time(LIMIT, find.fetch_all(&mut connection)).await;
        self.put_back(connection, &rows);
        let read = |row: &PgRow| {
            let (owner, key, digest, made) = FromRow::from_row(row).map_err(store_error)?;
            Ok(((owner, key), (digest, made)))
        };
        rows.map_err(store_error)?.iter().map(read).collect()
    }

    /// The connection, if it is still there after a pause, or another one.
    async fn take(&mut self) -> sqlx::Result<PgConnection> {
        if let Some((mut connection, used)) = self.connection.take()
            && (used.elapsed() < IDLE || in_time(CONNECT_LIMIT, connection.ping()).await.is_ok())
        {
            return Ok(connection);
        }
        in_time(CONNECT_LIMIT, PgConnection::connect_with(&self.options)).await
    }

    /// Keeps the connection, unless what it was used for broke it.
    fn put_back<T>(&mut self, connection: PgConnection, done: &sqlx::Result<T>) {
        if done.as_ref().err().is_none_or(is_refusal) {
            self.connection = Some((connection, Instant::now()));
        }
    }
}

/// A connection whose other end has vanished says nothing for many minutes.
async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    let late = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    timeout(limit, work).await.map_err(late)?
}

#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    places: Vec<i64>,
    specs: Vec<&'a str>,
    names: Vec<&'a str>,
    priorities: Vec<i16>,
    max_attempts: Vec<i64>,
    run_at: Vec<Option<DateTime<Utc>>>,
    retries: Vec<Option<String>>,
    projects: Vec<Option<&'a str>>,
    keys: Vec<Option<&'a str>>,
    digests: Vec<Option<&'a [u8]>>,
    /// Of each lane once.
    owners: Vec<Uuid>,
    queues: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(group: &[&'a Request]) -> Result<Self> {
        let mut columns = Self::default();
        let mut lanes = HashMap::new();
        for &request in group {
            let asked = &request.asked;
            let lane = (asked.owner.as_uuid(), asked.spec.queue.as_str());
            let place = *lanes.entry(lane).or_insert_with(|| {
                columns.owners.push(lane.0);
                columns.queues.push(lane.1);
                columns.owners.len() as i64
            });
            columns.ids.push(asked.id.as_uuid());
            columns.places.push(place);
            columns.specs.push(&asked.rendered);
            columns.names.push(&asked.spec.name);
            columns.priorities.push(i16::from(asked.spec.priority));
            columns.max_attempts.push(i64::from(asked.spec.max_attempts));
            columns.run_at.push(asked.spec.scheduled_at);
            columns.retries.push(asked.spec.retry.as_ref().map(render).transpose()?);
            columns.projects.push(asked.spec.project.as_ref().map(ProjectName::as_str));
            let once = asked.idempotency.as_ref();
            columns.keys.push(once.map(|once| once.key.as_str()));
            columns.digests.push(once.map(|once| once.digest.as_slice()));
        }
        Ok(columns)
    }
}
