//! Reads series and the results of their tests.

use std::cmp::Reverse;

use async_trait::async_trait;
use jobrunner_core::{
    BatchId, Result, SeriesId,
    batch::NameFilter,
    history::{
        NamedTest, Run as ShownRun, RunFilter, Series as ShownSeries, SeriesFilter, SeriesTest,
        TestFilter, TestResult,
    },
    known_issue::Rules,
    page::{Page, PageRequest},
    series::TestId,
    store::{
        HistoryStore,
        engine::{
            history::{First, NamedRow, PastRunRow, SeriesRow, SeriesTestRow, TestResultRow},
            results::code,
            values::render,
            verdict::{ClassifiedRow, Judged, Notable, code as code_of_class},
        },
    },
    user::Scope,
    verdict::{Class, ClassCounts, ClassifiedTest},
};
use uuid::Uuid;

use crate::{
    Memory,
    lists::fits,
    results::{Done, number, place},
    state::State,
};

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Whether a test or a series is called so, or has a case that is.
fn is_called(filter: Option<&NameFilter>, name: &str) -> bool {
    match filter {
        Some(NameFilter::Exactly(wanted)) => name == wanted,
        Some(NameFilter::Matching(pattern)) => fits(name, pattern),
        None => true,
    }
}

impl State {
    fn run_row(&self, no: i64) -> Result<PastRunRow> {
        let run = &self.past.runs[place(no)];
        let revision = run.revision.clone().unwrap_or_default();
        let batch = self.batches.get(&run.batch);
        let counts = run.judged.as_ref().map(|judged| &judged.counts);
        Ok(PastRunRow {
            no,
            series_no: run.series,
            batch_id: run.batch.as_uuid(),
            name: batch.map(|batch| batch.batch.name.clone()),
            is_rerun: run.repeats.is_some(),
            branch: revision.branch.unwrap_or_default(),
            sha: revision.sha,
            dirty: revision.dirty,
            url: revision.url,
            has_revision: run.revision.is_some(),
            gate: run.gate.to_string(),
            day: 0,
            verdict: counts.map(render).transpose()?,
            created_at: run.created_at.timestamp_millis(),
            finished_at: batch.and_then(|batch| batch.finished_at),
        })
    }

    /// The numbers of the runs of a series, newest first.
    fn runs_of(&self, series: i64, filter: &RunFilter) -> Vec<i64> {
        let numbers = (1..=number(self.past.runs.len())).rev();
        let is_shown = |no: &i64| {
            let run = &self.past.runs[place(*no)];
            let branch = run.revision.as_ref().and_then(|it| it.branch.clone());
            run.series == series
                && (filter.with_reruns || run.repeats.is_none())
                && (filter.branch.is_none() || filter.branch == branch)
        };
        numbers.filter(is_shown).collect()
    }

    fn show_series(&self, no: i64) -> Result<ShownSeries> {
        let series = &self.past.series[place(no)];
        let last_run = self.runs_of(no, &RunFilter::default()).first().copied();
        let row = SeriesRow {
            no,
            id: series.id.as_uuid(),
            owner_id: series.owner.as_uuid(),
            name: series.name.clone(),
            project: series.project.as_ref().map(ToString::to_string),
            created_at: series.created_at.timestamp_millis(),
            last_run,
        };
        let run = last_run.map(|no| self.run_row(no)?.into_run()).transpose()?;
        row.into_series(run)
    }

    fn named_row(&self, series: i64, no: i64) -> Option<NamedRow> {
        let (name, variant) = self.past.tests.get(&(series, no))?.clone();
        Some(NamedRow { no, name, variant, case_name: None })
    }

    fn result_row(&self, run_no: i64, done: &Done) -> TestResultRow {
        let cause = self.past.causes.get(&done.cause).cloned().unwrap_or_default();
        TestResultRow {
            test_no: done.test,
            run_no,
            outcome: done.outcome.into(),
            job_id: done.job.as_uuid(),
            duration_ms: done.duration_ms.into(),
            attempts: done.attempts.into(),
            host: Some(done.host.clone()),
            cause_no: done.cause,
            reason: cause.reason.map(|reason| reason.to_string()),
            exit_code: cause.exit_code,
            signal: cause.signal,
            error_line: cause.error_line,
        }
    }

    /// The last run in which a test was what comes first; 0 is none.
    fn first_in(&self, test: i64, runs: &[i64], first: &First) -> i64 {
        let is_first = |no: &&i64| {
            let run = &self.past.runs[place(**no)];
            match &run.judged {
                Some(judged) => judged.notable.iter().any(|it| {
                    it.test_no == test && first.classes.contains(&code_of_class(it.class).into())
                }),
                None => {
                    let told = self.past.counted(**no);
                    told.get(&test).is_some_and(|it| i64::from(it.outcome) == first.outcome)
                }
            }
        };
        runs.iter().filter(is_first).max().copied().unwrap_or(0)
    }

