//! What is found, and in which order.

use std::cmp::Ordering;

use jobrunner_core::{
    Batch, BatchId, Job, JobId, Result, Status,
    attempt::Attempt,
    batch::{BatchFilter, NameFilter},
    job::{JobFilter, Order},
    page::{Page, PageRequest},
    report::{Case, CaseFilter},
    store::engine::{
        plan,
        rows::{AttemptRow, BatchRow, CaseRow, CountsRow, JobRow, ResultRow},
        values::{case_code, code, render, stored},
    },
    user::Scope,
};

use crate::{
    results::Past,
    state::{BatchEntry, Done, Entry, State, now},
};

impl State {
    /// A job as it is shown.
    pub(crate) fn job(&self, id: JobId, job: &Entry) -> Result<Job> {
        let lease = job.lease.and_then(|token| self.leases.get(&token));
        let last = job.attempts.last();
        let ended = job.status.is_terminal();
        let started = match lease {
            Some(lease) => Some(lease.claimed_at),
            None => last.filter(|_| ended).map(|done| done.started_at),
        };
        JobRow {
            id: id.as_uuid(),
            owner_id: job.owner.as_uuid(),
            batch_id: job.batch.map(|batch| batch.as_uuid()),
            spec: job.json.clone(),
            created_at: job.created_at,
            finished_at: job.finished_at,
            status: code(self.standing(job)).into(),
            attempt: lease.map(|it| it.attempt).or(last.map(|it| it.number)).unwrap_or(0),
            started_at: started,
            last_attempt: last.map(|done| done.number),
            error: last.and_then(|done| done.end.error.clone()),
            flaky: job.flaky,
            report: last.and_then(|done| done.end.report.clone()),
            result: result(last),
        }
        .into_job()
    }

    pub(crate) fn standing(&self, job: &Entry) -> Status {
        if job.lease.is_some() { Status::Running } else { job.status }
    }

    /// The attempts of a job, the running one last.
    pub(crate) fn attempts(&self, job: &Entry) -> Result<Vec<Attempt>> {
        let done = job.attempts.iter().map(|done| AttemptRow {
            attempt: done.number,
            status: done.end.status.into(),
            started_at: done.started_at,
            finished_at: Some(done.finished_at),
            error: done.end.error.clone(),
            worker_host: self.hosts.get(&done.session).cloned(),
            report: done.end.report.clone(),
            result: result(Some(done)),
        });
        let lease = job.lease.and_then(|token| self.leases.get(&token));
        let running = lease.map(|lease| AttemptRow {
            attempt: lease.attempt,
            status: code(Status::Running).into(),
            started_at: lease.claimed_at,
            finished_at: None,
            error: None,
            worker_host: Some(lease.host.clone()),
            report: None,
            result: ResultRow { worker_id: Some(lease.session.as_uuid()), ..result(None) },
        });
        done.chain(running).map(AttemptRow::into_attempt).collect()
    }

    /// A page of the cases of a job's reports, by their places among those of an attempt.
    pub(crate) fn cases(
        &self,
        job: JobId,
        filter: &CaseFilter,
        page: PageRequest,
    ) -> Result<Page<Case>> {
        let Some(job) = self.jobs.get(&job) else { return Ok(Page::empty()) };
        let last = job.attempts.last().map(|done| done.number);
        let attempt = filter.attempt.map(i64::from).or(last);
        let Some(cases) = attempt.and_then(|attempt| job.cases.get(&attempt)) else {
            return Ok(Page::empty());
        };
        let from = page.after.map_or(-1, CaseRow::place_of);
        let is_shown = |case: &Case| {
            filter.status.is_none_or(|status| case.status == status)
                && filter.name.as_ref().is_none_or(|name| fits(&case.name, name))
        };
        let shown = (0..).zip(cases).filter(|(place, case)| *place > from && is_shown(case));
        let rows = shown.take(page.limit as usize + 1).map(|(place, case)| CaseRow {
            place,
            duration_ms: case.duration_ms.map(stored),
            status: case_code(case.status).into(),
            flaky: case.flaky,
            class: case.class.to_string(),
            name: case.name.clone(),
            file: case.file.clone(),
            message: case.message.clone(),
        });
        Page::from_surplus(rows.collect(), page.limit, CaseRow::id).try_map(CaseRow::into_case)
    }

