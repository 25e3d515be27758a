//! Reads series and the results of their tests.

use std::collections::HashMap;

use async_trait::async_trait;
use uuid::Uuid;

use super::{Pool, Store, bind, compare, notable, sql, store_error};
use crate::{
    BatchId, Result, SeriesId, UserId,
    batch::NameFilter,
    history::{
        NamedTest, Run, RunFilter, Series, SeriesFilter, SeriesTest, TestFilter, TestResult,
    },
    page::{Page, PageRequest},
    series::TestId,
    store::{
        HistoryStore,
        engine::{
            history::{First, NamedRow, PastRunRow, SeriesRow, SeriesTestRow, TestResultRow},
            plan,
            results::code,
            values::stored,
            verdict::ClassifiedRow,
        },
    },
    user::Scope,
    verdict::{Class, ClassCounts, ClassifiedTest},
};

/// A name and a pattern of names, for a statement that takes both.
fn names(filter: Option<&NameFilter>) -> (Option<String>, Option<String>) {
    match filter {
        Some(NameFilter::Exactly(name)) => (Some(name.clone()), None),
        Some(NameFilter::Matching(name)) => (None, Some(bind::pattern(name))),
        None => (None, None),
    }
}

/// Runs, the oldest first, and on which day the first of them began.
async fn window(pool: &Pool, runs: &[u64]) -> Result<(Vec<i64>, i32, Vec<PastRunRow>)> {
    let numbers: Vec<i64> = runs.iter().copied().map(stored).collect();
    let mut rows = chosen(pool, &numbers).await?;
    rows.reverse();
    let day = rows.iter().map(|run| run.day).min().unwrap_or(0);
    Ok((rows.iter().map(|run| run.no).collect(), day, rows))
}

async fn chosen(pool: &Pool, runs: &[i64]) -> Result<Vec<PastRunRow>> {
    sqlx::query_as(sql!("run/chosen", "run/columns"))
        .bind(notable::numbers(runs)?)
        .fetch_all(pool)
        .await
        .map_err(store_error)
}

/// Series with their last runs.
async fn with_runs(pool: &Pool, rows: Vec<SeriesRow>) -> Result<Vec<Series>> {
    let last: Vec<i64> = rows.iter().filter_map(|row| row.last_run).collect();
    let runs = if last.is_empty() { Vec::new() } else { chosen(pool, &last).await? };
    let mut runs: HashMap<i64, PastRunRow> = runs.into_iter().map(|run| (run.no, run)).collect();
    let with_run = |row: SeriesRow| {
        let run = row.last_run.and_then(|last| runs.remove(&last));
        row.into_series(run.map(PastRunRow::into_run).transpose()?)
    };
    rows.into_iter().map(with_run).collect()
}

/// Results with their runs; those of other runs are left out.
fn results(
    rows: Vec<TestResultRow>,
    series: u64,
    runs: Vec<PastRunRow>,
) -> Result<Vec<TestResult>> {
    let runs = runs.into_iter().map(|run| Ok((run.no, run.into_run()?)));
    let runs: HashMap<i64, Run> = runs.collect::<Result<_>>()?;
    let known = rows.into_iter().filter_map(|row| Some((runs.get(&row.run_no)?, row)));
    known.map(|(run, row)| row.into_result(series, run)).collect()
}

/// The numbers of tests, those of other series left out.
fn of_series(series: u64, tests: &[TestId]) -> Vec<i64> {
    let numbers = tests.iter().filter_map(|test| test.numbers());
    numbers.filter(|(of, _)| *of == series).map(|(_, test)| test.cast_signed()).collect()
}

#[async_trait]
impl HistoryStore for Store {
    async fn series_list(
        &self,
        scope: Scope,
        filter: &SeriesFilter,
        page: PageRequest,
    ) -> Result<Page<Series>> {
        let scope = plan::shown(scope.within(filter.owner, filter.project.as_ref()));
        let Some(scope) = scope else { return Ok(Page::empty()) };
        let (name, pattern) = names(filter.name.as_ref());
        let rows: Vec<SeriesRow> = sqlx::query_as(sql!("series/list", "series/columns"))
            .bind(page.after.unwrap_or(Uuid::max()))
            .bind(i64::from(page.limit) + 1)
            .bind(name)
            .bind(pattern)
            .bind(scope.owner().map(UserId::as_uuid))
            .bind(bind::names(scope.projects())?)
            .bind(scope.or_owner().map(UserId::as_uuid))
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        let Page { items, next_cursor } = Page::from_surplus(rows, page.limit, |row| row.id);
        Ok(Page { items: with_runs(self.reads(), items).await?, next_cursor })
    }

    async fn series(&self, id: SeriesId, scope: Scope) -> Result<Option<Series>> {
        let Some(scope) = plan::shown(scope) else { return Ok(None) };
        let row: Option<SeriesRow> = sqlx::query_as(sql!("series/get", "series/columns"))
            .bind(id.as_uuid())
            .bind(scope.owner().map(UserId::as_uuid))
            .bind(bind::names(scope.projects())?)
            .bind(scope.or_owner().map(UserId::as_uuid))
            .fetch_optional(self.reads())
            .await
            .map_err(store_error)?;
        Ok(with_runs(self.reads(), row.into_iter().collect()).await?.pop())
    }

