use async_trait::async_trait;

use crate::{
    BatchId, Result, SeriesId,
    history::{
        NamedTest, Run, RunFilter, Series, SeriesFilter, SeriesTest, TestFilter, TestResult,
    },
    page::{Page, PageRequest},
    series::TestId,
    user::Scope,
    verdict::{Class, ClassCounts, ClassifiedTest},
};

/// Reads series and the results of their tests. A series and its runs are asked for by their
/// numbers.
#[async_trait]
pub trait HistoryStore: Send + Sync {
    /// Series within the scope, newest first.
    async fn series_list(
        &self,
        scope: Scope,
        filter: &SeriesFilter,
        page: PageRequest,
    ) -> Result<Page<Series>>;

    /// One series within the scope.
    async fn series(&self, id: SeriesId, scope: Scope) -> Result<Option<Series>>;

    /// One test, with its series, if that is within the scope.
    async fn test(&self, id: TestId, scope: Scope) -> Result<Option<(Series, NamedTest)>>;

    /// The runs of a series, newest first.
    async fn runs(&self, series: u64, filter: &RunFilter, page: PageRequest) -> Result<Page<Run>>;

    /// The tests of a series that have a result in some of its runs: first those that failed in one
    /// of them - or with a status, those only that ended so in one - by the last such run, newest
    /// first; then by their names.
    async fn tests(
        &self,
        series: u64,
        runs: &[u64],
        filter: &TestFilter,
        page: PageRequest,
    ) -> Result<Page<SeriesTest>>;

    /// The tests of a series that were flaky, new or fixed most often in some of its runs, so many
    /// at most.
    async fn suspects(
        &self,
        series: u64,
        runs: &[u64],
        filter: &TestFilter,
        limit: u32,
    ) -> Result<Vec<NamedTest>>;

    /// What became of tests of a series in some of its runs, those of a test together, newest
    /// first.
    async fn outcomes(
        &self,
        series: u64,
        runs: &[u64],
        tests: &[TestId],
    ) -> Result<Vec<TestResult>>;

    /// What became of a test, newest first.
    async fn results(&self, test: TestId, page: PageRequest) -> Result<Page<TestResult>>;

    /// How many tests of a batch are of each class beside another batch alone; `None` if one of
    /// them is no run.
    async fn compare(&self, batch: BatchId, other: BatchId) -> Result<Option<ClassCounts>>;

    /// The tests of a class in a batch beside another alone, in the order of their names; those
    /// that passed in an order that stays the same.
    async fn compared(
        &self,
        batch: BatchId,
        other: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>>;
}
