use async_trait::async_trait;
use futures_util::{StreamExt, stream, stream::BoxStream};
use tokio::sync::broadcast::{self, error::RecvError};

use super::{Candidates, Hint, Link, Queue, Wakeup};

/// How many wake-ups a slow listener may be behind before it is told that it missed some.
const BACKLOG: usize = 1024;

/// The queue of a single process: it knows no jobs, it only wakes those who wait.
#[derive(Debug, Clone)]
pub struct LocalQueue {
    wakeups: broadcast::Sender<Wakeup>,
}

impl LocalQueue {
    /// A queue without listeners.
    #[must_use]
    pub fn new() -> Self {
        Self { wakeups: broadcast::Sender::new(BACKLOG) }
    }

    /// Tells all listeners, without waiting for any.
    pub(super) fn tell(&self, wakeup: Wakeup) {
        if self.wakeups.send(wakeup).is_err() {
            tracing::trace!("nobody listens");
        }
    }

    /// What is told from now on, until the last clone of this queue is gone.
    pub(super) fn listen(&self) -> BoxStream<'static, Wakeup> {
        stream::unfold(self.wakeups.subscribe(), |mut receiver| async move {
            match receiver.recv().await {
                Ok(wakeup) => Some((wakeup, receiver)),
                Err(RecvError::Lagged(_)) => Some((Wakeup::Lagged, receiver)),
                Err(RecvError::Closed) => None,
            }
        })
        .boxed()
    }
}

impl Default for LocalQueue {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn offer(&self, _hints: &[Hint]) {
        self.tell(Wakeup::Work);
    }

    async fn candidates(&self, _queues: &[String], _want: u32) -> Candidates {
        Candidates::AskStore
    }

    async fn announce(&self, wakeup: Wakeup) {
        self.tell(wakeup);
    }

    fn wakeups(&self) -> BoxStream<'static, Wakeup> {
        self.listen()
    }

    async fn link(&self) -> Link {
        Link::None
    }
}
