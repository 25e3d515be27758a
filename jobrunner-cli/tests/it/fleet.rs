//! A fleet as its operators run it: several servers and workers, each a process of its own, over
//! one database, and what becomes of their jobs when parts of it fail.

mod client;
mod end_to_end;
mod ends;
mod held;
mod ledger;
mod load;
mod on_both;
mod postgres;
mod process;
mod reckoning;
mod redis;
mod servers;
mod site;
mod workers;

use std::{path::Path, time::Duration};

use jobrunner_core::testkit::{
    servers::{PrivatePostgres, PrivateRedis},
    wait_until,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::{client::Client, ledger::Ledger, process::Daemon, site::Site};

/// How long a lease holds in these tests: short, but longer than a busy machine may keep a process
/// waiting. A worker that cannot renew for four fifths of it kills what it runs, which is right and
/// costs attempts.
const LEASE: Duration = Duration::from_secs(10);

/// How long the drain of a worker may take: more than any job that it lets end.
const DRAIN: Duration = Duration::from_secs(120);

/// How many fleets may run at one time in this process; `.config/nextest.toml` says it to nextest.
static TURNS: Semaphore = Semaphore::const_new(2);

/// What a fleet keeps its jobs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backends {
    Postgres,
    PostgresAndRedis,
}

/// What a fleet consists of.
#[derive(Clone, Copy, Debug)]
struct Plan {
    backends: Backends,
    servers: usize,
    workers: usize,
    /// How many jobs each worker runs at one time.
    slots: usize,
}

impl Plan {
    /// Two servers and three workers of four slots.
    fn over(backends: Backends) -> Self {
        Self { backends, servers: 2, workers: 3, slots: 4 }
    }
}

/// A running fleet. Dropping it kills everything that belongs to it, jobs included, and shows the
/// logs if the test has failed.
struct Fleet {
    clients: Vec<Client>,
    servers: Vec<Daemon>,
    workers: Vec<Daemon>,
    ledger: Ledger,
    plan: Plan,
    /// Behind the processes that use it, so that it is dropped after them.
    site: Site,
    redis: Option<PrivateRedis>,
    postgres: PrivatePostgres,
    _turn: SemaphorePermit<'static>,
}

impl Fleet {
    /// Starts a fleet; all of it is up when this returns.
    async fn start(plan: Plan) -> Self {
        let turn = TURNS.acquire().await.expect("an open semaphore");
        let postgres = PrivatePostgres::builder().durable().start();
        let redis = (plan.backends == Backends::PostgresAndRedis).then(PrivateRedis::start);
        let site = Site::new(&postgres.url(), redis.as_ref().map(PrivateRedis::url));
        site.init_database();
        let ledger = Ledger::new(&site.directory().join("ledger"));
        let mut fleet = Self {
            clients: Vec::new(),
            servers: Vec::new(),
            workers: Vec::new(),
            ledger,
            plan,
            site,
            redis,
            postgres,
            _turn: turn,
        };
        for number in 0..plan.servers {
            let server = fleet.site.server(number);
            fleet.servers.push(server);
        }
        for number in 0..plan.workers {
            let worker = fleet.site.worker(number, plan.slots);
            fleet.workers.push(worker);
        }
        for server in &fleet.servers {
            fleet.clients.push(Client::of(server).await);
        }
        fleet.workers_to_be(plan.workers).await;
        fleet.redis_to_be(if fleet.redis.is_some() { "ok" } else { "disabled" }).await;
        fleet
    }

    fn directory(&self) -> &Path {
        self.site.directory()
    }

    /// A client of the first server.
    fn client(&self) -> &Client {
        &self.clients[0]
    }

    /// Kills a server that may be dead already and starts another in its place.
    async fn replace_server(&mut self, number: usize) {
        self.servers[number].kill();
        self.servers[number] = self.site.server(number);
        self.clients[number] = Client::of(&self.servers[number]).await;
    }

    /// Kills a worker that may be dead already and starts another in its place.
    fn replace_worker(&mut self, number: usize) {
        self.workers[number].kill();
        self.workers[number] = self.site.worker(number, self.plan.slots);
    }

    /// Waits until the store knows of exactly so many workers.
    async fn workers_to_be(&self, count: usize) {
        let client = self.client();
        until(&format!("{count} workers"), async || {
            client.get("/workers").await["items"].as_array().expect("a list").len() == count
        })
        .await;
    }

    /// Waits until every server says so of Redis.
    async fn redis_to_be(&self, state: &str) {
        for client in &self.clients {
            let what = format!("Redis to be {state}");
            until(&what, async || client.get("/health").await["redis"] == state).await;
        }
    }
}

/// Waits for a condition.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    wait_until(what, async || holds().await.then_some(())).await;
}
