//! What became of tests from run to run.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, Utc};
use jobrunner_core::{
    BatchId, JobId, JobSpec, NewBatch, ProjectName, Result, SeriesId, UserId,
    known_issue::Rules,
    page::{Page, PageRequest},
    series::{Baseline, Gate, Revision},
    store::{
        ResultStore,
        engine::{
            identity,
            results::{CaseTest, Results, TOLD_BY_CASES, code},
            rows::BatchRunRow,
            values::render,
            verdict::{
                ClassifiedRow, Judged, MissingRow, Notable, NotedRow, code as code_of_class,
            },
        },
    },
    verdict::{
        Class, ClassCounts, ClassifiedTest, FailureCause, Outcome, RUNS_LOOKED_AT, ShortVerdict,
        Verdict,
    },
};

use crate::{
    Memory,
    state::{Entry, State},
};

/// Results of tests. The number of a series or a run is its place, from 1.
#[derive(Default)]
pub(crate) struct Past {
    pub(crate) series: Vec<Series>,
    pub(crate) runs: Vec<Run>,
    /// Names and variants, by series and number.
    pub(crate) tests: BTreeMap<(i64, i64), (String, Option<String>)>,
    pub(crate) causes: BTreeMap<i64, FailureCause>,
    /// For each case, the number of the test that reports it, and its name in that report.
    cases: BTreeMap<(i64, i64), (i64, String)>,
}

pub(crate) struct Series {
    pub(crate) id: SeriesId,
    pub(crate) owner: UserId,
    pub(crate) project: Option<ProjectName>,
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
}

pub(crate) struct Run {
    pub(crate) batch: BatchId,
    pub(crate) series: i64,
    pub(crate) created_at: DateTime<Utc>,
    /// The run whose tests it repeats.
    pub(crate) repeats: Option<i64>,
    pub(crate) revision: Option<Revision>,
    pub(crate) gate: Gate,
    baseline: Baseline,
    results: Vec<Done>,
    /// Once it has ended.
    pub(crate) judged: Option<Judged>,
}

/// What became of a test in a run.
#[derive(Clone)]
pub(crate) struct Done {
    pub(crate) test: i64,
    pub(crate) job: JobId,
    pub(crate) outcome: i16,
    pub(crate) cause: i64,
    pub(crate) duration_ms: i32,
    pub(crate) host: String,
    pub(crate) attempts: i16,
}

/// Now, as it is shown.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// The place of a number.
pub(crate) fn place(number: i64) -> usize {
    usize::try_from(number - 1).unwrap_or(usize::MAX)
}

