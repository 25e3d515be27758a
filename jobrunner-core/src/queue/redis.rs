//! A queue in Redis: fair among the lanes, and rebuilt from the store whenever Redis lost it.

mod fill;
mod lanes;
mod letters;
mod wire;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use redis::Client;
use tokio::{task::JoinSet, time::Instant};

use self::{
    fill::{Filler, Orders},
    lanes::{Entry, Lanes},
    wire::Wire,
};
use super::{
    Candidates, Hint, Link, Queue, Wakeup,
    relay::{Relay, relay},
};
use crate::{Error, Result, Store};

/// How often a process asks the store though there are jobs in the lanes.
const ASK_STORE: Duration = Duration::from_secs(1);

/// How often a process asks the store while the lanes are empty.
const ASK_STORE_WHEN_EMPTY: Duration = Duration::from_millis(500);

/// A queue in Redis, for many workers: each is proposed jobs that no other is, without the store
/// being asked.
///
/// Owners get turns in proportion to their weights, the lanes of each get its turns in proportion
/// to the weights of their queues, and give out their jobs by priority and age. A weight is learnt
/// from the store, with the jobs of a batch or a rebuild.
///
/// **What is lost is found.** A proposed job is forgotten at once and nobody confirms it. If the
/// worker dies, or a hint never arrives, the job is still in the store, which is asked about once a
/// second by each process whatever is in the lanes, and twice if they are empty. When much may be
/// missing, since Redis was flushed, restarted or out of reach when jobs were offered, one process
/// rebuilds the lanes in the background; until then all ask the store.
///
/// **Redis away.** Who runs into it waits a quarter of a second; for those who follow it counts as
/// away, and they are told at once to ask the store, until it answers and takes writes again. That
/// is tried about once a second. Memory must be given by the policy `noeviction`, as the default
/// is.
///
/// Dropping the queue ends its connections; what was announced a moment before may not get out.
pub struct RedisQueue {
    wire: Arc<Wire>,
    lanes: Arc<Lanes>,
    relay: Arc<Relay>,
    orders: Arc<Orders>,
    /// When this process was last told to ask the store.
    asked: Mutex<Option<Instant>>,
    /// Aborted when the queue is dropped.
    _tasks: JoinSet<()>,
}

impl RedisQueue {
    /// The prefix of those who do not choose one.
    pub const PREFIX: &'static str = "jobrunner";

    /// Uses the server at `url`, with keys and a channel that begin with `prefix` in braces. Waits
    /// a few seconds at most for the server, and does without as long as it is away.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for a URL or a prefix that cannot be used.
    pub async fn connect(url: &str, store: Arc<dyn Store>, prefix: &str) -> Result<Self> {
        let client = Client::open(url).map_err(|_| {
            // What the library says may quote a part of it.
            Error::invalid("REDIS_URL", "is not a URL such as redis://:password@host:6379/0")
        })?;
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            return Err(Error::invalid("prefix", "must be some text without braces"));
        }
        let lanes = Arc::new(Lanes::new(prefix));
        let wire = Arc::new(Wire::new(client.clone(), Arc::clone(&lanes)));
        let channel = lanes.key("wakeups");
        let (connected, subscribed) =
            tokio::join!(wire.connect(), letters::subscribe(&client, &channel));
        if let Err(error) = connected {
            let error = wire::error_field(&error);
            tracing::warn!(error, "Redis is away; the store is asked instead");
        }
        let (relay, outbox) = relay();
        let relay = Arc::new(relay);
        let (orders, batches) = Orders::new();
        let orders = Arc::new(orders);
        let filler = Filler {
            store,
            wire: Arc::clone(&wire),
            lanes: Arc::clone(&lanes),
            relay: Arc::clone(&relay),
            orders: Arc::clone(&orders),
            batches,
        };
        let look = Arc::clone(&orders);
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&wire).keep(move || look.look()));
        tasks.spawn(filler.run());
        tasks.spawn(letters::tell(Arc::clone(&wire), channel.clone(), outbox));
        tasks.spawn(letters::hear(client, channel, subscribed.ok(), Arc::clone(&relay)));
        Ok(Self { wire, lanes, relay, orders, asked: Mutex::new(None), _tasks: tasks })
    }

    /// Whether the store was not asked for some time; from now on it was.
    fn is_due(&self, after: Duration) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = asked.is_none_or(|asked| asked.elapsed() >= after);
        if due {
            *asked = Some(Instant::now());
        }
        due
    }
}

#[async_trait]
impl Queue for RedisQueue {
    async fn offer(&self, hints: &[Hint]) {
        let mut entries = Vec::new();
        for hint in hints {
            match hint {
                Hint::Batch(batch) => self.orders.fill(*batch),
                Hint::Job { job, priority, queue, owner } => {
                    let (job, priority, owner) = (*job, *priority, *owner);
                    entries.push(Entry { job, priority, queue, owner, weights: None });
                }
            }
        }
        if !entries.is_empty() {
            let pushed = self.wire.ask(|mut redis| {
                let (lanes, entries) = (&self.lanes, &entries);
                async move { lanes.push(&mut redis, entries).await }
            });
            if pushed.await.is_none() {
                self.orders.miss();
            }
        }
        self.relay.announce(Wakeup::Work);
    }

    async fn candidates(&self, queues: &[String], want: u32) -> Candidates {
        if self.is_due(ASK_STORE) {
            return Candidates::AskStore;
        }
        let popped = self
            .wire
            .ask(|mut redis| async move { self.lanes.pop(&mut redis, queues, want).await });
        match popped.await {
            Some(Some(ids)) if !ids.is_empty() => Candidates::Ids(ids),
            Some(Some(_)) if !self.is_due(ASK_STORE_WHEN_EMPTY) => Candidates::Ids(Vec::new()),
            Some(Some(_)) | None => Candidates::AskStore,
            Some(None) => {
                self.orders.look();
                Candidates::AskStore
            }
        }
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
