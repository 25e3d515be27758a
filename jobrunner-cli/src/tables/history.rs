use jobrunner_core::{
    history::{Flakiness, NamedTest, Run, Series, SeriesTest, TestResult},
    series::Revision,
    verdict::FailureCause,
};

use super::{WHOLE, columns, cut, drop, either, in_short, or_dash};
use crate::{
    table::{Column, DIGITS, short},
    time,
};

pub(crate) const SERIES: &[Column<Series>] = columns! {
    "name" cut(16), usual, |series, _| series.name.clone();
    "project" either(8, 2), usual, |series, _| {
        or_dash(series.project.as_ref().map(ToString::to_string))
    };
    "verdict" WHOLE, usual, |series, _| {
        or_dash(series.last_run.as_ref().map(|run| run.verdict.status.to_string()))
    };
    "last_run" cut(24), usual, |series, _| {
        or_dash(series.last_run.as_ref().map(|run| run.verdict.summary.clone()))
    };
    "age" drop(1), usual, |series, context| {
        let run = series.last_run.as_ref();
        or_dash(run.map(|run| time::age(run.created_at, context.now)))
    };
    "id" drop(3), usual, |series, _| series.id.to_string();
    "created" drop(4), wanted, |series, _| time::utc(Some(series.created_at));
    "owner_id" WHOLE, wanted, |series, _| series.owner_id.to_string();
};

pub(crate) const RUNS: &[Column<Run>] = columns! {
    "batch" WHOLE, usual, |run, context| context.id(run.batch_id.as_uuid());
    "verdict" WHOLE, usual, |run, _| run.verdict.status.to_string();
    "summary" cut(24), usual, |run, _| match run.is_rerun {
        true => format!("↻ {}", run.verdict.summary),
        false => run.verdict.summary.clone(),
    };
    "branch" either(8, 3), usual, |run, _| {
        or_dash(run.revision.as_ref().and_then(|it| it.branch.clone()))
    };
    "revision" either(8, 2), usual, |run, _| sha(run.revision.as_ref());
    "took" drop(4), usual, |run, _| or_dash(run.finished_at.map(|end| {
        time::short((end - run.created_at).num_milliseconds().max(0))
    }));
    "age" drop(1), usual, |run, context| time::age(run.created_at, context.now);
    "created" drop(5), wanted, |run, _| time::utc(Some(run.created_at));
    "number" WHOLE, wanted, |run, _| run.number.to_string();
    "whole_id" WHOLE, wanted, |run, _| run.batch_id.to_string();
};

pub(crate) const TESTS: &[Column<SeriesTest>] = columns! {
    "last" WHOLE, usual, |test, _| test.outcome.to_string().replace('_', " ");
    "test" cut(20), usual, |test, _| named(&test.named);
    "took" drop(2), usual, |test, _| took(test.duration_ms);
    "why" either(20, 1), usual, |test, _| or_dash(test.cause.as_ref().and_then(why));
    "id" drop(3), usual, |test, _| test.named.test_id.to_string();
    "batch" WHOLE, wanted, |test, _| test.batch_id.to_string();
    "job" WHOLE, wanted, |test, _| test.job_id.to_string();
};

pub(crate) const FLAKY: &[Column<SeriesTest>] = columns! {
    "differing" WHOLE, usual, |test, _| of(test, |flaky| {
        format!("{} of {}", flaky.differing, flaky.revisions)
    });
    "flips" WHOLE, usual, |test, _| of(test, |flaky| flaky.flips.to_string());
    "host" either(12, 2), usual, |test, _| of(test, |flaky| or_dash(flaky.host.as_ref().map(
        |host| format!("{:.0} % {}", host.share * 100.0, host.host),
    )));
    "test" cut(20), usual, |test, _| named(&test.named);
    "passed" drop(3), usual, |test, _| evidence(test, |pair| pair.passed.job_id.as_uuid());
    "failed" drop(3), usual, |test, _| evidence(test, |pair| pair.failed.job_id.as_uuid());
    "last" drop(1), usual, |test, _| test.outcome.to_string().replace('_', " ");
    "why" either(20, 4), wanted, |test, _| or_dash(test.cause.as_ref().and_then(why));
    "id" drop(5), usual, |test, _| test.named.test_id.to_string();
};

pub(crate) const RESULTS: &[Column<TestResult>] = columns! {
    "outcome" WHOLE, usual, |result, _| result.outcome.to_string().replace('_', " ");
    "batch" WHOLE, usual, |result, context| match result.is_rerun {
        true => format!("↻ {}", context.id(result.batch_id.as_uuid())),
        false => context.id(result.batch_id.as_uuid()),
    };
    "job" WHOLE, usual, |result, _| short(result.job_id.as_uuid(), DIGITS);
    "revision" either(8, 3), usual, |result, _| sha(result.revision.as_ref());
    "took" drop(4), usual, |result, _| took(result.duration_ms);
    "host" either(8, 2), usual, |result, _| or_dash(result.host.clone());
    "why" either(20, 1), usual, |result, _| or_dash(result.cause.as_ref().and_then(why));
    "age" drop(5), usual, |result, context| time::age(result.created_at, context.now);
    "attempts" drop(6), wanted, |result, _| result.attempts.to_string();
    "created" drop(6), wanted, |result, _| time::utc(Some(result.created_at));
};

/// A test with its variant and its case.
pub(crate) fn named(test: &NamedTest) -> String {
    let mut told = test.test.clone();
    if !test.variant.is_empty() {
        let pairs = test.variant.iter().map(|(key, value)| format!("{key}={value}"));
        told += &format!(" [{}]", pairs.collect::<Vec<_>>().join(", "));
    }
    if let Some(case) = &test.case {
        told += &format!(" › {case}");
    }
    told
}

/// Why something failed, in short.
pub(crate) fn why(cause: &FailureCause) -> Option<String> {
    let reason = || cause.reason.map(|reason| reason.as_str().replace('_', " "));
    cause.error_line.as_deref().map(in_short).or_else(reason)
}

fn sha(revision: Option<&Revision>) -> String {
    or_dash(revision.map(|revision| {
        let sha = revision.sha.clone().unwrap_or_default();
        if revision.dirty { format!("{sha}+") } else { sha }
    }))
}

fn took(milliseconds: u64) -> String {
    time::short(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

fn of(test: &SeriesTest, told: impl Fn(&Flakiness) -> String) -> String {
    or_dash(test.flakiness.as_ref().map(told))
}

/// A job of the newest pair that proves it.
fn evidence(
    test: &SeriesTest,
    job: impl Fn(&jobrunner_core::history::Evidence) -> uuid::Uuid,
) -> String {
    let newest = test.flakiness.as_ref().and_then(|flaky| flaky.evidence.first());
    or_dash(newest.map(|pair| short(job(pair), DIGITS)))
}