pub(crate) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Past {
    /// Makes a batch a run of its series, if it is one, and returns its number.
    pub(crate) fn begin(
        &mut self,
        owner: UserId,
        id: BatchId,
        batch: &NewBatch,
        rerun_of: Option<BatchId>,
    ) -> Option<i64> {
        let original = rerun_of.map(|of| self.of(of));
        let (series, repeats) = match original {
            Some(original) => {
                let no = original?;
                let run = &self.runs[place(no)];
                (run.series, Some(run.repeats.unwrap_or(no)))
            }
            None => (self.series(owner, batch)?, None),
        };
        self.runs.push(Run {
            batch: id,
            series,
            created_at: now(),
            repeats,
            revision: batch.revision.clone(),
            gate: batch.gate,
            baseline: batch.baseline.clone(),
            results: Vec::new(),
            judged: None,
        });
        Some(number(self.runs.len()))
    }

    fn series(&mut self, owner: UserId, batch: &NewBatch) -> Option<i64> {
        let (name, project) = (batch.series.name(&batch.name)?.to_owned(), batch.project.clone());
        let is_theirs = |it: &Series| it.project.is_some() || it.owner == owner;
        let is_it = |it: &Series| it.name == name && it.project == project && is_theirs(it);
        let at = self.series.iter().position(is_it).unwrap_or_else(|| {
            let (id, created_at) = (SeriesId::new(), now());
            self.series.push(Series { id, owner, project, name, created_at });
            self.series.len() - 1
        });
        Some(number(at + 1))
    }

    /// The number of the run that a batch is.
    pub(crate) fn of(&self, batch: BatchId) -> Option<i64> {
        self.runs.iter().position(|run| run.batch == batch).map(|at| number(at + 1))
    }

    /// Makes a job of a run known as a test, and returns its number.
    pub(crate) fn know(&mut self, run: i64, spec: &JobSpec) -> Result<i64> {
        let (test, series) = (identity::of_spec(spec), self.runs[place(run)].series);
        let name = spec.test.clone().unwrap_or_else(|| spec.name.clone());
        let variant = identity::stored_variant(&spec.variant)?;
        self.tests.entry((series, test)).or_insert((name, variant));
        Ok(test)
    }

    /// Keeps what became of tests whose jobs have ended.
    pub(crate) fn keep(&mut self, results: Results) {
        self.causes.extend(results.causes);
        for CaseTest { run, test, parent, case } in results.cases {
            let series = self.runs[place(run)].series;
            let name = self.tests.get(&(series, parent)).cloned().unwrap_or_default();
            self.tests.entry((series, test)).or_insert(name);
            self.cases.entry((series, test)).or_insert((parent, case));
        }
        for row in results.rows {
            let job = JobId::from(row.job);
            let done = Done {
                test: row.test,
                job,
                outcome: row.outcome,
                cause: row.cause,
                duration_ms: row.duration_ms,
                host: row.host,
                attempts: row.attempts,
            };
            self.add(row.run, done);
        }
    }

    /// Keeps that a job was not run.
    pub(crate) fn not_run(&mut self, id: JobId, (run, test): (i64, i64)) {
        let done = Done {
            test,
            job: id,
            outcome: code(Outcome::NotRun),
            cause: 0,
            duration_ms: 0,
            host: String::new(),
            attempts: 0,
        };
        self.add(run, done);
    }

    fn add(&mut self, run: i64, done: Done) {
        if let Some(run) = self.runs.get_mut(place(run)) {
            run.results.push(done);
        }
    }

    /// The series, the revision, the gate and the verdict of a batch, for its row.
    pub(crate) fn row(&self, batch: BatchId) -> Result<BatchRunRow> {
        let Some(run) = self.of(batch).map(|no| &self.runs[place(no)]) else {
            return Ok(BatchRunRow::default());
        };
        let series = &self.series[place(run.series)];
        let revision = run.revision.clone().unwrap_or_default();
        let counts = run.judged.as_ref().map(|judged| &judged.counts);
        Ok(BatchRunRow {
            series_id: Some(series.id.as_uuid()),
            series: Some(series.name.clone()),
            gate: Some(run.gate.to_string()),
            has_revision: Some(run.revision.is_some()),
            sha: revision.sha,
            branch: revision.branch,
            dirty: Some(revision.dirty),
            url: revision.url,
            verdict: counts.map(render).transpose()?,
        })
    }

    /// Returns one result for each test of a run: the worst where there are several.
    pub(crate) fn told(&self, run: i64) -> BTreeMap<i64, Done> {
        let mut told: BTreeMap<i64, Done> = BTreeMap::new();
        for done in &self.runs[place(run)].results {
            let known = told.entry(done.test).or_insert_with(|| done.clone());
            if done.outcome > known.outcome {
                *known = done.clone();
            }
        }
        told
    }

    /// Returns what [`told`](Self::told) does, without the jobs that are counted by their cases.
    pub(crate) fn counted(&self, run: i64) -> BTreeMap<i64, Done> {
        let mut counted = self.told(run);
        counted.retain(|_, done| done.cause != TOLD_BY_CASES);
        counted
    }

    /// The runs that a run is compared with, newest first.
    fn before(&self, no: i64) -> Vec<i64> {
        let run = &self.runs[place(no)];
        if let Some(pinned) = run.baseline.batch_id.and_then(|batch| self.of(batch)) {
            return vec![pinned];
        }
        let branch = |run: &Run| run.revision.as_ref().and_then(|it| it.branch.clone());
        let wanted = run.baseline.branch.clone().or_else(|| branch(run));
        let earlier = (1..run.repeats.unwrap_or(no)).rev();
        let same = earlier.filter(|earlier| {
            let earlier = &self.runs[place(*earlier)];
            earlier.series == run.series && earlier.repeats.is_none() && branch(earlier) == wanted
        });
        same.take(RUNS_LOOKED_AT as usize).collect()
    }

    /// Classifies the tests of a run; `members` are the tests of its jobs.
    fn judge(&self, no: i64, members: &[i64], known: &Rules) -> Result<Judged> {
        // What repeats some tests of a run lacks the others.
        let has_all = self.runs[place(no)].repeats.is_none();
        self.beside(no, &self.before(no), has_all.then_some(members), known)
    }

    /// Classifies the tests of a run beside others, newest first; none is missing if `members`, the
    /// tests of its jobs, are not told.
    pub(crate) fn beside(
        &self,
        no: i64,
        window: &[i64],
        members: Option<&[i64]>,
        known: &Rules,
    ) -> Result<Judged> {
        let (here, run) = (self.told(no), &self.runs[place(no)]);
        let before: Vec<_> = window.iter().map(|no| (*no, self.told(*no))).collect();
        let tells = |done: &Done| [0, 2, 5].contains(&done.outcome);
        let of_test = |test: i64| {
            let results = before.iter().filter_map(move |(no, told)| Some((*no, told.get(&test)?)));
            results.filter(move |(_, done)| tells(done))
        };
        let names = |test: i64| {
            let known = self.tests.get(&(run.series, test)).cloned();
            known.unwrap_or_default()
        };
        let counted = || here.values().filter(|done| done.cause != TOLD_BY_CASES);
        let case = |test| self.cases.get(&(run.series, test)).cloned();
        let tests = number(counted().count());
        let mut noted: Vec<NotedRow> = counted()
            .map(|done| {
                let last = of_test(done.test).next();
                let failed = of_test(done.test).take_while(|(_, done)| done.outcome == 5);
                let (failed, causes): (Vec<i64>, Vec<i64>) =
                    failed.map(|(no, before)| (no, before.cause)).unzip();
                let is_alike = causes.contains(&done.cause);
                let (name, variant) = names(done.test);
                NotedRow {
                    test_no: Some(done.test),
                    job_id: Some(done.job.as_uuid()),
                    outcome: Some(done.outcome.into()),
                    cause_no: Some(done.cause),
                    before: last.map(|(_, done)| done.outcome.into()),
                    is_alike: Some(is_alike),
                    is_slower: Some(is_slower(done, of_test(done.test).map(|(_, done)| done))),
                    good_run: of_test(done.test).find(|it| it.1.outcome != 5).map(|it| it.0),
                    since_run: failed.last().copied(),
                    runs: number(failed.len()),
                    name: Some(name),
                    variant,
                    case_name: case(done.test).map(|(_, name)| name),
                    error_line: self.causes.get(&done.cause).and_then(|it| it.error_line.clone()),
                    tests,
                }
            })
            .collect();
        // What had nothing to do has passed, and no more is said of it.
        noted.retain(|row| row.outcome != Some(1));
        noted.push(NotedRow::only(tests));
        let mut missing = BTreeMap::new();
        for (no, told) in before.iter().filter(|_| members.is_some()) {
            let members = members.unwrap_or_default();
            for done in told.values().filter(|done| tells(done)) {
                // Of a case nothing is known when the test did not run that reports it.
                let is_known =
                    case(done.test).is_none_or(|(parent, _)| here.get(&parent).is_some_and(tells));
                if is_known && !here.contains_key(&done.test) && !members.contains(&done.test) {
                    missing.entry(done.test).or_insert(*no);
                }
            }
        }
        let missing = missing.into_iter().map(|(test_no, good_run)| {
            let of = (self.runs[place(good_run)].series, test_no);
            let (name, variant) = self.tests.get(&of).cloned().unwrap_or_default();
            let case_name = self.cases.get(&of).map(|(_, name)| name.clone());
            MissingRow { test_no, name, variant, case_name, good_run }
        });
        Judged::of(no, noted, missing.collect(), known)
    }

    /// What is told of a test of a page.
    pub(crate) fn show(&self, at: i64, notable: &Notable, series: i64) -> ClassifiedRow {
        // What is missing is a test of the series that it was in.
        let was_in = notable.good_run.filter(|_| notable.job_id.is_none());
        let series = was_in.map_or(series, |run| self.runs[place(run)].series);
        let (name, variant) =
            self.tests.get(&(series, notable.test_no)).cloned().unwrap_or_default();
        let cause = self.causes.get(&notable.cause_no).cloned().unwrap_or_default();
        let batch = |run: i64| self.runs[place(run)].batch.as_uuid();
        let good = notable.good_run.and_then(|run| self.runs[place(run)].revision.clone());
        let is_told = good.is_some();
        let good = good.unwrap_or_default();
        ClassifiedRow {
            place: at,
            test_no: notable.test_no,
            series_no: Some(series),
            name: Some(name),
            variant,
            case_name: self.cases.get(&(series, notable.test_no)).map(|it| it.1.clone()),
            job_id: notable.job_id,
            since_batch: notable.since_run.map(batch),
            runs: notable.runs,
            good_batch: notable.good_run.map(batch),
            good_has_revision: Some(is_told),
            good_sha: good.sha,
            good_branch: good.branch,
            good_dirty: Some(good.dirty),
            good_url: good.url,
            cause_no: notable.cause_no,
            reason: cause.reason.map(|reason| reason.to_string()),
            exit_code: cause.exit_code,
            signal: cause.signal,
            error_line: cause.error_line,
            issue_id: notable.issue_id,
        }
    }
}