    async fn test(&self, id: TestId, scope: Scope) -> Result<Option<(Series, NamedTest)>> {
        let Some((series, test)) = id.numbers() else { return Ok(None) };
        let Some(scope) = plan::shown(scope) else { return Ok(None) };
        let row: Option<SeriesRow> = sqlx::query_as(sql!("series/of_number", "series/columns"))
            .bind(stored(series))
            .bind(scope.owner().map(UserId::as_uuid))
            .bind(bind::names(scope.projects())?)
            .bind(scope.or_owner().map(UserId::as_uuid))
            .fetch_optional(self.reads())
            .await
            .map_err(store_error)?;
        let found = with_runs(self.reads(), row.into_iter().collect()).await?.pop();
        let named: Option<NamedRow> = sqlx::query_as(sql!(both "test/get"))
            .bind(stored(series))
            .bind(test.cast_signed())
            .fetch_optional(self.reads())
            .await
            .map_err(store_error)?;
        let named = named.map(|row| row.into_test(series)).transpose()?;
        Ok(found.zip(named))
    }

    async fn runs(&self, series: u64, filter: &RunFilter, page: PageRequest) -> Result<Page<Run>> {
        let rows: Vec<PastRunRow> = sqlx::query_as(sql!(both "run/list", "run/columns"))
            .bind(stored(series))
            .bind(ClassifiedRow::place(page.after, i64::MAX))
            .bind(i64::from(page.limit) + 1)
            .bind(filter.branch.clone())
            .bind(filter.with_reruns)
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        let page = Page::from_surplus(rows, page.limit, |row| ClassifiedRow::cursor(row.no));
        page.try_map(PastRunRow::into_run)
    }

    async fn tests(
        &self,
        series: u64,
        runs: &[u64],
        filter: &TestFilter,
        page: PageRequest,
    ) -> Result<Page<SeriesTest>> {
        let (runs, day, _) = window(self.reads(), runs).await?;
        let (name, pattern) = names(filter.name.as_ref());
        let (failed_in, test) = SeriesTestRow::behind(page.after);
        let first = First::of(filter);
        let rows: Vec<SeriesTestRow> = sqlx::query_as(sql!("test/list"))
            .bind(stored(series))
            .bind(notable::numbers(&runs)?)
            .bind(day)
            .bind(notable::numbers(&first.classes)?)
            .bind(first.outcome)
            .bind(first.only)
            .bind(filter.status.map(|status| i64::from(code(status))))
            .bind(name)
            .bind(pattern)
            .bind(failed_in)
            .bind(test)
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        let page = Page::from_surplus(rows, page.limit, SeriesTestRow::cursor);
        page.try_map(|row| row.into_test(series))
    }

    async fn suspects(
        &self,
        series: u64,
        runs: &[u64],
        filter: &TestFilter,
        limit: u32,
    ) -> Result<Vec<NamedTest>> {
        let runs: Vec<i64> = runs.iter().copied().map(stored).collect();
        let (name, pattern) = names(filter.name.as_ref());
        let rows: Vec<NamedRow> = sqlx::query_as(sql!("test/suspects"))
            .bind(stored(series))
            .bind(notable::numbers(&runs)?)
            .bind(i64::from(limit))
            .bind(name)
            .bind(pattern)
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(|row| row.into_test(series)).collect()
    }

    async fn outcomes(
        &self,
        series: u64,
        runs: &[u64],
        tests: &[TestId],
    ) -> Result<Vec<TestResult>> {
        let (runs, day, of_runs) = window(self.reads(), runs).await?;
        let mut rows: Vec<TestResultRow> =
            sqlx::query_as(sql!("test/outcomes", both "test/columns"))
                .bind(notable::numbers(&of_series(series, tests))?)
                .bind(notable::numbers(&runs)?)
                .bind(day)
                .fetch_all(self.reads())
                .await
                .map_err(store_error)?;
        TestResultRow::told(&mut rows);
        results(rows, series, of_runs)
    }

    async fn results(&self, test: TestId, page: PageRequest) -> Result<Page<TestResult>> {
        let Some((series, test)) = test.numbers() else { return Ok(Page::empty()) };
        let rows: Vec<TestResultRow> = sqlx::query_as(sql!("test/results", both "test/columns"))
            .bind(stored(series))
            .bind(test.cast_signed())
            .bind(ClassifiedRow::place(page.after, i64::MAX))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        let page = Page::from_surplus(rows, page.limit, |row| ClassifiedRow::cursor(row.run_no));
        let runs: Vec<i64> = page.items.iter().map(|row| row.run_no).collect();
        let runs = chosen(self.reads(), &runs).await?;
        Ok(Page { items: results(page.items, series, runs)?, next_cursor: page.next_cursor })
    }

    async fn compare(&self, batch: BatchId, other: BatchId) -> Result<Option<ClassCounts>> {
        compare::counts(self.reads(), batch, other).await
    }

    async fn compared(
        &self,
        batch: BatchId,
        other: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>> {
        compare::tests(self.reads(), batch, other, class, page).await
    }
}
