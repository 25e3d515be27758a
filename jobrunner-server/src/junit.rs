//! Results as JUnit XML, which every CI system reads.

use std::{io, time::Duration};

use jobrunner_core::{
    Batch, BatchId, Job, Principal, Service, Status,
    job::{Attempt, JobFilter, Reason},
    page::PageRequest,
};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::api::problem::Failure;

/// The most that is read of the end of a failed job's output.
const TAIL_BYTES: u64 = 16 * 1024;

/// The results of a batch: one test case for each job, in the order of their submission, with the end of the
/// output of those that failed and the attempts of those that are flaky.
pub struct JUnit {
    batch: Batch,
    cases: Vec<TestCase>,
}

/// What a test case tells beyond its job.
#[derive(Debug, Default)]
pub struct Details {
    /// The end of what a failed job wrote to descriptor 1.
    pub stdout: String,
    /// The end of what a failed job wrote to descriptor 2.
    pub stderr: String,
    /// All attempts of a flaky job.
    pub attempts: Vec<Attempt>,
}

impl JUnit {
    /// Results of a batch without any job yet.
    #[must_use]
    pub const fn new(batch: Batch) -> Self {
        Self { batch, cases: Vec::new() }
    }

    /// Adds the next job, the newest first, as lists have them.
    pub fn add(&mut self, job: &Job, details: Details) {
        let reason = job.result.as_ref().and_then(|result| result.reason);
        let mut status = match (job.status, reason) {
            (Status::Passed, _) => passed(details.attempts),
            (Status::Canceled, _) => TestCaseStatus::skipped(),
            (Status::Waiting | Status::Running, _) => TestCaseStatus::skipped(),
            (Status::Failed, reason) => {
                TestCaseStatus::non_success(reason.map_or(NonSuccessKind::Error, kind))
            }
        };
        if job.status != Status::Passed {
            status.set_message(job.error.as_deref().unwrap_or("did not pass"));
            status.set_type(reason.map_or(job.status.as_str(), Reason::as_str));
        }
        let mut case = TestCase::new(job.spec.name.as_str(), status);
        case.set_classname(self.batch.name.as_str());
        if let Some(started) = job.started_at {
            case.set_timestamp(started);
        }
        if let Some(result) = &job.result {
            case.set_time(Duration::from_millis(result.duration_ms));
        }
        if job.status == Status::Failed {
            case.set_system_out(details.stdout);
            case.set_system_err(details.stderr);
        }
        self.cases.push(case);
    }

    /// Writes the document.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write(mut self, writer: impl io::Write) -> io::Result<()> {
        self.cases.reverse();
        let batch = &self.batch;
        let mut suite = TestSuite::new(batch.name.as_str());
        suite.add_test_cases(self.cases);
        let mut report = Report::new(batch.name.as_str());
        if let Some(started) = batch.started_at {
            suite.set_timestamp(started);
            report.set_timestamp(started);
            let took = batch.finished_at.and_then(|end| (end - started).to_std().ok());
            suite.set_time(took.unwrap_or_default());
            report.set_time(took.unwrap_or_default());
        }
        report.add_test_suite(suite);
        report.serialize(writer).map_err(io::Error::other)
    }

    /// The document of a batch that the caller may see.
    pub(crate) async fn of(
        service: &Service,
        caller: &Principal,
        id: BatchId,
    ) -> Result<Vec<u8>, Failure> {
        let mut junit = Self::new(service.batch(caller, id).await?);
        let mut page = PageRequest::first(1000);
        loop {
            let filter = JobFilter { batch: Some(id), ..JobFilter::default() };
            let jobs = service.jobs(caller, filter, page).await?;
            for job in &jobs.items {
                junit.add(job, details(service, caller, job).await?);
            }
            let Some(cursor) = jobs.next_cursor else { break };
            page = PageRequest::parse(Some(1000), Some(&cursor)).map_err(Failure::from)?;
        }
        let mut xml = Vec::new();
        junit.write(&mut xml).map_err(|error| Failure::internal(&error))?;
        Ok(xml)
    }
}

async fn details(service: &Service, caller: &Principal, job: &Job) -> Result<Details, Failure> {
    let mut details = Details::default();
    if job.flaky {
        details.attempts = service.attempts(caller, job.id).await?;
    }
    if job.status == Status::Failed {
        let logs = service.logs(caller, job.id, Some(TAIL_BYTES)).await?;
        details.stdout = String::from_utf8_lossy(&logs.stdout).into_owned();
        details.stderr = String::from_utf8_lossy(&logs.stderr).into_owned();
    }
    Ok(details)
}

/// A job that passed, with the attempts that failed before, as Maven's Surefire writes them.
fn passed(attempts: Vec<Attempt>) -> TestCaseStatus {
    let mut status = TestCaseStatus::success();
    for attempt in attempts {
        let Some(reason) = attempt.result.and_then(|result| result.reason) else { continue };
        let mut rerun = TestRerun::new(kind(reason));
        rerun.set_message(attempt.error.unwrap_or_default());
        rerun.set_type(reason.as_str());
        rerun.set_timestamp(attempt.started_at);
        status.add_rerun(rerun);
    }
    status
}

/// Whether the command itself said that it failed; anything else kept it from saying.
const fn kind(reason: Reason) -> NonSuccessKind {
    match reason {
        Reason::ExitCode => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    }
}
