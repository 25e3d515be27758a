//! What became of tests from run to run.

use async_trait::async_trait;

use super::{Store, month, verdict};
use crate::{
    BatchId, Result,
    page::{Page, PageRequest},
    store::ResultStore,
    verdict::{Class, ClassifiedTest, Verdict},
};

#[async_trait]
impl ResultStore for Store {
    async fn verdict(&self, batch: BatchId) -> Result<Option<Verdict>> {
        verdict::verdict(self.reads(), batch).await
    }

    async fn classified(
        &self,
        batch: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>> {
        verdict::tests(self.reads(), batch, class, page).await
    }

    async fn forget_results(&self, days: u32) -> Result<u64> {
        month::forget(self, days).await
    }
}
