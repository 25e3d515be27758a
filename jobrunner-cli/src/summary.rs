//! What a batch came to, for people.

use jobrunner_core::{Batch, Job, Status, terminal, verdict::VerdictStatus};

use crate::{
    exit::Failure, output::line, progress::words_of, results::Results, tables::in_short, time::took,
};

/// How many failures are shown with their output.
const SHOWN: u32 = 20;

/// How many of the slowest jobs are named.
const SLOWEST: u32 = 5;

/// How many lines of output are shown of each.
const LINES: usize = 15;

/// Prints the counts, and what failed with the last lines it wrote.
pub(crate) async fn print(results: &dyn Results, batch: &Batch) -> Result<(), Failure> {
    if batch.counts.failed > 0 {
        let page = results.jobs(batch.id, Some(Status::Failed), None, SHOWN).await?;
        for job in page.items.iter().rev() {
            print_failure(results, job).await?;
        }
        let more = batch.counts.failed.saturating_sub(page.items.len() as u64);
        if more > 0 {
            line(&format!("\n… and {more} more that failed"))?;
        }
        line("")?;
    }
    print_slowest(results, batch).await?;
    let duration = match (batch.started_at, batch.finished_at) {
        (Some(start), Some(end)) => format!(" in {}", took((end - start).num_milliseconds())),
        _ => String::new(),
    };
    line(&format!(
        "{}: {} of {} jobs{duration}: {}",
        terminal::line(&batch.name),
        batch.status,
        batch.counts.total,
        words_of(batch)
    ))?;
    if let Some(verdict) = batch.verdict.as_ref().filter(|it| it.status != VerdictStatus::Pending) {
        line(&format!("beside the runs before: {}", verdict.summary))?;
    }
    if batch.flaky > 0 {
        line(&format!("{} of those that passed did so after they had failed", batch.flaky))?;
    }
    Ok(())
}

/// Names the jobs that took longest.
async fn print_slowest(results: &dyn Results, batch: &Batch) -> Result<(), Failure> {
    if batch.counts.total < 2 {
        return Ok(());
    }
    let slowest = results.slowest(batch.id, SLOWEST).await?;
    let ran = |job: &Job| job.result.as_ref().map(|result| result.duration_ms);
    let slowest: Vec<_> = slowest.iter().filter_map(|job| Some((job, ran(job)?))).collect();
    if slowest.is_empty() {
        return Ok(());
    }
    line("slowest:")?;
    for (job, ran) in slowest {
        let took = took(i64::try_from(ran).unwrap_or(i64::MAX));
        line(&format!("  {took:>12}  {}", terminal::line(&job.spec.name)))?;
    }
    line("")
}

async fn print_failure(results: &dyn Results, job: &Job) -> Result<(), Failure> {
    let error = in_short(job.error.as_deref().unwrap_or("failed"));
    line(&format!("\n── {} ── {}", terminal::line(&job.spec.name), terminal::line(&error)))?;
    let tail = results.tail(job.id).await?;
    for (name, text) in [("stdout", &tail.stdout), ("stderr", &tail.stderr)] {
        let text = terminal::text(text.as_bytes());
        let lines: Vec<&str> = text.lines().collect();
        let skipped = lines.len().saturating_sub(LINES);
        if !lines.is_empty() {
            let part = if skipped > 0 { ", its last lines" } else { "" };
            line(&format!("{name}{part}:"))?;
        }
        for text in &lines[skipped..] {
            line(&format!("  {text}"))?;
        }
    }
    Ok(())
}
