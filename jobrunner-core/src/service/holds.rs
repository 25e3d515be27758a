use super::Service;
use crate::{
    Batch, Job, Result, Status, UserId,
    job::{Hold, HoldReason},
};

impl Service {
    /// Why a job that the caller sees is not started, apart from its turn; nothing unless it waits.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn holds(&self, job: &Job) -> Result<Vec<Hold>> {
        match job.status {
            Status::Waiting => self.holds_on(job.owner_id).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Why members of a batch that the caller sees are not started, apart from their turns; nothing
    /// unless some wait.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn batch_holds(&self, batch: &Batch) -> Result<Vec<Hold>> {
        match batch.counts.waiting {
            0 => Ok(Vec::new()),
            _ => self.holds_on(batch.owner_id).await,
        }
    }

    async fn holds_on(&self, owner: UserId) -> Result<Vec<Hold>> {
        let account = self.parts.store.account(owner).await?;
        let is_disabled = account.is_some_and(|account| !account.user.is_active);
        Ok(is_disabled.then(|| Hold::from(HoldReason::OwnerDisabled)).into_iter().collect())
    }
}