    fn test_row(
        &self,
        series: i64,
        test: i64,
        (runs, first): (&[i64], &First),
    ) -> Option<SeriesTestRow> {
        let named = self.named_row(series, test)?;
        let mut newest = runs.to_vec();
        newest.sort_by_key(|no| Reverse(*no));
        let last =
            newest.into_iter().find_map(|no| Some((no, self.past.counted(no).remove(&test)?)));
        let (run_no, done) = last?;
        let row = self.result_row(run_no, &done);
        Some(SeriesTestRow {
            no: named.no,
            name: named.name,
            variant: named.variant,
            case_name: None,
            failed_in: self.first_in(test, runs, first),
            run_no,
            batch_id: self.past.runs[place(run_no)].batch.as_uuid(),
            outcome: row.outcome,
            job_id: row.job_id,
            duration_ms: row.duration_ms,
            cause_no: row.cause_no,
            reason: row.reason,
            exit_code: row.exit_code,
            signal: row.signal,
            error_line: row.error_line,
        })
    }

    fn beside(&self, batch: BatchId, other: BatchId) -> Result<Option<(i64, Judged)>> {
        let (Some(no), Some(beside)) = (self.past.of(batch), self.past.of(other)) else {
            return Ok(None);
        };
        let members = self.members(batch);
        Ok(Some((no, self.past.beside(no, &[beside], Some(&members), &Rules::default())?)))
    }
}

#[async_trait]
impl HistoryStore for Memory {
    async fn series_list(
        &self,
        scope: Scope,
        filter: &SeriesFilter,
        page: PageRequest,
    ) -> Result<Page<ShownSeries>> {
        let scope = scope.within(filter.owner, filter.project.as_ref());
        let (state, after) = (self.lock(), page.after.unwrap_or(Uuid::max()));
        let numbers = (1..=number(state.past.series.len())).rev();
        let is_shown = |no: &i64| {
            let series = &state.past.series[place(*no)];
            series.id.as_uuid() < after
                && scope.contains(series.owner, series.project.as_ref())
                && is_called(filter.name.as_ref(), &series.name)
        };
        let mut shown: Vec<i64> = numbers.filter(is_shown).collect();
        let id = |no: &i64| state.past.series[place(*no)].id.as_uuid();
        shown.sort_by_key(|no| Reverse(id(no)));
        shown.truncate(page.limit as usize + 1);
        Page::from_surplus(shown, page.limit, id).try_map(|no| state.show_series(no))
    }

    async fn series(&self, id: SeriesId, scope: Scope) -> Result<Option<ShownSeries>> {
        let state = self.lock();
        let at = state.past.series.iter().position(|series| series.id == id);
        let seen = at.filter(|at| {
            let series = &state.past.series[*at];
            scope.contains(series.owner, series.project.as_ref())
        });
        seen.map(|at| state.show_series(number(at + 1))).transpose()
    }

    async fn test(&self, id: TestId, scope: Scope) -> Result<Option<(ShownSeries, NamedTest)>> {
        let Some((series, test)) = id.numbers() else { return Ok(None) };
        let state = self.lock();
        let Some(row) = state.named_row(stored(series), test.cast_signed()) else {
            return Ok(None);
        };
        let shown = state.show_series(stored(series))?;
        let is_seen = scope.contains(shown.owner_id, shown.project.as_ref());
        Ok(is_seen.then_some((shown, row.into_test(series)?)))
    }

    async fn runs(
        &self,
        series: u64,
        filter: &RunFilter,
        page: PageRequest,
    ) -> Result<Page<ShownRun>> {
        let (state, before) = (self.lock(), ClassifiedRow::place(page.after, i64::MAX));
        let mut runs = state.runs_of(stored(series), filter);
        runs.retain(|no| *no < before);
        runs.truncate(page.limit as usize + 1);
        let page = Page::from_surplus(runs, page.limit, |no| ClassifiedRow::cursor(*no));
        page.try_map(|no| state.run_row(no)?.into_run())
    }

