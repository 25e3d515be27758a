//! Results as JUnit XML, which every CI system reads.

use std::{fs::File, io::BufWriter, path::Path, time::Duration};

use jobrunner_core::{Batch, Job, Status, job::Reason};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::{
    exit::{Context, Failure},
    results::Results,
};

/// Writes a batch that has ended to a file: one test case for each job, in the order of the suite,
/// with the end of the output of those that did not pass.
pub(crate) async fn write(
    results: &dyn Results,
    batch: &Batch,
    file: &Path,
) -> Result<(), Failure> {
    let mut cases = Vec::new();
    let mut cursor = None;
    loop {
        let page = results.jobs(batch.id, None, cursor, 1000).await?;
        for job in &page.items {
            cases.push(case(results, batch, job).await?);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    cases.reverse();
    let mut suite = TestSuite::new(batch.name.as_str());
    suite.add_test_cases(cases);
    let mut report = Report::new(batch.name.as_str());
    if let Some(started) = batch.started_at {
        suite.set_timestamp(started);
        report.set_timestamp(started);
        let took = batch.finished_at.and_then(|end| (end - started).to_std().ok());
        suite.set_time(took.unwrap_or_default());
        report.set_time(took.unwrap_or_default());
    }
    report.add_test_suite(suite);
    let cannot = || format!("cannot write {}", file.display());
    let writer = BufWriter::new(File::create(file).context(cannot)?);
    report.serialize(writer).context(cannot)
}

/// A job that passed, with the attempts that failed before, as Maven's Surefire writes them.
async fn passed(results: &dyn Results, job: &Job) -> Result<TestCaseStatus, Failure> {
    let mut status = TestCaseStatus::success();
    if job.flaky {
        for attempt in results.attempts(job.id).await? {
            let Some(reason) = attempt.result.and_then(|result| result.reason) else { continue };
            let mut rerun = TestRerun::new(kind(reason));
            rerun.set_message(attempt.error.unwrap_or_default());
            rerun.set_type(reason.as_str());
            rerun.set_timestamp(attempt.started_at);
            status.add_rerun(rerun);
        }
    }
    Ok(status)
}

/// Whether the command itself said that it failed; anything else kept it from saying.
const fn kind(reason: Reason) -> NonSuccessKind {
    match reason {
        Reason::ExitCode => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    }
}

async fn case(results: &dyn Results, batch: &Batch, job: &Job) -> Result<TestCase, Failure> {
    let reason = job.result.as_ref().and_then(|result| result.reason);
    let mut status = match (job.status, reason) {
        (Status::Passed, _) => passed(results, job).await?,
        (Status::Canceled, _) => TestCaseStatus::skipped(),
        (_, reason) => TestCaseStatus::non_success(reason.map_or(NonSuccessKind::Error, kind)),
    };
    if job.status != Status::Passed {
        status.set_message(job.error.as_deref().unwrap_or("did not pass"));
        status.set_type(reason.map_or(job.status.as_str(), Reason::as_str));
    }
    let mut case = TestCase::new(job.spec.name.as_str(), status);
    case.set_classname(batch.name.as_str());
    if let Some(started) = job.started_at {
        case.set_timestamp(started);
    }
    if let Some(result) = &job.result {
        case.set_time(Duration::from_millis(result.duration_ms));
    }
    if job.status == Status::Failed {
        let tail = results.tail(job.id).await?;
        case.set_system_out(tail.stdout);
        case.set_system_err(tail.stderr);
    }
    Ok(case)
}
