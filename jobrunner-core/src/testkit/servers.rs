//! Real servers for tests: PostgreSQL and Redis out of the machine's packages, private to those who
//! start them, on a free port of 127.0.0.1 and in a directory of their own.
//!
//! A server ends and its directory goes when its owner is dropped, and also when the test is
//! killed. All functions block, and panic with one sentence when a server does not do as it is
//! told: a test that needs a server fails without one and is never skipped.
//!
//! Most tests need no server of their own, only a database or a prefix of keys, and starting one
//! takes seconds. They use [`PrivatePostgres::shared`] and [`PrivateRedis::shared`]: the servers
//! whose URLs are in the environment, as the example `test-servers` starts them once for a run of
//! all tests, or else one for the process.

mod guard;
mod postgres;
mod redis;

use std::{
    env,
    path::{Path, PathBuf},
};

pub use postgres::{PostgresBuilder, PrivatePostgres, SharedPostgres};
pub use redis::{PrivateRedis, SharedRedis};

/// The URL of a PostgreSQL server for tests; its user may create databases.
pub const POSTGRES_VARIABLE: &str = "JOBRUNNER_TEST_POSTGRES";

/// The URL of a Redis server for tests.
pub const REDIS_VARIABLE: &str = "JOBRUNNER_TEST_REDIS";

/// Finds a program on the path or in `elsewhere`.
///
/// # Panics
/// It is in neither; the text says which package to install.
fn program(name: &str, package: &str, elsewhere: &[PathBuf]) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path);
    let found = on_path.chain(elsewhere.iter().cloned()).map(|in_there| in_there.join(name));
    let mut found = found.filter(|candidate| candidate.is_file());
    found.next().unwrap_or_else(|| {
        panic!("`{name}` was not found, so please install it: apt-get install {package}")
    })
}

/// The last lines of a log, for the message of a test that fails.
fn tail(log: &Path) -> String {
    const LINES: usize = 40;
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
