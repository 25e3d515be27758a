use std::collections::HashMap;

use uuid::Uuid;

use super::Service;
use crate::{
    BatchId, Error, Result, SeriesId,
    authz::{Action, Principal},
    history::{
        Cell, Comparison, Flakiness, Grid, GridRow, MOST_RUNS, NamedTest, RESULTS_LOOKED_AT,
        RUNS_SHOWN, Run, RunFilter, Series, SeriesFilter, SeriesTest, Test, TestFilter, TestResult,
    },
    page::{Page, PageRequest},
    series::TestId,
    user::Scope,
    verdict::{Class, ClassifiedTest},
};

/// How many of the tests of a series are looked at for the worst of them: those that were flaky,
/// new or fixed most often.
const SUSPECTS_LOOKED_AT: u32 = 1000;

/// Of how many tests results are read at a time.
const TESTS_AT_A_TIME: usize = 200;

/// How many runs are looked at for a proof, those that repeat tests of others among them.
const RUNS_LOOKED_AT: u32 = 200;

const NO_SERIES: Error = Error::NotFound("series");
const NO_TEST: Error = Error::NotFound("test");
const NO_RUN: Error = Error::NotFound("comparison: one of the batches belongs to no series");

impl Service {
    fn may_read(&self, caller: &Principal) -> Result<Scope> {
        self.parts.authz.check(caller, Action::Read)?;
        Ok(self.parts.authz.scope(caller))
    }

