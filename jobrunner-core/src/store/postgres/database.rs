use std::{str::FromStr, time::Duration};

use rand::{TryRng, rngs::SysRng};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    migrate::MigrateError,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use tokio::time::timeout;

use super::{sql, store_error};
use crate::{
    Conflict, Error, Result,
    store::migrations::{File, files, migrator, newest},
};

/// How a [`PostgresStore`](super::PostgresStore) uses its database.
#[derive(Clone, Copy, Debug)]
pub struct PostgresOptions {
    /// How many connections it opens at most, half of them for changes, beside one that keeps
    /// leases and one that stores single jobs. At least two.
    pub max_connections: u32,
    /// How long a request waits for a connection before it is told that the database is
    /// unavailable.
    pub acquire_timeout: Duration,
}

impl Default for PostgresOptions {
    /// 16 connections, 3 seconds.
    fn default() -> Self {
        Self { max_connections: 16, acquire_timeout: Duration::from_secs(3) }
    }
}

/// The oldest server that will do, as `server_version_num`.
const OLDEST: u32 = 140_000;

const MIGRATIONS_TABLE: &str = "jobrunner.migration";

/// What all who migrate lock: "jobrunner" in ASCII, as far as it fits.
const MIGRATION_LOCK: i64 = 0x6a6f_6272_756e_6e65;

const MIGRATIONS: &[File] = files!(
    "postgres",
    "0010_fewer_indexes",
    "0011_turns",
    "0012_skipped",
    "0013_accounts",
    "0014_results",
    "0015_reports",
    "0016_projects",
    "0017_notifications",
    "0018_known_issues",
    "0019_series_of_projects",
    "0020_months",
    "0021_windows"
);

/// So many slots are enough to keep a few hundred processes off each other's counts.
const SLOTS: i16 = 32;

/// How the statements of a connection get their plans.
#[derive(Clone, Copy)]
enum Plans {
    /// Changes, and what fills a queue: few statements, each carried out many thousand times. Each
    /// is planned once for a connection, since planning takes longer than most of them run
    /// (measured: 0.9 ms a job). A plan that is made while a table is small stays when it has grown
    /// by a million rows, so the planner is left only those plans that are right at every size:
    /// nested loops over indexes.
    Kept,
    /// Lists and pages: their filters differ, and so do the plans that are right for them.
    Fresh,
}

impl Plans {
    const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Kept => &[
                ("plan_cache_mode", "force_generic_plan"),
                ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("jit", "off"),
            ],
            Self::Fresh => &[("plan_cache_mode", "force_custom_plan"), ("jit", "off")],
        }
    }
}

/// The settings of the connections that carry out changes, for tests of the plans that they lead
/// to.
#[cfg(feature = "testkit")]
#[must_use]
pub const fn settings_of_changes() -> &'static [(&'static str, &'static str)] {
    Plans::Kept.settings()
}

/// The pools of a store, not connected yet.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    /// For what is looked at.
    pub(super) reads: PgPool,
    /// For what changes.
    pub(super) changes: PgPool,
    /// For what keeps leases: never waits behind requests for a connection.
    pub(super) reserved: PgPool,
}

pub(super) fn open(url: &str, options: PostgresOptions) -> Result<Pools> {
    let connect = connect_options(url)?;
    let pool = |connections: u32, plans: Plans| {
        PgPoolOptions::new()
            .max_connections(connections.max(1))
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, idle| Box::pin(is_alive(connection, idle.idle_for)))
            .connect_lazy_with(connect.clone().options(plans.settings().iter().copied()))
    };
    let changes = options.max_connections / 2;
    Ok(Pools {
        reads: pool(options.max_connections - changes, Plans::Fresh),
        changes: pool(changes, Plans::Kept),
        reserved: pool(1, Plans::Kept),
    })
}

/// What a URL asks for. What the driver says of one that it cannot read may quote it, password
/// included, and is not passed on.
pub(crate) fn read_url(url: &str) -> Result<PgConnectOptions> {
    let right = "is not a URL such as postgres://user:password@host/name?sslmode=verify-full";
    PgConnectOptions::from_str(url).map_err(|_| Error::invalid("DATABASE_URL", right))
}

