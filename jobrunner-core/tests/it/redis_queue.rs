mod away;
mod lanes;

use std::sync::Arc;

use futures_util::StreamExt;
use jobrunner_core::{
    JobId, JobSpec, Queue, Store, UserId,
    queue::{Candidates, Hint, Link, RedisQueue, Wakeup},
    queue_conformance,
    store::sqlite::SqliteStore,
    testkit::{Fixture, servers::PrivateRedis, spec, wait_until},
};
use redis::FromRedisValue;
use tempfile::TempDir;

async fn fresh() -> (Arc<dyn Queue>, Bench) {
    let bench = Bench::shared().await;
    (Arc::new(bench.ready_queue().await), bench)
}

queue_conformance!(fresh);

/// A store, and a place in a Redis.
struct Bench {
    fixture: Fixture,
    url: String,
    prefix: String,
    _directory: TempDir,
}

impl Bench {
    async fn shared() -> Self {
        Self::at(PrivateRedis::shared().url()).await
    }

    async fn at(url: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("test.sqlite3");
        let store = SqliteStore::open(&path).await.expect("a store");
        let fixture = Fixture::new(Arc::new(store), ());
        let prefix = PrivateRedis::shared().fresh_prefix();
        Self { fixture, url: url.to_owned(), prefix, _directory: directory }
    }

    /// The queue of one more process.
    async fn queue(&self) -> RedisQueue {
        let store: Arc<dyn Store> = Arc::clone(&self.fixture.store);
        RedisQueue::connect(&self.url, store, &self.prefix).await.expect("a queue")
    }

    /// The queue of one more process, when the lanes are complete.
    async fn ready_queue(&self) -> RedisQueue {
        let queue = self.queue().await;
        self.rebuilt(1).await;
        queue
    }

    /// Waits until the lanes were rebuilt so many times and are complete.
    async fn rebuilt(&self, times: u64) {
        let asked = || async {
            let rebuilds: Option<u64> = self.redis(&["GET", &self.key("rebuilds")]).await;
            let complete: bool = self.redis(&["EXISTS", &self.key("epoch")]).await;
            (complete && rebuilds == Some(times)).then_some(())
        };
        wait_until("a rebuild", asked).await;
    }

    fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.prefix)
    }

    async fn redis<T: FromRedisValue>(&self, command: &[&str]) -> T {
        ask(&self.url, command).await
    }

    /// Submits a job and tells the queue.
    async fn offer(&self, queue: &RedisQueue, owner: UserId, spec: JobSpec) -> JobId {
        let (name, priority) = (spec.queue.clone(), spec.priority);
        let job = self.fixture.job(owner, spec).await;
        queue.offer(&[Hint::Job { job, priority, queue: name, owner }]).await;
        job
    }
}

/// Sends a command on a connection of its own.
async fn ask<T: FromRedisValue>(url: &str, command: &[&str]) -> T {
    let client = redis::Client::open(url).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let mut words = redis::cmd(command[0]);
    words.arg(&command[1..]);
    words.query_async(&mut connection).await.expect("an answer")
}

fn in_queue(queue: &str, priority: u8) -> JobSpec {
    JobSpec { queue: queue.to_owned(), priority, ..spec("a job") }
}

/// Asks for candidates until so many are there; an answer to ask the store is passed over.
async fn take(queue: &RedisQueue, queues: &[&str], count: usize) -> Vec<JobId> {
    let queues: Vec<String> = queues.iter().map(|name| (*name).to_owned()).collect();
    let taken = tokio::sync::Mutex::new(Vec::new());
    let what = format!("{count} candidates");
    wait_until(&what, || async {
        let mut taken = taken.lock().await;
        let want = u32::try_from(count - taken.len()).expect("few");
        if let Candidates::Ids(ids) = queue.candidates(&queues, want).await {
            assert!(ids.len() <= want as usize);
            taken.extend(ids);
        }
        (taken.len() == count).then_some(())
    })
    .await;
    taken.into_inner()
}

#[tokio::test]
async fn wakeups_reach_other_processes_with_the_same_prefix() {
    let (bench, elsewhere) = (Bench::shared().await, Bench::shared().await);
    let (one, other, far) = (bench.queue().await, bench.queue().await, elsewhere.queue().await);
    elsewhere.rebuilt(1).await;
    let (mut there, mut away) = (other.wakeups(), far.wakeups());
    let changed = Wakeup::Changed { job: Some(JobId::new()), batch: None };
    one.announce(changed.clone()).await;
    while there.next().await.expect("a wake-up") != changed {}
    far.announce(Wakeup::Cancel).await;
    while away.next().await.expect("a wake-up") != Wakeup::Cancel {}
    assert_eq!(one.link().await, Link::Up);
}

#[tokio::test]
async fn a_queue_that_is_dropped_ends_its_streams() {
    let bench = Bench::shared().await;
    let queue = bench.queue().await;
    let mut listener = queue.wakeups();
    drop(queue);
    while listener.next().await.is_some() {}
}

#[tokio::test]
async fn urls_and_prefixes_that_cannot_be_used_are_refused() {
    let bench = Bench::shared().await;
    let store: Arc<dyn Store> = Arc::clone(&bench.fixture.store);
    for (url, prefix) in [("http://localhost", "p"), (bench.url.as_str(), ""), (&bench.url, "a}b")]
    {
        assert!(RedisQueue::connect(url, Arc::clone(&store), prefix).await.is_err());
    }
}

#[tokio::test]
async fn a_server_without_tls_counts_as_away_if_tls_is_asked_for() {
    let bench = Bench::shared().await;
    let store: Arc<dyn Store> = Arc::clone(&bench.fixture.store);
    let url = bench.url.replace("redis://", "rediss://");
    let queue = RedisQueue::connect(&url, store, &bench.prefix).await.expect("a queue");
    assert_eq!(queue.link().await, Link::Down);
}