/// Whether a test that passed took twice as long as nine tenths of its passes before, and a second
/// more.
fn is_slower<'a>(done: &Done, before: impl Iterator<Item = &'a Done>) -> bool {
    let passed = before.filter(|before| before.outcome == 0);
    let mut took: Vec<i32> = passed.map(|before| before.duration_ms).collect();
    took.sort_unstable();
    let p90 = took.get((took.len() * 9).div_ceil(10).saturating_sub(1)).copied();
    done.outcome == 0
        && p90.is_some_and(|p90| {
            done.duration_ms >= p90.saturating_mul(2)
                && done.duration_ms >= p90.saturating_add(1000)
        })
}

impl State {
    /// The tests that the jobs of a batch are.
    pub(crate) fn members(&self, batch: BatchId) -> Vec<i64> {
        let members = self.batches.get(&batch).map(|batch| &batch.members);
        let jobs = members.into_iter().flatten().filter_map(|id| self.jobs.get(id));
        jobs.filter_map(|job: &Entry| job.of.map(|(_, test)| test)).collect()
    }

    /// What is to be told of a batch that is a run.
    fn judged(&self, batch: BatchId) -> Result<Option<(i64, Judged)>> {
        let Some(no) = self.past.of(batch) else { return Ok(None) };
        let stored = self.past.runs[place(no)].judged.clone();
        let judged = match stored {
            Some(judged) => judged,
            None => {
                let series = self.past.runs[place(no)].series;
                let known = self.known_of(batch, &self.past.series[place(series)].name);
                self.past.judge(no, &self.members(batch), &known)?
            }
        };
        Ok(Some((no, judged)))
    }

