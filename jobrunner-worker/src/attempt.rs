use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;
use jobrunner_core::{
    executor::{RunContext, file_time},
    job::Reason,
    lease::{Finish, Leased, Outcome},
    queue::Hint,
    report::Report as Tests,
    retry::is_of_the_worker,
};
use tokio::{join, select, sync::OwnedSemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::{
    finish::{self, Origin, Place, Report, Reports},
    held::Reins,
    logs::{self, Sink},
    session::Session,
};

/// Reports of so many test cases or more are stored each by itself: what is stored together with
/// others makes them wait.
const MANY_CASES: usize = 100;

/// How the end of an attempt gets to the store.
enum Way {
    /// Together with those of others.
    Together(Place),
    /// By itself, while the attempt keeps its slot: it holds much.
    Aside,
}

/// Runs the command of a lease to its end and reports how it ended. Returns how long it kept its
/// slot.
///
/// A command that was stopped since its worker stops is reported as lost with it, so that everybody
/// can tell it from one whose worker went away without a word. Reports nothing when the lease was
/// lost: it is not held any more, and the store takes it back as a lost attempt.
pub(crate) async fn run(
    session: Arc<Session>,
    leased: Leased,
    slot: OwnedSemaphorePermit,
    reports: Reports,
) -> Duration {
    let started = Instant::now();
    let Some(reins) = session.held.get(leased.lease) else { return Duration::ZERO };
    let (sink, log) = logs::open(&session.parts, &leased, &reins);
    let ended = CancellationToken::new();
    let since = (!leased.run.spec.junit.is_empty()).then(file_time);
    let running = async {
        let outcome = execute(&session, &leased, &reins, sink).await;
        ended.cancel();
        let outcome = result(outcome?, &session, &reins)?;
        let tests = tests(&session, &leased, &outcome, since);
        let tests = reins.lost.run_until_cancelled(tests).await?;
        if tests.as_ref().is_some_and(|tests| tests.cases.len() >= MANY_CASES) {
            return Some((outcome, tests, Way::Aside));
        }
        // A place for the report before the slot: what waits to be reported stays bounded.
        let place = reins.lost.run_until_cancelled(reports.reserve()).await??;
        Some((outcome, tests, Way::Together(place)))
    };
    // The slot is free as soon as the command has ended and its report has a place, whatever is
    // left to be written of its output.
    let mut slot = Some(slot);
    let running = async {
        let result = running.await;
        slot.take_if(|_| !matches!(result, Some((.., Way::Aside))));
        (result, started.elapsed())
    };
    let ((result, took), log) = join!(running, log.run(&ended));
    match result {
        Some((outcome, tests, way)) => {
            let report = report(&leased, outcome, tests, log.remainder().await);
            match way {
                Way::Together(place) => place.send(report),
                Way::Aside => finish::store_aside(&session, report).await,
            }
        }
        None => {
            log.store_rest().await;
            session.held.remove(leased.lease);
        }
    }
    took
}

/// How the command ended; `None` when it was killed since its lease was lost.
async fn execute(session: &Session, leased: &Leased, reins: &Reins, sink: Sink) -> Option<Outcome> {
    let (job, attempt) = (leased.run.job, leased.run.attempt);
    tracing::debug!(job.id = %job, attempt, "the attempt starts");
    if reins.is_canceled() {
        return Some(canceled_before());
    }
    let context = RunContext { stop: reins.stop.clone(), output: Arc::new(sink) };
    let run = AssertUnwindSafe(session.parts.executor.run(&leased.run, context)).catch_unwind();
    let outcome = select! {
        biased;
        () = reins.lost.cancelled() => {
            tracing::warn!(job.id = %job, attempt, "the attempt is killed: its lease is lost");
            return None;
        }
        outcome = run => outcome.unwrap_or_else(|_| {
            tracing::error!(job.id = %job, attempt, "the executor panicked");
            failed_executor()
        }),
    };
    let outcome = outcome.skipping(&leased.run.spec.skip_exit_codes);
    let duration_ms = u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX);
    let reason = outcome.reason.map_or("none", Reason::as_str);
    tracing::debug!(job.id = %job, attempt, duration_ms, reason, "the attempt ended");
    Some(outcome)
}

/// What is to be reported of an outcome; `None` if the worker stopped the command since it does not
/// hold its lease any more.
fn result(outcome: Outcome, session: &Session, reins: &Reins) -> Option<Outcome> {
    if outcome.reason != Some(Reason::Canceled) || reins.is_canceled() {
        return Some(outcome);
    }
    session.cut.is_cancelled().then(|| outcome.left_behind())
}

/// What the reports say that the job names, of those that were written since it was started; `None`
/// if it names none, or was not started.
async fn tests(
    session: &Session,
    leased: &Leased,
    outcome: &Outcome,
    since: Option<SystemTime>,
) -> Option<Tests> {
    let since = since.filter(|_| !outcome.duration.is_zero())?;
    let reading = AssertUnwindSafe(session.parts.executor.report(&leased.run, since));
    let tests = reading.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(job.id = %leased.run.job, "reading reports panicked");
        Tests::unread("reports could not be read: the worker failed; see its log")
    });
    Some(tests)
}

fn report(
    leased: &Leased,
    outcome: Outcome,
    tests: Option<Tests>,
    written: logs::Remainder,
) -> Report {
    let repeatable = outcome.reason.is_some_and(|reason| {
        is_of_the_worker(reason) || leased.run.spec.max_attempts > 1 && reason != Reason::Canceled
    });
    let hint = Hint::job(leased.lease.job, leased.run.owner, &leased.run.spec);
    let error_line = written.error_line.filter(|_| outcome.reason.is_some());
    Report {
        finish: Finish {
            lease: leased.lease,
            outcome,
            stdout_bytes: written.stdout_bytes,
            stderr_bytes: written.stderr_bytes,
            truncated: written.truncated,
            output: written.chunks,
            error_line,
            report: tests,
        },
        origin: Origin { batch: leased.run.batch, retry: repeatable.then_some(hint) },
    }
}

fn failed_executor() -> Outcome {
    without_command(Reason::SpawnFailed, "could not be run: the worker failed; see its log")
}

fn canceled_before() -> Outcome {
    without_command(Reason::Canceled, "was canceled before its command was started")
}

fn without_command(reason: Reason, error: &str) -> Outcome {
    Outcome {
        reason: Some(reason),
        exit_code: None,
        signal: None,
        error: Some(error.to_owned()),
        duration: Duration::ZERO,
    }
}
