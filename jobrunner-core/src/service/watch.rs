use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    select,
    sync::broadcast::{self, error::RecvError},
    time::{Instant, sleep_until},
};

use super::{Service, follow::RECHECK};
use crate::{
    Batch, BatchId, Store,
    authz::Principal,
    queue::{Queue, Wakeup},
    user::Scope,
};

/// How often one batch is looked at and told of, at most.
const PERIOD: Duration = Duration::from_millis(250);

/// How many tellings a watcher may be behind before it has to look for itself.
const BEHIND: usize = 256;

/// How long the hub goes on without watchers.
const IDLE: Duration = Duration::from_secs(10);

/// What has changed.
#[derive(Clone, Debug)]
pub enum Watched {
    /// A batch stands like this now.
    Batch(Arc<Batch>),
    /// Some job that is in no batch stands differently: look again.
    Jobs,
    /// Some changes were not told: look again.
    Missed,
}

/// Looks once at every batch that has changed, whoever watches it, and tells all watchers of the
/// process.
#[derive(Default)]
pub(super) struct Hub(Mutex<Option<broadcast::Sender<Watched>>>);

impl Hub {
    fn subscribe(self: &Arc<Self>, service: &Service) -> broadcast::Receiver<Watched> {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = sender.as_ref() {
            return sender.subscribe();
        }
        let (made, receiver) = broadcast::channel(BEHIND);
        *sender = Some(made.clone());
        let (store, queue) = (Arc::clone(&service.parts.store), Arc::clone(&service.parts.queue));
        let hub = Arc::clone(self);
        // Ends by itself soon after the last watcher has gone, or with the queue.
        tokio::spawn(async move {
            tell(store.as_ref(), queue.as_ref(), &made, &hub).await;
        });
        receiver
    }

    /// Whether nobody watches any more; whoever comes later starts the hub anew.
    fn is_left(&self, sender: &broadcast::Sender<Watched>) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = sender.receiver_count() == 0;
        if is_left {
            *known = None;
        }
        is_left
    }
}

async fn tell(
    store: &dyn Store,
    queue: &dyn Queue,
    sender: &broadcast::Sender<Watched>,
    hub: &Hub,
) {
    let mut wakeups = queue.wakeups();
    let mut changed: BTreeSet<BatchId> = BTreeSet::new();
    let mut of_no_batch = false;
    let mut next = Instant::now();
    let mut idle = Instant::now() + IDLE;
    while sender.receiver_count() > 0 || !hub.is_left(sender) {
        let is_due = !changed.is_empty() || of_no_batch;
        select! {
            wakeup = wakeups.next() => match wakeup {
                Some(Wakeup::Changed { batch: Some(batch), .. }) => {
                    changed.insert(batch);
                }
                Some(Wakeup::Changed { batch: None, .. }) => of_no_batch = true,
                Some(Wakeup::Lagged) => notify(sender, Watched::Missed),
                Some(Wakeup::Work | Wakeup::Cancel) => {}
                None => {
                    hub.0.lock().unwrap_or_else(PoisonError::into_inner).take();
                    return;
                }
            },
            () = sleep_until(next), if is_due => {
                next = Instant::now() + PERIOD;
                if std::mem::take(&mut of_no_batch) {
                    notify(sender, Watched::Jobs);
                }
                for id in std::mem::take(&mut changed) {
                    notify(sender, look(store, id).await);
                }
            }
            () = sleep_until(idle) => idle = Instant::now() + IDLE,
        }
    }
}

async fn look(store: &dyn Store, id: BatchId) -> Watched {
    match store.batch(id, Scope::All).await {
        Ok(Some(batch)) => Watched::Batch(Arc::new(batch)),
        Ok(None) => Watched::Missed,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot look at a batch");
            Watched::Missed
        }
    }
}

fn notify(sender: &broadcast::Sender<Watched>, watched: Watched) {
    if sender.send(watched).is_err() {
        tracing::trace!("nobody watches any more");
    }
}

impl Service {
    /// Tells of every change of the batches that the caller may see, each batch four times a second
    /// at most, and looks at each once however many watch it. Ends within three seconds when
    /// [`Authz`](crate::Authz) lets the caller not go on: after a sign-out, for instance.
    ///
    /// **Cancel safety**: dropping the stream is all it takes to stop.
    #[must_use]
    pub fn watch_batches(&self, caller: &Principal) -> BoxStream<'static, Watched> {
        let scope = self.parts.authz.scope(caller);
        let watcher = Watcher {
            told: self.hub.subscribe(self),
            service: self.clone(),
            caller: caller.clone(),
            scope,
            check: Instant::now() + RECHECK,
        };
        stream::unfold(watcher, Watcher::next).boxed()
    }
}

struct Watcher {
    told: broadcast::Receiver<Watched>,
    service: Service,
    caller: Principal,
    scope: Scope,
    check: Instant,
}

impl Watcher {
    async fn next(mut self) -> Option<(Watched, Self)> {
        loop {
            select! {
                told = self.told.recv() => match told {
                    Ok(Watched::Batch(batch)) if !self.scope.contains(batch.owner_id, batch.project.as_ref()) => {}
                    Ok(told) => return Some((told, self)),
                    Err(RecvError::Lagged(_)) => return Some((Watched::Missed, self)),
                    Err(RecvError::Closed) => return None,
                },
                () = sleep_until(self.check) => {
                    self.check = Instant::now() + RECHECK;
                    // A store that is away says nothing about the account.
                    let authz = &self.service.parts.authz;
                    if matches!(authz.may_go_on(&self.caller).await, Ok(false)) {
                        return None;
                    }
                }
            }
        }
    }
}