    async fn tests(
        &self,
        series: u64,
        runs: &[u64],
        filter: &TestFilter,
        page: PageRequest,
    ) -> Result<Page<SeriesTest>> {
        let (state, first) = (self.lock(), First::of(filter));
        let runs: Vec<i64> = runs.iter().copied().map(stored).collect();
        let tests = state.past.tests.keys().filter(|(of, _)| *of == stored(series));
        let rows = tests.filter_map(|(of, test)| state.test_row(*of, *test, (&runs, &first)));
        let wanted = filter.status.map(|status| i64::from(code(status)));
        let is_shown = |row: &SeriesTestRow| {
            wanted.is_none_or(|wanted| row.outcome == wanted)
                && (!first.only || row.failed_in > 0)
                && is_called(filter.name.as_ref(), &row.name)
        };
        let mut rows: Vec<SeriesTestRow> = rows.filter(is_shown).collect();
        let key = |row: &SeriesTestRow| {
            (Reverse(row.failed_in), row.name.clone(), row.variant.clone(), row.no)
        };
        rows.sort_by_key(key);
        let (failed_in, test) = SeriesTestRow::behind(page.after);
        if let Some(last) = test.and_then(|test| state.named_row(stored(series), test)) {
            let behind = (Reverse(failed_in), last.name, last.variant, last.no);
            rows.retain(|row| key(row) > behind);
        }
        rows.truncate(page.limit as usize + 1);
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
        let state = self.lock();
        let runs: Vec<_> = runs.iter().map(|no| &state.past.runs[place(stored(*no))]).collect();
        let times = |test: i64| -> i64 {
            let notable = runs.iter().filter_map(|run| run.judged.as_ref());
            let notable = notable.flat_map(|judged| &judged.notable);
            let of_test = notable.filter(|it| it.test_no == test).map(|it| match it.class {
                Class::Flaky => 2,
                Class::New | Class::Fixed => 1,
                _ => 0,
            });
            of_test.sum()
        };
        let tests = state.past.tests.iter().filter(|((of, _), _)| *of == stored(series));
        let tests = tests.filter(|(_, (name, _))| is_called(filter.name.as_ref(), name));
        let mut tests: Vec<(Reverse<i64>, i64)> =
            tests.map(|((_, test), _)| (Reverse(times(*test)), *test)).collect();
        tests.retain(|(Reverse(times), _)| *times > 0);
        tests.sort_unstable();
        tests.truncate(limit as usize);
        let named = tests.into_iter().filter_map(|(_, no)| state.named_row(stored(series), no));
        named.map(|row| row.into_test(series)).collect()
    }

    async fn outcomes(
        &self,
        series: u64,
        runs: &[u64],
        tests: &[TestId],
    ) -> Result<Vec<TestResult>> {
        let state = self.lock();
        let mut runs: Vec<i64> = runs.iter().copied().map(stored).collect();
        runs.sort_by_key(|no| Reverse(*no));
        let mut results = Vec::new();
        for test in tests.iter().filter_map(|test| test.numbers()) {
            for no in runs.iter().filter(|_| test.0 == series) {
                if let Some(done) = state.past.counted(*no).remove(&test.1.cast_signed()) {
                    let run = state.run_row(*no)?.into_run()?;
                    results.push(state.result_row(*no, &done).into_result(series, &run)?);
                }
            }
        }
        Ok(results)
    }

    async fn results(&self, test: TestId, page: PageRequest) -> Result<Page<TestResult>> {
        let Some((series, test)) = test.numbers() else { return Ok(Page::empty()) };
        let (state, before) = (self.lock(), ClassifiedRow::place(page.after, i64::MAX));
        let mut rows = Vec::new();
        let all = RunFilter { with_reruns: true, ..RunFilter::default() };
        for no in state.runs_of(stored(series), &all).into_iter().filter(|no| *no < before) {
            if let Some(done) = state.past.counted(no).remove(&test.cast_signed()) {
                rows.push(state.result_row(no, &done));
            }
        }
        rows.truncate(page.limit as usize + 1);
        let page = Page::from_surplus(rows, page.limit, |row| ClassifiedRow::cursor(row.run_no));
        page.try_map(|row| {
            let run = state.run_row(row.run_no)?.into_run()?;
            row.into_result(series, &run)
        })
    }

    async fn compare(&self, batch: BatchId, other: BatchId) -> Result<Option<ClassCounts>> {
        Ok(self.lock().beside(batch, other)?.map(|(_, judged)| judged.counts))
    }

    async fn compared(
        &self,
        batch: BatchId,
        other: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>> {
        let state = self.lock();
        let Some((no, judged)) = state.beside(batch, other)? else { return Ok(Page::empty()) };
        let series = state.past.runs[place(no)].series;
        let surplus = page.limit as usize + 1;
        let rows: Vec<ClassifiedRow> = if class == Class::Passed {
            let after = ClassifiedRow::place(page.after, i64::MIN);
            let is_told = |done: &Done| {
                let mut told = judged.notable.iter();
                told.any(|it| it.test_no == done.test && Class::OF_TESTS.contains(&it.class))
            };
            let passed = state.past.counted(no).into_values();
            let passed = passed.filter(|it| it.outcome < 2 && it.test > after && !is_told(it));
            let row = |done: Done| {
                let plain = Notable::passed(done.test, done.job.as_uuid());
                state.past.show(done.test, &plain, series)
            };
            passed.take(surplus).map(row).collect()
        } else {
            let behind = judged.behind(class, ClassifiedRow::place(page.after, -1));
            behind.take(surplus).map(|(at, it)| state.past.show(at, it, series)).collect()
        };
        let page = Page::from_surplus(rows, page.limit, |row| ClassifiedRow::cursor(row.place));
        page.try_map(|row| row.into_test(series))
    }
}