    /// Returns how many tests of a batch that has ended are of each class, if it is a run.
    pub(crate) fn counts_of(&self, batch: BatchId) -> Option<ClassCounts> {
        let run = &self.past.runs[place(self.past.of(batch)?)];
        run.judged.as_ref().map(|judged| judged.counts)
    }

    /// Keeps what is to be told of a batch that has ended.
    pub(crate) fn settle(&mut self, batch: BatchId) -> Result<()> {
        if let Some((no, judged)) = self.judged(batch)? {
            self.past.runs[place(no)].judged = Some(judged);
        }
        Ok(())
    }
}

#[async_trait]
impl ResultStore for Memory {
    async fn verdict(&self, batch: BatchId) -> Result<Option<Verdict>> {
        let state = self.lock();
        let Some((no, Judged { counts, .. })) = state.judged(batch)? else { return Ok(None) };
        let run = &state.past.runs[place(no)];
        let series = &state.past.series[place(run.series)];
        let branch = run.revision.as_ref().and_then(|it| it.branch.clone());
        let is_final = run.judged.is_some();
        let baseline = match run.baseline.batch_id {
            Some(_) => run.baseline.clone(),
            None => Baseline { branch: run.baseline.branch.clone().or(branch), batch_id: None },
        };
        Ok(Some(Verdict {
            batch_id: batch,
            series: series.name.clone(),
            series_id: series.id,
            baseline,
            is_final,
            status: ShortVerdict::new(run.gate, is_final.then_some(counts)).status,
            gate: run.gate,
            summary: if is_final { counts.summary() } else { counts.summary_so_far() },
            counts,
        }))
    }

    async fn classified(
        &self,
        batch: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>> {
        let state = self.lock();
        let Some((no, judged)) = state.judged(batch)? else { return Ok(Page::empty()) };
        let series = state.past.runs[place(no)].series;
        let surplus = page.limit as usize + 1;
        let rows: Vec<ClassifiedRow> = if code_of_class(class) == 0 {
            let after = ClassifiedRow::place(page.after, i64::MIN);
            let is_told = |done: &Done| {
                judged
                    .notable
                    .iter()
                    .any(|it| it.test_no == done.test && code_of_class(it.class) < 8)
            };
            let passed = state.past.told(no).into_values();
            let passed = passed.filter(|it| {
                it.outcome < 2 && it.cause != TOLD_BY_CASES && it.test > after && !is_told(it)
            });
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

    async fn forget_results(&self, _: u32) -> Result<u64> {
        // Nothing is older than the process.
        Ok(0)
    }
}
