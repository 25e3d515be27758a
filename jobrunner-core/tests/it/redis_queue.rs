mod away;

use std::sync::Arc;

use futures_util::StreamExt;
use jobrunner_core::{
    JobId, Queue,
    queue::{Candidates, Link, RedisQueue, Wakeup},
    queue_conformance,
    testkit::servers::PrivateRedis,
};
use redis::FromRedisValue;

async fn fresh() -> (Arc<dyn Queue>, ()) {
    (Arc::new(Bench::shared().queue().await), ())
}

queue_conformance!(fresh);

/// A place in a Redis.
struct Bench {
    url: String,
    prefix: String,
}

impl Bench {
    fn shared() -> Self {
        Self::at(PrivateRedis::shared().url())
    }

    fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), prefix: PrivateRedis::shared().fresh_prefix() }
    }

    /// The queue of one more process.
    async fn queue(&self) -> RedisQueue {
        RedisQueue::connect(&self.url, &self.prefix).await.expect("a queue")
    }

    /// Sends a command on a connection of its own.
    async fn redis<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let client = redis::Client::open(self.url.as_str()).expect("a URL");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        let mut words = redis::cmd(command[0]);
        words.arg(&command[1..]);
        words.query_async(&mut connection).await.expect("an answer")
    }
}

#[tokio::test]
async fn wakeups_reach_other_processes_with_the_same_prefix() {
    let (bench, elsewhere) = (Bench::shared(), Bench::shared());
    let (one, other, far) = (bench.queue().await, bench.queue().await, elsewhere.queue().await);
    let (mut there, mut away) = (other.wakeups(), far.wakeups());
    let changed = Wakeup::Changed { job: Some(JobId::new()), batch: None };
    one.announce(changed.clone()).await;
    while there.next().await.expect("a wake-up") != changed {}
    far.announce(Wakeup::Cancel).await;
    while away.next().await.expect("a wake-up") != Wakeup::Cancel {}
    assert_eq!(one.link().await, Link::Up);
}

#[tokio::test]
async fn an_offer_wakes_workers_elsewhere_and_leaves_the_choice_to_the_store() {
    let bench = Bench::shared();
    let (one, other) = (bench.queue().await, bench.queue().await);
    let mut there = other.wakeups();
    one.offer(&[]).await;
    while there.next().await.expect("a wake-up") != Wakeup::Work {}
    assert_eq!(other.candidates(&[], 8).await, Candidates::AskStore);
    let kept: Vec<String> = bench.redis(&["KEYS", &format!("*{}*", bench.prefix)]).await;
    assert_eq!(kept, Vec::<String>::new(), "nothing is kept");
}

#[tokio::test]
async fn a_queue_that_is_dropped_ends_its_streams() {
    let queue = Bench::shared().queue().await;
    let mut listener = queue.wakeups();
    drop(queue);
    while listener.next().await.is_some() {}
}

#[tokio::test]
async fn urls_and_prefixes_that_cannot_be_used_are_refused() {
    let url = PrivateRedis::shared().url();
    for (url, prefix) in [("http://localhost", "p"), (url, ""), (url, "a}b")] {
        assert!(RedisQueue::connect(url, prefix).await.is_err());
    }
}

#[tokio::test]
async fn a_server_without_tls_counts_as_away_if_tls_is_asked_for() {
    let bench = Bench::shared();
    let url = bench.url.replace("redis://", "rediss://");
    let queue = RedisQueue::connect(&url, &bench.prefix).await.expect("a queue");
    assert_eq!(queue.link().await, Link::Down);
}
