use super::Service;
use crate::{
    BatchId, Error, Result,
    authz::Principal,
    page::{Page, PageRequest},
    series::Baseline,
    verdict::{Class, ClassifiedTest, Verdict},
};

/// What is not there of a batch that is no run.
const NO_RUN: Error = Error::NotFound("verdict: the batch belongs to no series");

impl Service {
    /// What a batch says beside the runs before it: live while it runs, final when it has ended.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for what the caller may not see, and for a batch that
    /// belongs to no series.
    pub async fn verdict(&self, caller: &Principal, id: BatchId) -> Result<Verdict> {
        self.batch(caller, id).await?;
        self.parts.store.verdict(id).await?.ok_or(NO_RUN)
    }

    /// The tests of a class in a batch.
    ///
    /// # Errors
    /// As [`verdict`](Self::verdict).
    pub async fn classified(
        &self,
        caller: &Principal,
        id: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>> {
        let batch = self.batch(caller, id).await?;
        batch.series_id.ok_or(NO_RUN)?;
        self.parts.store.classified(id, class, page).await
    }

    /// Checks whether a batch may be compared with this.
    pub(super) async fn check_baseline(
        &self,
        caller: &Principal,
        baseline: &Baseline,
    ) -> Result<()> {
        let Some(id) = baseline.batch_id else { return Ok(()) };
        let found = self.parts.store.batch(id, self.parts.authz.scope(caller)).await?;
        if found.is_some_and(|batch| batch.series_id.is_some()) {
            return Ok(());
        }
        let why = "must be the id of a batch of a series that you may see";
        Err(Error::invalid("baseline.batch_id", why))
    }
}
