//! A store without a service, for the rows that ask it itself, and jobs for it.

use std::{sync::Arc, time::Duration};

use jobrunner_core::{
    JobSpec,
    lease::{Finish, Finished, LeaseRef, Leased},
    store::{
        postgres::{PostgresOptions, PostgresStore},
        sqlite::SqliteStore,
    },
    testkit::{Fixture, Hand, spec},
};

use crate::{postgres::Postgres, rows::Scale, site::Backend};

/// An empty store, and the URL of its database if a server has it.
pub(crate) struct Opened {
    pub(crate) fixture: Fixture,
    pub(crate) url: String,
}

impl Opened {
    pub(crate) async fn new(scale: &Scale, backend: Backend) -> Self {
        match backend {
            Backend::Embedded => {
                let directory = tempfile::tempdir().expect("a directory");
                let file = directory.path().join("bench.sqlite3");
                let store = SqliteStore::open(&file).await.expect("a store");
                Self { fixture: Fixture::new(Arc::new(store), directory), url: String::new() }
            }
            Backend::Postgres | Backend::PostgresAndRedis => {
                let server = Postgres::of(scale);
                let url = server.create_database();
                PostgresStore::migrate(&url).await.expect("a schema");
                let store = PostgresStore::connect(&url, PostgresOptions::default()).await;
                Self { fixture: Fixture::new(Arc::new(store.expect("a store")), server), url }
            }
        }
    }
}

/// One of many tests.
pub(crate) fn one(n: usize) -> JobSpec {
    let command = ["python3", "-m", "pytest", "-x", &format!("tests/test_{n}.py")];
    JobSpec { command: command.map(str::to_owned).into(), ..spec(&format!("test {n}")) }
}

pub(crate) fn many(count: usize) -> Vec<JobSpec> {
    (0..count).map(one).collect()
}

/// A worker whose session outlives any row.
pub(crate) async fn hand(fixture: &Fixture) -> Hand {
    fixture.hand_for(Duration::from_secs(24 * 3_600)).await
}

/// Reports that what was claimed has passed.
pub(crate) async fn pass(hand: &Hand, leased: Vec<Leased>) {
    end(hand, leased, |_, lease| hand.report(lease, None)).await;
}

/// Reports what is said of each that was claimed.
pub(crate) async fn end(
    hand: &Hand,
    leased: Vec<Leased>,
    report: impl Fn(usize, LeaseRef) -> Finish,
) {
    let reports = leased.into_iter().enumerate().map(|(n, leased)| report(n, leased.lease));
    let reports: Vec<Finish> = reports.collect();
    let ends = hand.store().finish(&reports).await.expect("a finish");
    assert!(ends.iter().all(|end| *end == Finished::Won), "each end is recorded");
}
