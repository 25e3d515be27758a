use std::{
    fs::{OpenOptions, Permissions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use sqlx::{
    ConnectOptions, SqliteConnection, SqlitePool,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};

use super::store_error;
use crate::{
    Conflict, Error, Result,
    store::migrations::{File, files, migrator},
};

/// How many requests may read at one time.
const READERS: u32 = 4;

/// How long a request waits for a connection before it is told that the store is unavailable.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);

const MIGRATIONS_TABLE: &str = "jobrunner_migration";

const MIGRATIONS: &[File] = files!(
    "sqlite",
    "0011_turns",
    "0012_skipped",
    "0013_accounts",
    "0014_results",
    "0015_reports",
    "0016_projects",
    "0017_notifications",
    "0018_known_issues",
    "0019_series_of_projects",
    "0021_windows"
);

/// What a commit waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The disk: what is acknowledged survives the loss of power, not only that of the process.
    #[default]
    Kept,
    /// Nothing. For files that nobody opens again: what is acknowledged survives this process
    /// alone, and after a loss of power the file may be damaged.
    ThrownAway,
}

/// The one connection that writes, with the schema brought up to date.
pub(super) async fn open_writer(path: &Path, durability: Durability) -> Result<SqliteConnection> {
    // Password hashes, environments and output are nobody else's. What SQLite puts beside it gets
    // the same mode.
    let own = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    let own = own.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)));
    own.map_err(|error| Error::unavailable("the database's file", error))?;
    let options = options(path)
        .create_if_missing(true)
        .synchronous(match durability {
            Durability::Kept => SqliteSynchronous::Full,
            Durability::ThrownAway => SqliteSynchronous::Off,
        })
        // Carrying 16 MB over into the database takes the writer's time: four times as rarely as by
        // default, a commit in hundreds waits for it.
        .pragma("wal_autocheckpoint", "4000")
        .pragma("cache_size", "-8192");
    let mut connection = options.connect().await.map_err(store_error)?;
    // Not one of the options, which would set it before what decides about waiting for the disk.
    let wal = sqlx::query("pragma journal_mode = wal");
    wal.execute(&mut connection).await.map_err(store_error)?;
    migrate(&mut connection).await?;
    Ok(connection)
}

/// Connections that only read.
pub(super) async fn open_readers(path: &Path) -> Result<SqlitePool> {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_with(options(path).pragma("query_only", "on").pragma("cache_size", "-1024"))
        .await
        .map_err(store_error)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(128)
        .disable_statement_logging()
}

async fn migrate(connection: &mut SqliteConnection) -> Result<()> {
    let migrator = migrator(MIGRATIONS, MIGRATIONS_TABLE);
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) => Conflict::SchemaTooNew.into(),
        other => Error::internal("migrating the database", other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_waits_for_the_disk_and_what_is_thrown_away_does_not() {
        let directory = tempfile::tempdir().expect("a directory");
        for (durability, expected) in [(Durability::Kept, 2), (Durability::ThrownAway, 0)] {
            let path = directory.path().join(format!("{durability:?}"));
            let mut writer = open_writer(&path, durability).await.expect("a database");
            let synchronous: i64 = sqlx::query_scalar("pragma synchronous")
                .fetch_one(&mut writer)
                .await
                .expect("an answer");
            let journal: String = sqlx::query_scalar("pragma journal_mode")
                .fetch_one(&mut writer)
                .await
                .expect("an answer");
            assert_eq!((synchronous, journal.as_str()), (expected, "wal"), "{durability:?}");
        }
    }
}
