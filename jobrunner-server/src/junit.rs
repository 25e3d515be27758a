//! Results as JUnit XML, which every CI system reads.

mod case;
mod names;
mod properties;
mod tests;
pub mod xml;

use std::{collections::VecDeque, io};

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use jobrunner_core::{
    Batch, BatchId, Job, Principal, Result, Service, Status,
    job::{JobFilter, Order, Reason},
    page::{Page, PageRequest},
    terminal,
};

use case::Details;
use names::Names;
use tests::{Reporting, Tests};
use xml::Element;

/// The most that is read of the end of a failed job's output.
const TAIL_BYTES: u64 = 16 * 1024;

/// How many jobs are read at a time.
const JOBS: u32 = 50;

/// A part of the document is sent when it has this many bytes.
const PART: usize = 32 * 1024;

/// A document that is made while it is read.
pub type Document = BoxStream<'static, io::Result<Bytes>>;

/// Returns the results of a batch that the caller may see: one test case for each job, in the order
/// of their submission, with the end of the output of those that failed and the attempts of those
/// that are flaky. What the batch says as a run of its series, it
/// says in properties.
///
/// The document is made part by part, so that its size costs no memory. Its totals are those of the
/// batch when it was begun.
///
/// # Errors
/// [`NotFound`](jobrunner_core::Error::NotFound), or the store fails. A part that cannot be read
/// later is an error of the stream.
pub async fn document(service: &Service, caller: &Principal, id: BatchId) -> Result<Document> {
    let batch = service.batch(caller, id).await?;
    let cases = Cases {
        service: service.clone(),
        caller: caller.clone(),
        names: Names::default(),
        next: Next::Page(None),
        reporting: VecDeque::new(),
        are_told: false,
        tests: None,
        batch,
    };
    let failures = cases.failures().await?;
    let verdict = match cases.batch.series {
        Some(_) => Some(service.verdict(caller, id).await?),
        None => None,
    };
    let mut head = frame(&cases.batch, failures);
    properties::write(&mut head, &cases.batch, verdict.as_ref());
    let cases = stream::try_unfold(cases, async |mut cases| {
        let part = cases.part().await.map_err(|error| {
            tracing::warn!(%error, "cannot go on with the results of a batch");
            io::Error::other(error)
        })?;
        Ok(part.map(|part| (Bytes::from(part), cases)))
    });
    let head = stream::iter([Ok(Bytes::from(head))]);
    let tail = stream::iter([Ok(Bytes::from_static(b"</testsuites>\n"))]);
    Ok(head.chain(cases).chain(tail).boxed())
}

/// Returns what stands before the test cases. There are totals of the suite of the jobs, and later
/// of the suite of each job's own tests; of all suites there are none, since they are not known
/// yet.
fn frame(batch: &Batch, failures: u64) -> String {
    let counts = &batch.counts;
    let failures = failures.min(counts.failed);
    // What did not run, or had nothing to do.
    let skipped = counts.total - counts.passed - counts.failed + batch.skipped;
    let took = batch.started_at.zip(batch.finished_at).map(|(start, end)| end - start);
    let took = took.and_then(|took| took.to_std().ok()).unwrap_or_default();
    let mut head = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let time = format!("{:.3}", took.as_secs_f64());
    let timestamp = batch.started_at.map(case::time);
    Element::begin(&mut head, "testsuites")
        .attribute("name", &batch.name)
        .optional("timestamp", timestamp.as_deref())
        .attribute("time", &time)
        .open();
    head.push('\n');
    Element::begin(&mut head, "testsuite")
        .attribute("name", &batch.name)
        .attribute("tests", &counts.total.to_string())
        .attribute("skipped", &skipped.to_string())
        .attribute("failures", &failures.to_string())
        .attribute("errors", &(counts.failed - failures).to_string())
        .optional("timestamp", timestamp.as_deref())
        .attribute("time", &time)
        .open();
    head.push('\n');
    head
}