    /// A page of the jobs that a filter shows.
    pub(crate) fn jobs(
        &self,
        scope: Scope,
        filter: &JobFilter,
        page: PageRequest,
    ) -> Result<Page<Job>> {
        let Some(plan) = plan::jobs(scope, filter) else { return Ok(Page::empty()) };
        let is_shown = |job: &Entry| {
            plan.scope.contains(job.owner, job.spec.project.as_ref())
                && filter.batch.is_none_or(|batch| job.batch == Some(batch))
                && plan.status.is_none_or(|status| self.standing(job) == status)
                && filter.queue.as_ref().is_none_or(|queue| job.spec.queue == *queue)
                && filter.name.as_ref().is_none_or(|name| fits(&job.spec.name, name))
                && filter.reason.is_none_or(|reason| {
                    let last = job.attempts.last().filter(|_| job.status.is_terminal());
                    last.is_some_and(|done| done.end.reason == Some(reason.as_str()))
                })
        };
        let after = page.after.map(JobId::from);
        let before =
            |id: JobId| after.is_none_or(|after| self.compare(filter.order, after, id).is_lt());
        let all = self.jobs.iter().filter(|(id, job)| is_shown(job) && before(**id));
        let mut found: Vec<(JobId, &Entry)> = all.map(|(id, job)| (*id, job)).collect();
        found.sort_by(|(a, _), (b, _)| self.compare(filter.order, *a, *b));
        found.truncate(page.limit as usize + 1);
        let page = Page::from_surplus(found, page.limit, |(id, _)| id.as_uuid());
        page.try_map(|(id, job)| self.job(id, job))
    }

    fn compare(&self, order: Order, a: JobId, b: JobId) -> Ordering {
        let name = |id: JobId| self.jobs.get(&id).map(|job| (&job.spec.name, id));
        let ran = |id: JobId, sign: i64| {
            let ran = self.jobs.get(&id).and_then(|job| self.ran(job));
            (ran.map_or(i64::MAX, |ran| sign * ran), id)
        };
        match order {
            Order::Newest => b.cmp(&a),
            Order::Oldest => a.cmp(&b),
            Order::Name => name(a).cmp(&name(b)),
            Order::NameDown => name(b).cmp(&name(a)),
            Order::Shortest => ran(a, 1).cmp(&ran(b, 1)),
            Order::Longest => ran(a, -1).cmp(&ran(b, -1)),
        }
    }

    /// How long the running attempt has taken, or the last one did of a job that has ended.
    fn ran(&self, job: &Entry) -> Option<i64> {
        match job.lease.and_then(|token| self.leases.get(&token)) {
            Some(lease) => Some(now() - lease.claimed_at),
            None => {
                let last = job.attempts.last().filter(|_| job.status.is_terminal());
                last.map(|done| done.end.duration_ms)
            }
        }
    }

    /// A page of the batches that a filter shows.
    pub(crate) fn batches(
        &self,
        scope: Scope,
        filter: &BatchFilter,
        page: PageRequest,
    ) -> Result<Page<Batch>> {
        let Some(plan) = plan::batches(scope, filter) else { return Ok(Page::empty()) };
        let is_shown = |batch: &BatchEntry| {
            batch.is_in(&plan.scope)
                && filter.status.is_none_or(|status| batch.status == status)
                && filter.name.as_ref().is_none_or(|name| match name {
                    NameFilter::Exactly(name) => batch.batch.name == *name,
                    NameFilter::Matching(pattern) => fits(&batch.batch.name, pattern),
                })
        };
        let newest = self.batches.iter().rev();
        let found = newest.filter(|(id, batch)| {
            page.after.is_none_or(|after| id.as_uuid() < after) && is_shown(batch)
        });
        let found = found.take(page.limit as usize + 1).collect();
        let page = Page::from_surplus(found, page.limit, |(id, _)| id.as_uuid());
        page.try_map(|(id, batch)| batch.show(*id, &self.past))
    }
}

impl BatchEntry {
    pub(crate) fn is_in(&self, scope: &Scope) -> bool {
        scope.contains(self.owner, self.batch.project.as_ref())
    }

    /// A batch as it is shown.
    pub(crate) fn show(&self, id: BatchId, past: &Past) -> Result<Batch> {
        let run = past.row(id)?;
        let [waiting, running, passed, failed, canceled, flaky, skipped] = self.counts;
        BatchRow {
            id: id.as_uuid(),
            owner_id: self.owner.as_uuid(),
            name: self.batch.name.clone(),
            description: self.batch.description.clone(),
            payload: render(&self.batch.payload)?,
            project: self.batch.project.as_ref().map(ToString::to_string),
            rerun_of: self.rerun_of.map(|batch| batch.as_uuid()),
            created_at: self.created_at,
            status: code(self.status).into(),
            started_at: self.started_at,
            finished_at: self.finished_at,
            counts: CountsRow { waiting, running, passed, failed, canceled },
            flaky,
            skipped,
            run,
        }
        .into_batch()
    }
}

fn result(done: Option<&Done>) -> ResultRow {
    let end = done.map(|done| &done.end);
    ResultRow {
        worker_id: done.map(|done| done.session.as_uuid()),
        exit_code: end.and_then(|end| end.exit_code),
        signal: end.and_then(|end| end.signal.clone()),
        reason: end.and_then(|end| end.reason).map(str::to_owned),
        duration_ms: end.map(|end| end.duration_ms),
        stdout_bytes: end.map(|end| end.stdout_bytes),
        stderr_bytes: end.map(|end| end.stderr_bytes),
        truncated: end.map(|end| end.truncated),
    }
}

/// Whether a text is the pattern, in which `*` is any text.
pub(crate) fn fits(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(first) else { return false };
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.into_iter().any(|at| fits(&text[at..], rest))
}
