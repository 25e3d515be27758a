use async_trait::async_trait;

use crate::{
    BatchId, Result,
    page::{Page, PageRequest},
    verdict::{Class, ClassifiedTest, Verdict},
};

/// What became of tests from run to run. Results outlive the batches that they are of.
#[async_trait]
pub trait ResultStore: Send + Sync {
    /// What a batch says beside the runs before it, as it stands; `None` if it is no run.
    async fn verdict(&self, batch: BatchId) -> Result<Option<Verdict>>;

    /// The tests of a class in a batch, in the order of their names; those that passed in an order
    /// that stays the same.
    async fn classified(
        &self,
        batch: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>>;

    /// Forgets the results of months that ended so many days ago or more; answers how many months.
    async fn forget_results(&self, days: u32) -> Result<u64>;
}