/// Whether a connection still works that nobody has used for a while. Asking costs a round trip, so
/// one that was used a moment ago is not asked.
async fn is_alive(connection: &mut PgConnection, idle_for: Duration) -> sqlx::Result<bool> {
    const MOMENT: Duration = Duration::from_secs(1);
    if idle_for >= MOMENT {
        connection.ping().await?;
    }
    Ok(true)
}

fn connect_options(url: &str) -> Result<PgConnectOptions> {
    Ok(read_url(url)?
        .application_name("jobrunner")
        .options([
            // A process that was stopped inside a transaction must not keep its locks: others wait
            // for the lane that it claimed from. Between two statements there is never much to do.
            ("idle_in_transaction_session_timeout", "5s"),
            ("lock_timeout", "20s"),
            ("statement_timeout", "60s"),
        ])
        .disable_statement_logging())
}

/// Which counts this process writes to. Two processes with the same slot only wait for each other.
pub(super) fn slot() -> i16 {
    let mut bytes = [0; 2];
    // Without randomness all processes share a slot.
    let random = SysRng.try_fill_bytes(&mut bytes).map(|()| u16::from_le_bytes(bytes)).unwrap_or(0);
    (random % SLOTS.unsigned_abs()) as i16
}

/// The counts that transactions of the embedder's own write to, which may stay open for long:
/// nothing else waits for them.
pub(super) const fn slot_of_others(slot: i16) -> i16 {
    slot + SLOTS
}

/// Fails unless the schema is at least as new as this version needs it. Uses a connection of its
/// own: a pool would only tell that it has none.
pub(super) async fn check_version(url: &str) -> Result<()> {
    const UNDEFINED_TABLE: &str = "42P01";
    const UNDEFINED_SCHEMA: &str = "3F000";
    const PATIENCE: Duration = Duration::from_secs(10);
    let connecting = connect_options(url)?;
    let mut connection = timeout(PATIENCE, connecting.connect())
        .await
        .map_err(|late| Error::unavailable("the database", late))?
        .map_err(connect_error)?;
    let found: Result<Option<i64>, _> =
        sqlx::query_scalar(sql!("database/version")).fetch_one(&mut connection).await;
    let version = match found {
        Ok(version) => version,
        Err(sqlx::Error::Database(error))
            if [UNDEFINED_TABLE, UNDEFINED_SCHEMA]
                .contains(&&*error.code().unwrap_or_default()) =>
        {
            None
        }
        Err(error) => return Err(connect_error(error)),
    };
    let needed = newest(MIGRATIONS);
    match version {
        None => Err(Conflict::SchemaMissing.into()),
        version if version < needed => Err(Conflict::SchemaTooOld.into()),
        _ => Ok(()),
    }
}

/// Sorts what the driver reports while a process starts: a database, an account or a password that
/// the server does not know is then the operator's to mend.
fn connect_error(error: sqlx::Error) -> Error {
    const REFUSING: [&str; 2] = ["28", "3D"];
    match &error {
        sqlx::Error::Database(refusal)
            if REFUSING
                .iter()
                .any(|class| refusal.code().is_some_and(|code| code.starts_with(class))) =>
        {
            Error::invalid("DATABASE_URL", format!("is refused: {}", refusal.message()))
        }
        _ => store_error(error),
    }
}

pub(super) async fn migrate(url: &str) -> Result<()> {
    let options =
        connect_options(url)?.options([("lock_timeout", "0"), ("statement_timeout", "0")]);
    let mut connection = options.connect().await.map_err(connect_error)?;
    check_server(&connection)?;
    // Held until the connection is closed. Even 'create schema if not exists' fails when two do it
    // at once.
    sqlx::query("select pg_advisory_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut connection)
        .await
        .map_err(store_error)?;
    let migrated = migrate_alone(&mut connection).await;
    connection.close().await.map_err(store_error)?;
    migrated
}

fn check_server(connection: &PgConnection) -> Result<()> {
    match connection.server_version_num() {
        Some(version) if version < OLDEST => {
            Err(Conflict::ServerTooOld { found: version / 10_000, needed: OLDEST / 10_000 }.into())
        }
        _ => Ok(()),
    }
}

async fn migrate_alone(connection: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql("create schema if not exists jobrunner")
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let mut migrator = migrator(MIGRATIONS, MIGRATIONS_TABLE);
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) => Conflict::SchemaTooNew.into(),
        MigrateError::Execute(error) => store_error(error),
        other => Error::internal("migrating the database", other),
    })
}
