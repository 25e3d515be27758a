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
}

impl Default for LocalQueue {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn offer(&self, _hints: &[Hint]) {
        self.announce(Wakeup::Work).await;
    }

    async fn candidates(&self, _queues: &[String], _want: u32) -> Candidates {
        Candidates::AskStore
    }

    async fn announce(&self, wakeup: Wakeup) {
        if self.wakeups.send(wakeup).is_err() {
            tracing::trace!("nobody listens");
        }
    }

    fn wakeups(&self) -> BoxStream<'static, Wakeup> {
        stream::unfold(self.wakeups.subscribe(), |mut receiver| async move {
            match receiver.recv().await {
                Ok(wakeup) => Some((wakeup, receiver)),
                Err(RecvError::Lagged(_)) => Some((Wakeup::Lagged, receiver)),
                Err(RecvError::Closed) => None,
            }
        })
        .boxed()
    }

    async fn link(&self) -> Link {
        Link::None
    }
}
