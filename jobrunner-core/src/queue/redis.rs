//! Wake-ups by way of Redis.

mod letters;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use redis::Client;
use tokio::task::JoinSet;

use self::wire::Wire;
use super::{
    Candidates, Hint, Link, Queue, Wakeup,
    relay::{Relay, relay},
};
use crate::{Error, Result};

/// The queue of processes that share a database and a Redis: it knows no jobs, the store chooses
/// them, and wakes those who wait in all processes by `PUBLISH` and `SUBSCRIBE`, which spares the
/// database a connection and a `NOTIFY` for each wake-up.
///
/// Nothing is kept in Redis. Earlier versions kept the ids of jobs there, by turns; claiming jobs
/// by id cost the database half as much again as letting it choose (see `docs/PERFORMANCE.md`).
///
/// **Redis away.** Who runs into it waits a quarter of a second; for those who follow it counts as
/// away until it answers again, which is tried about once a second. Wake-ups reach this process
/// only meanwhile, workers look for work by themselves twice a second, and what was missed is told
/// as [`Wakeup::Lagged`] when it is back.
///
/// Dropping the queue ends its connections; what was announced a moment before may not get out.
pub struct RedisQueue {
    wire: Arc<Wire>,
    relay: Arc<Relay>,
    /// Aborted when the queue is dropped.
    _tasks: JoinSet<()>,
}

impl RedisQueue {
    /// The prefix of those who do not choose one.
    pub const PREFIX: &'static str = "jobrunner";

    /// Uses the server at `url`, with a channel whose name begins with `prefix` in braces. Waits a
    /// few seconds at most for the server, and does without as long as it is away.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for a URL or a prefix that cannot be used.
    pub async fn connect(url: &str, prefix: &str) -> Result<Self> {
        let client = Client::open(url).map_err(|_| {
            // What the library says may quote a part of it.
            Error::invalid("REDIS_URL", "is not a URL such as redis://:password@host:6379/0")
        })?;
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            return Err(Error::invalid("prefix", "must be some text without braces"));
        }
        let wire = Arc::new(Wire::new(client.clone()));
        let channel = format!("{{{prefix}}}:wakeups");
        let (connected, subscribed) =
            tokio::join!(wire.connect(), letters::subscribe(&client, &channel));
        if let Err(error) = connected {
            let error = wire::error_field(&error);
            tracing::warn!(error, "Redis is away; workers look for work by themselves");
        }
        let (relay, outbox) = relay();
        let relay = Arc::new(relay);
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&wire).keep());
        tasks.spawn(letters::tell(Arc::clone(&wire), channel.clone(), outbox));
        tasks.spawn(letters::hear(client, channel, subscribed.ok(), Arc::clone(&relay)));
        Ok(Self { wire, relay, _tasks: tasks })
    }
}

#[async_trait]
impl Queue for RedisQueue {
    async fn offer(&self, _hints: &[Hint]) {
        self.relay.announce(Wakeup::Work);
    }

    async fn candidates(&self, _queues: &[String], _want: u32) -> Candidates {
        Candidates::AskStore
    }

    async fn announce(&self, wakeup: Wakeup) {
        self.relay.announce(wakeup);
    }

    fn wakeups(&self) -> BoxStream<'static, Wakeup> {
        self.relay.wakeups()
    }

    async fn link(&self) -> Link {
        let ping = redis::cmd("PING");
        let answer = self
            .wire
            .ask(|mut redis| async move { ping.query_async::<redis::Value>(&mut redis).await });
        if answer.await.is_some() { Link::Up } else { Link::Down }
    }
}