struct Cases {
    service: Service,
    caller: Principal,
    batch: Batch,
    names: Names,
    next: Next,
    /// The jobs so far that have tests of their own.
    reporting: VecDeque<Reporting>,
    /// Whether the suite of the jobs has ended.
    are_told: bool,
    tests: Option<Tests>,
}

/// Where to go on.
enum Next {
    /// The page with this cursor.
    Page(Option<String>),
    Jobs(std::vec::IntoIter<Job>, Option<String>),
    Nothing,
}

impl Cases {
    /// The next test cases; `None` after the last one.
    async fn part(&mut self) -> Result<Option<String>> {
        let mut part = String::new();
        while part.len() < PART {
            let Some(job) = self.job().await? else {
                if !std::mem::replace(&mut self.are_told, true) {
                    part.push_str("</testsuite>\n");
                }
                if self.tests_of_jobs(&mut part).await? { continue } else { break }
            };
            let details = self.details(&job).await?;
            let name = self.names.given(&job.spec.name);
            case::write(
                &mut part,
                &job,
                case::Titles { class: &self.batch.name, name: &name },
                details,
            );
            self.reporting.extend(Reporting::of(job, name));
        }
        Ok((!part.is_empty()).then_some(part))
    }

    /// The next tests that jobs tell of themselves. Answers `false` when there are no more.
    async fn tests_of_jobs(&mut self, part: &mut String) -> Result<bool> {
        if self.tests.is_none() {
            let Some(job) = self.reporting.pop_front() else { return Ok(false) };
            self.tests = Some(Tests::begin(job, part));
        }
        if let Some(tests) = &mut self.tests
            && !tests.write(&self.service, &self.caller, part).await?
        {
            self.tests = None;
        }
        Ok(true)
    }

    async fn job(&mut self) -> Result<Option<Job>> {
        loop {
            self.next = match std::mem::replace(&mut self.next, Next::Nothing) {
                Next::Nothing => return Ok(None),
                Next::Page(cursor) => {
                    let filter = JobFilter { order: Order::Oldest, ..self.members() };
                    let page = self.page(filter, cursor.as_deref()).await?;
                    Next::Jobs(page.items.into_iter(), page.next_cursor)
                }
                Next::Jobs(mut jobs, cursor) => match (jobs.next(), cursor) {
                    (Some(job), cursor) => {
                        self.next = Next::Jobs(jobs, cursor);
                        return Ok(Some(job));
                    }
                    (None, Some(cursor)) => Next::Page(Some(cursor)),
                    (None, None) => Next::Nothing,
                },
            };
        }
    }

    /// How many jobs failed by what their command said itself.
    async fn failures(&self) -> Result<u64> {
        if self.batch.counts.failed == 0 {
            return Ok(0);
        }
        let (mut failures, mut cursor) = (0, None);
        loop {
            let filter = JobFilter { reason: Some(Reason::ExitCode), ..self.members() };
            let page = self.page(filter, cursor.as_deref()).await?;
            let failed = page.items.iter().filter(|job| job.status == Status::Failed);
            failures += failed.count() as u64;
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(failures);
            }
        }
    }

    fn members(&self) -> JobFilter {
        JobFilter { batch: Some(self.batch.id), ..JobFilter::default() }
    }

    async fn page(&self, filter: JobFilter, cursor: Option<&str>) -> Result<Page<Job>> {
        let page = PageRequest::parse(Some(JOBS), cursor)?;
        self.service.jobs(&self.caller, filter, page).await
    }

    async fn details(&self, job: &Job) -> Result<Details> {
        let mut details = Details::default();
        if job.flaky {
            details.attempts = self.service.attempts(&self.caller, job.id).await?;
        }
        if job.status == Status::Failed {
            let logs = self.service.logs(&self.caller, job.id, Some(TAIL_BYTES)).await?;
            details.stdout = terminal::text(&logs.stdout);
            details.stderr = terminal::text(&logs.stderr);
        }
        Ok(details)
    }
}
