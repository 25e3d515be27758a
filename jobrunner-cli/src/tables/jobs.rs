use jobrunner_core::{Job, job::JobResult};

use super::{WHOLE, columns, cut, drop, either, in_short, or_dash, ran, rerun};
use crate::{
    table::{Column, DIGITS, short},
    time,
};

pub(crate) const JOBS: &[Column<Job>] = columns! {
    "id" WHOLE, usual, |job, context| context.id(job.id.as_uuid());
    "name" cut(12), usual, |job, _| match job.spec.rerun_of {
        Some(first) => rerun(&job.spec.name, first.as_uuid()),
        None => job.spec.name.clone(),
    };
    "status" WHOLE, usual, |job, _| job.status.to_string();
    "batch" either(8, 3), usual, |job, context| or_dash(job.batch_id.map(|id| {
        context.batches.get(&id).cloned().unwrap_or_else(|| short(id.as_uuid(), DIGITS))
    }));
    "owner" either(8, 5), usual, |job, context| {
        let owner = context.owners.get(&job.owner_id);
        owner.cloned().unwrap_or_else(|| short(job.owner_id.as_uuid(), DIGITS))
    };
    "queue" either(7, 6), usual, |job, _| job.spec.queue.clone();
    "took" drop(4), usual, |job, context| or_dash(ran(job, context.now).map(time::short));
    "age" drop(2), usual, |job, context| time::age(job.created_at, context.now);
    "why" either(20, 1), usual, why;
    "reason" drop(7), wanted, |job, _| or_dash(result(job, |result| {
        result.reason.map(|reason| reason.as_str().to_owned())
    }));
    "exit_code" drop(7), wanted, |job, _| or_dash(result(job, |result| {
        result.exit_code.map(|code| code.to_string())
    }));
    "attempt" drop(7), wanted, |job, _| job.attempt.to_string();
    "priority" drop(7), wanted, |job, _| job.spec.priority.to_string();
    "flaky" drop(7), wanted, |job, _| if job.flaky { "flaky" } else { "-" }.to_owned();
    "skipped" drop(7), wanted, |job, _| if job.skipped { "skipped" } else { "-" }.to_owned();
    "command" either(20, 7), wanted, |job, _| job.spec.command.join(" ");
    "directory" either(20, 7), wanted, |job, _| job.spec.working_dir.clone();
    "created" drop(7), wanted, |job, _| time::utc(Some(job.created_at));
    "started" drop(7), wanted, |job, _| time::utc(job.started_at);
    "finished" drop(7), wanted, |job, _| time::utc(job.finished_at);
    "whole_id" WHOLE, wanted, |job, _| job.id.to_string();
    "rerun_of" WHOLE, wanted, |job, _| or_dash(job.spec.rerun_of.map(|id| id.to_string()));
    "batch_id" WHOLE, wanted, |job, _| or_dash(job.batch_id.map(|id| id.to_string()));
    "owner_id" WHOLE, wanted, |job, _| job.owner_id.to_string();
};

/// Of what failed in a batch, whose other columns are all the same.
pub(crate) const FAILURES: &[Column<Job>] = columns! {
    "failed" WHOLE, usual, |job, context| context.id(job.id.as_uuid());
    "name" cut(16), usual, |job, _| job.spec.name.clone();
    "took" drop(1), usual, |job, context| or_dash(ran(job, context.now).map(time::short));
    "why" cut(20), usual, why;
};

fn why(job: &Job, _: &crate::table::Context) -> String {
    match &job.error {
        Some(error) => in_short(error),
        None if job.skipped => format!("skipped: it {}", skipped(job)),
        None => String::new(),
    }
}

/// How a job that was skipped said so.
pub(crate) fn skipped(job: &Job) -> String {
    let code = result(job, |result| result.exit_code.map(|code| code.to_string()));
    format!("exited with code {}", code.unwrap_or_default())
}

fn result(job: &Job, field: impl Fn(&JobResult) -> Option<String>) -> Option<String> {
    job.result.as_ref().and_then(field)
}
