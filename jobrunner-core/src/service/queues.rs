use super::{Service, audit::Deed};
use crate::{
    Error, Result, Violation,
    authz::{Action, Principal},
    job::check_queue,
    lease::{QueueState, QueueUpdate},
    page::Page,
};

/// The largest weight of a queue.
const MAX_WEIGHT: f64 = 1_000.0;

impl Service {
    /// The queues that jobs were submitted to, in the order of their names, after the name that the
    /// page before gave as its cursor.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) for viewers.
    pub async fn queues(
        &self,
        caller: &Principal,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<QueueState>> {
        self.parts.authz.check(caller, Action::SeeWorkers)?;
        let mut items = self.parts.store.queues(after, limit.saturating_add(1)).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|queue| queue.name.clone());
        Ok(Page { items, next_cursor })
    }

    /// Pauses a queue, lets it go on, or gives it another weight. What runs goes on either way.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) unless the caller is an admin,
    /// [`NotFound`](Error::NotFound), [`Invalid`](Error::Invalid) for a weight out of range.
    pub async fn update_queue(
        &self,
        caller: &Principal,
        name: &str,
        update: QueueUpdate,
    ) -> Result<QueueState> {
        self.parts.authz.check(caller, Action::Administer)?;
        if update.weight.is_some_and(|weight| !(weight > 0.0 && weight <= MAX_WEIGHT)) {
            let message = format!("must be above 0 and at most {MAX_WEIGHT}");
            return Err(Error::invalid("weight", message));
        }
        // What no queue is called does not reach the store, which might not be able to take it.
        check_queue(name).map_err(|wrong| Violation::new("name", wrong.message))?;
        self.queue(name).await?;
        self.record(caller, Deed::on_queue(name, update)).await?;
        self.parts.store.update_queue(name, update).await?;
        if update.paused == Some(false) {
            // Its jobs may be claimed again, and nobody knows which they are.
            self.parts.queue.offer(&[]).await;
        }
        self.queue(name).await
    }

    async fn queue(&self, name: &str) -> Result<QueueState> {
        self.parts.store.queue(name).await?.ok_or(Error::NotFound("queue"))
    }
}
