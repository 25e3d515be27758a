use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use jobrunner_core::{
    Executor, Queue, Result, SessionId, Store,
    lease::{LeaseRef, NewSession},
    queue::Wakeup,
    rescue,
};
use tokio::{join, sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    WorkerConfig,
    backoff::until_available,
    drain, exchange, heartbeat,
    held::{Held, Reins},
    logs::RingMemory,
};

/// How long saying good-bye may take; a session that does not manage expires by itself.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// What a worker is made of.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) config: WorkerConfig,
    pub(crate) ring_memory: RingMemory,
}

/// One life of a worker in the eyes of the store, from its announcement to its end.
pub(crate) struct Session {
    pub(crate) parts: Arc<Parts>,
    pub(crate) id: SessionId,
    /// What it runs.
    pub(crate) held: Held,
    /// Nothing more is claimed: the session is to end, or an administrator drains the worker.
    pub(crate) paused: CancellationToken,
    drained: AtomicBool,
    /// The session is to end, as soon as what runs has ended.
    pub(crate) leaving: CancellationToken,
    /// The time to drain is over: what runs is to end.
    pub(crate) cut: CancellationToken,
    /// The leases may no longer hold: what runs is killed and nothing is reported.
    pub(crate) fenced: CancellationToken,
    /// There may be work.
    pub(crate) work: Notify,
    /// Jobs that run here may have been canceled.
    pub(crate) cancels: Notify,
}

/// A session that was fenced off.
pub(crate) struct Fenced {
    id: SessionId,
    drained: bool,
}

impl Session {
    /// Announces a new session as soon as the store is available. `None` when the worker is to stop
    /// before.
    ///
    /// # Errors
    /// The store refuses.
    pub(crate) async fn open(
        parts: &Arc<Parts>,
        before: Option<Fenced>,
        shutdown: &CancellationToken,
    ) -> Result<Option<Self>> {
        if let Some(before) = &before {
            // Nothing of it runs any more, so its jobs need not wait until its leases expire.
            let closed = until_available(shutdown, || parts.store.close_session(before.id)).await;
            match closed {
                Ok(rescued) => {
                    rescue::announce(parts.queue.as_ref(), &rescued.unwrap_or_default()).await
                }
                Err(error) => tracing::debug!(%error, "the session before is gone"),
            }
        }
        let config = &parts.config;
        let id = SessionId::new();
        let session = NewSession {
            id,
            host: config.host.clone().unwrap_or_else(host_name),
            pid: std::process::id(),
            slots: config.slots.max(1),
            queues: config.queues.clone(),
            ttl: config.lease_ttl,
            containment: parts.executor.containment(),
        };
        let opened =
            until_available(shutdown, || parts.store.open_session(session.clone())).await?;
        if opened.is_none() {
            return Ok(None);
        }
        tracing::info!(session.id = %id, slots = config.slots, "the worker takes jobs");
        let leaving = shutdown.child_token();
        let session = Self {
            parts: Arc::clone(parts),
            id,
            held: Held::default(),
            paused: leaving.child_token(),
            drained: AtomicBool::new(false),
            leaving,
            cut: CancellationToken::new(),
            fenced: CancellationToken::new(),
            work: Notify::new(),
            cancels: Notify::new(),
        };
        if before.is_some_and(|before| before.drained) {
            session.drain();
            session.show_drained().await;
        }
        Ok(Some(session))
    }

    /// Works until the session is to end, and ends it. Answers the session if it was fenced off and
    /// another one should follow.
    pub(crate) async fn run(self) -> Option<Fenced> {
        let session = Arc::new(self);
        let done = CancellationToken::new();
        let working = async {
            exchange::run(&session).await;
            done.cancel();
        };
        let (store, queue) = (session.parts.store.as_ref(), session.parts.queue.as_ref());
        join!(
            working,
            heartbeat::run(&session, &done),
            rescue::run(store, queue, session.parts.config.lease_ttl, &done),
            drain::run(&session, &done),
            session.listen(&done),
        );
        if session.fenced.is_cancelled() {
            let drained = session.drained.load(Ordering::Acquire);
            return Some(Fenced { id: session.id, drained });
        }
        session.close().await;
        None
    }

    /// The leases may no longer hold: kills what runs, reports nothing, ends the session.
    pub(crate) fn fence(&self, why: &'static str) {
        if !self.fenced.is_cancelled() {
            tracing::error!(session.id = %self.id, why, "the worker kills what it runs");
        }
        self.fenced.cancel();
        self.leaving.cancel();
    }

    /// An administrator wants the worker to take no new jobs. It stays, and so do later sessions.
    pub(crate) fn drain(&self) {
        self.drained.store(true, Ordering::Release);
        self.paused.cancel();
    }

    /// Remembers a lease, with the reins of what will run under it.
    pub(crate) fn hold(&self, lease: LeaseRef) {
        self.held.insert(lease, Reins::under(&self.cut, &self.fenced));
    }

    async fn listen(&self, done: &CancellationToken) {
        let mut wakeups = self.parts.queue.wakeups();
        let hear = async {
            while let Some(wakeup) = wakeups.next().await {
                match wakeup {
                    Wakeup::Work => self.work.notify_one(),
                    Wakeup::Cancel => self.cancels.notify_one(),
                    Wakeup::Lagged => {
                        self.work.notify_one();
                        self.cancels.notify_one();
                    }
                    Wakeup::Changed { .. } => {}
                }
            }
        };
        // Without wake-ups, polls and heartbeats still find everything, only later.
        done.run_until_cancelled(hear).await;
    }

    async fn show_drained(&self) {
        if let Err(error) = self.parts.store.drain(self.id).await {
            tracing::warn!(%error, "cannot tell the store that this worker is drained");
        }
    }

    async fn close(&self) {
        match timeout(CLOSE_LIMIT, self.parts.store.close_session(self.id)).await {
            Ok(Ok(rescued)) => rescue::announce(self.parts.queue.as_ref(), &rescued).await,
            Ok(Err(error)) => tracing::warn!(%error, "cannot close the session; it will expire"),
            Err(_) => tracing::warn!("the store did not close the session in time; it will expire"),
        }
        tracing::info!(session.id = %self.id, "the worker has stopped");
    }
}

fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}