    /// The series that the caller may see, newest first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn series_list(
        &self,
        caller: &Principal,
        filter: &SeriesFilter,
        page: PageRequest,
    ) -> Result<Page<Series>> {
        self.parts.store.series_list(self.may_read(caller)?, filter, page).await
    }

    /// One series.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for what the caller may not see.
    pub async fn series(&self, caller: &Principal, id: SeriesId) -> Result<Series> {
        let scope = self.may_read(caller)?;
        self.parts.store.series(id, scope).await?.ok_or(NO_SERIES)
    }

    /// The runs of a series, newest first.
    ///
    /// # Errors
    /// As [`series`](Self::series).
    pub async fn runs(
        &self,
        caller: &Principal,
        id: SeriesId,
        filter: &RunFilter,
        page: PageRequest,
    ) -> Result<Page<Run>> {
        let series = self.series(caller, id).await?;
        self.parts.store.runs(series.number, filter, page).await
    }

    /// The tests of the last [`RUNS_SHOWN`] runs of a series: first those that failed in one of
    /// them, by the last run that they failed in, newest first; then by their names.
    ///
    /// # Errors
    /// As [`series`](Self::series).
    pub async fn tests(
        &self,
        caller: &Principal,
        id: SeriesId,
        filter: &TestFilter,
        page: PageRequest,
    ) -> Result<Page<SeriesTest>> {
        let series = self.series(caller, id).await?;
        let runs = self.last_runs(&series, filter, RUNS_SHOWN).await?;
        self.parts.store.tests(series.number, &numbers(&runs), filter, page).await
    }

    /// The tests of a series in its last runs, so many and [`MOST_RUNS`] at most; in the order of
    /// [`tests`](Self::tests).
    ///
    /// # Errors
    /// As [`series`](Self::series); [`Invalid`](Error::Invalid) for more runs, or none.
    pub async fn grid(
        &self,
        caller: &Principal,
        id: SeriesId,
        filter: &TestFilter,
        (runs, page): (u32, PageRequest),
    ) -> Result<Grid> {
        if !(1..=MOST_RUNS).contains(&runs) {
            return Err(Error::invalid("runs", format!("must be 1 to {MOST_RUNS}")));
        }
        let series = self.series(caller, id).await?;
        let runs = self.last_runs(&series, filter, runs).await?;
        let chosen = numbers(&runs);
        let page = self.parts.store.tests(series.number, &chosen, filter, page).await?;
        let tests: Vec<TestId> = page.items.iter().map(|test| test.named.test_id).collect();
        let results = self.outcomes(&series, &chosen, &tests).await?;
        let cells: HashMap<(TestId, u64), Cell> = results
            .into_iter()
            .map(|it| ((it.test_id, it.run), Cell { outcome: it.outcome, job_id: it.job_id }))
            .collect();
        let row = |test: SeriesTest| GridRow {
            cells: chosen
                .iter()
                .map(|run| cells.get(&(test.named.test_id, *run)).copied())
                .collect(),
            named: test.named,
        };
        let items = page.items.into_iter().map(row).collect();
        Ok(Grid { runs, items, next_cursor: page.next_cursor })
    }

    /// The tests of a series whose results can be relied on least, the worst first: of the thousand
    /// that were flaky, new or fixed most often in its last [`RUNS_SHOWN`] runs and what repeats
    /// tests of those, each whose results prove that something beside the revision decides, or that
    /// has turned too often for one mistake.
    ///
    /// # Errors
    /// As [`series`](Self::series).
    pub async fn flaky_tests(
        &self,
        caller: &Principal,
        id: SeriesId,
        filter: &TestFilter,
        page: PageRequest,
    ) -> Result<Page<SeriesTest>> {
        let series = self.series(caller, id).await?;
        let runs = self.runs_with_reruns(&series, filter).await?;
        let store = &self.parts.store;
        let suspects = store.suspects(series.number, &runs, filter, SUSPECTS_LOOKED_AT).await?;
        let ids: Vec<TestId> = suspects.iter().map(|test| test.test_id).collect();
        let mut of_test: HashMap<TestId, Vec<TestResult>> = HashMap::new();
        for result in self.outcomes(&series, &runs, &ids).await? {
            of_test.entry(result.test_id).or_default().push(result);
        }
        let mut tests: Vec<SeriesTest> = suspects
            .into_iter()
            .filter_map(|test| suspected(&of_test.remove(&test.test_id)?, test))
            .filter(|test| filter.status.is_none_or(|status| test.outcome == status))
            .collect();
        let rank = |test: &SeriesTest| test.flakiness.as_ref().map(Flakiness::rank);
        tests.sort_by(|a, b| (rank(a), &a.named.test).cmp(&(rank(b), &b.named.test)));
        let skipped = page.after.map_or(0, |after| after.as_u64_pair().1);
        let (skipped, limit) =
            (usize::try_from(skipped).unwrap_or(usize::MAX), page.limit as usize);
        let has_more = tests.len().saturating_sub(skipped) > limit;
        let next = Uuid::from_u64_pair(0, (skipped.saturating_add(limit)) as u64);
        let items = tests.into_iter().skip(skipped).take(limit).collect();
        Ok(Page { items, next_cursor: has_more.then(|| next.to_string()) })
    }

    /// A test, and what its newest results say.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for what the caller may not see.
    pub async fn test(&self, caller: &Principal, id: TestId) -> Result<Test> {
        let (series, named) = self.named(caller, id).await?;
        let page = PageRequest::first(RESULTS_LOOKED_AT);
        let results = self.parts.store.results(id, page).await?.items;
        Ok(Test::of(series, named, &results))
    }

    /// What became of a test, newest first: once for each run that it was in.
    ///
    /// # Errors
    /// As [`test`](Self::test).
    pub async fn test_results(
        &self,
        caller: &Principal,
        id: TestId,
        page: PageRequest,
    ) -> Result<Page<TestResult>> {
        self.named(caller, id).await?;
        self.parts.store.results(id, page).await
    }

    /// How the tests of a batch stand beside another batch alone.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for what the caller may not see, and if one of them
    /// belongs to no series.
    pub async fn compare(
        &self,
        caller: &Principal,
        batch_id: BatchId,
        other_id: BatchId,
    ) -> Result<Comparison> {
        self.batch(caller, batch_id).await?;
        self.batch(caller, other_id).await?;
        let counts = self.parts.store.compare(batch_id, other_id).await?.ok_or(NO_RUN)?;
        Ok(Comparison { batch_id, other_id, summary: counts.summary(), counts })
    }

    /// The tests of a class in a batch beside another alone.
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub async fn compared(
        &self,
        caller: &Principal,
        (batch, other): (BatchId, BatchId),
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>> {
        for id in [batch, other] {
            self.batch(caller, id).await?.series_id.ok_or(NO_RUN)?;
        }
        self.parts.store.compared(batch, other, class, page).await
    }

    async fn named(&self, caller: &Principal, id: TestId) -> Result<(Series, NamedTest)> {
        let scope = self.may_read(caller)?;
        self.parts.store.test(id, scope).await?.ok_or(NO_TEST)
    }

    async fn last_runs(
        &self,
        series: &Series,
        filter: &TestFilter,
        count: u32,
    ) -> Result<Vec<Run>> {
        let filter = RunFilter { branch: filter.branch.clone(), with_reruns: false };
        let page = PageRequest::first(count);
        Ok(self.parts.store.runs(series.number, &filter, page).await?.items)
    }

    /// The numbers of the last runs and of what repeats tests of them, newest first.
    async fn runs_with_reruns(&self, series: &Series, filter: &TestFilter) -> Result<Vec<u64>> {
        let filter = RunFilter { branch: filter.branch.clone(), with_reruns: true };
        let page = PageRequest::first(RUNS_LOOKED_AT);
        let runs = self.parts.store.runs(series.number, &filter, page).await?.items;
        let mut left = RUNS_SHOWN;
        let mut chosen = Vec::new();
        for run in runs {
            left = left.saturating_sub(u32::from(!run.is_rerun));
            chosen.push(run.number);
            if left == 0 {
                break;
            }
        }
        Ok(chosen)
    }

    async fn outcomes(
        &self,
        series: &Series,
        runs: &[u64],
        tests: &[TestId],
    ) -> Result<Vec<TestResult>> {
        let mut results = Vec::new();
        for tests in tests.chunks(TESTS_AT_A_TIME) {
            results.extend(self.parts.store.outcomes(series.number, runs, tests).await?);
        }
        Ok(results)
    }
}

fn numbers(runs: &[Run]) -> Vec<u64> {
    runs.iter().map(|run| run.number).collect()
}

/// A test with what its results say, newest first, if they cannot be relied on.
fn suspected(results: &[TestResult], named: NamedTest) -> Option<SeriesTest> {
    let flakiness = Flakiness::of(results);
    let last = results.first().filter(|_| flakiness.is_suspected())?;
    Some(SeriesTest {
        named,
        outcome: last.outcome,
        batch_id: last.batch_id,
        job_id: last.job_id,
        duration_ms: last.duration_ms,
        cause: last.cause.clone(),
        flakiness: Some(flakiness),
    })
}
