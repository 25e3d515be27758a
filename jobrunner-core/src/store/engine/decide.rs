//! What follows when an attempt ends or a lease is given back: the one caller of the rule of
//! repetitions, and beside the [tally](super::tally) of the table of transitions.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{
    results::Results,
    tally::{Marks, Tally},
    values::{code, millis, number, parse, render, stored},
};
use crate::{
    Conflict, Error, JobId, Result, Status,
    batch::Counts,
    job::Reason,
    lease::{Finish, Finished, LeaseRef, LeaseToken, Renewal, Rescued},
    log::LogChunk,
    report::Case,
    retry::{self, AVOID, History, Retry, SUSPECT_AFTER},
    status::Change,
};

/// A lease with all that decides about the end of its attempt.
#[derive(Debug, FromRow)]
pub struct Held {
    /// The leased job.
    pub job_id: Uuid,
    /// The token of the lease.
    pub token: i64,
    /// The owner of the job.
    pub owner_id: Uuid,
    /// The batch of the job.
    pub batch_id: Option<Uuid>,
    /// The number of the attempt.
    pub attempts: i64,
    /// How many attempts before it cost no run.
    pub losses: i64,
    /// Whether the job was canceled while it ran.
    pub cancel: bool,
    /// Whether it runs alone, as a suspect does.
    pub alone: bool,
    /// How many runs the job may have.
    pub max_attempts: i64,
    /// What the job says about repetitions, as JSON.
    pub retry: Option<String>,
    /// Always, but for leases that a version without exchanges has claimed.
    pub is_started: bool,
    /// How long it has been running.
    pub ran_ms: i64,
    /// The number of the test that it is, if it is of a run.
    pub test_no: Option<i64>,
    /// The number of that run.
    pub run_no: Option<i64>,
    /// On which host it runs.
    pub host: String,
}

impl Held {
    /// The lease.
    #[must_use]
    pub fn lease(&self) -> LeaseRef {
        LeaseRef { job: self.job_id.into(), token: LeaseToken(self.token) }
    }
}

/// A lease whose worker went away.
#[derive(Debug, FromRow)]
pub struct Orphan {
    /// The lease.
    #[sqlx(flatten)]
    pub held: Held,
    /// How far its standard output is stored.
    pub stdout_end: Option<i64>,
    /// How far its standard error is stored.
    pub stderr_end: Option<i64>,
    /// How many attempts of the job before this one were lost with their workers.
    pub lost: i64,
}

/// The end of one attempt, as it is written.
#[derive(Debug, Serialize)]
pub struct End {
    /// The job.
    #[serde(with = "uuid::serde::simple")]
    pub job: Uuid,
    /// The token of the lease that ends.
    pub token: i64,
    /// The status of the attempt.
    pub status: i16,
    /// What the command returned.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// Why it did not pass.
    pub reason: Option<&'static str>,
    /// The same in one sentence.
    pub error: Option<String>,
    /// How long it ran.
    pub duration_ms: i64,
    /// What it wrote to its standard output.
    pub stdout_bytes: i64,
    /// What it wrote to its standard error.
    pub stderr_bytes: i64,
    /// Whether part of the output was left out of storage.
    pub truncated: bool,
    /// The status of the job, 0 if it waits again.
    pub job_status: i16,
    /// How many attempts cost the job no run.
    pub losses: i64,
    /// After how many milliseconds the job may be claimed again.
    pub delay_ms: i64,
    /// For how many it avoids the host it was on.
    pub avoid_ms: i64,
    /// Whether it passed after it had failed, and was not skipped.
    pub flaky: bool,
    /// What the command said last.
    pub error_line: Option<String>,
    /// What its reports say, a [`Summary`](crate::report::Summary) as JSON.
    pub report: Option<String>,
    /// Whether the job is to run alone, after all others, if it waits again.
    pub alone: bool,
}

/// What is stored of attempts beside how they ended, each with its job and the number of the
/// attempt.
#[derive(Debug, Default)]
pub struct Beside<'r> {
    /// Output that was not stored before.
    pub output: Vec<(JobId, i64, &'r LogChunk)>,
    /// The cases of reports, in the order in which they are shown.
    pub cases: Vec<(JobId, i64, &'r [Case])>,
}

/// What is to be written of leases that end together, but for the counts.
#[derive(Debug, Default)]
pub struct Decision {
    /// Attempts that end.
    pub ends: Vec<End>,
    /// Leases whose jobs wait again since their commands were not started: no attempt is charged.
    pub unstarted: Vec<LeaseRef>,
    /// What became of the tests whose jobs end.
    pub results: Results,
    /// The jobs that a worker on another host could take.
    elsewhere: HashSet<Uuid>,
}

impl Decision {
    /// Nothing yet. `elsewhere` are the jobs among those of [`of_the_worker`] that a worker on
    /// another host could take.
    #[must_use]
    pub fn knowing(elsewhere: impl IntoIterator<Item = Uuid>) -> Self {
        Self { elsewhere: elsewhere.into_iter().collect(), ..Self::default() }
    }

    /// What became of each of the reports. `held` are those of their leases that are held,
    /// `reported` those others that a report was accepted of before. What is stored beside the ends
    /// is added to `beside`.
    ///
    /// # Errors
    /// A lease cannot be read.
    pub fn reported<'r>(
        &mut self,
        reports: &'r [Finish],
        held: Vec<Held>,
        mut reported: HashSet<LeaseRef>,
        beside: &mut Beside<'r>,
        tally: &mut Tally,
    ) -> Result<Vec<Finished>> {
        let mut held: HashMap<LeaseRef, Held> =
            held.into_iter().map(|held| (held.lease(), held)).collect();
        let mut answers = Vec::with_capacity(reports.len());
        for report in reports {
            answers.push(match held.remove(&report.lease) {
                Some(held) => {
                    let status = self.end(&held, report, tally)?;
                    let chunk = |chunk| (report.lease.job, held.attempts, chunk);
                    beside.output.extend(report.output.iter().map(chunk));
                    let cases = report.report.as_ref().map(|report| &*report.cases);
                    let cases = cases.filter(|cases| !cases.is_empty());
                    if let Some(cases) = cases.filter(|_| status.is_terminal()) {
                        self.results.reported(&held, report.outcome.reason, cases);
                    }
                    beside
                        .cases
                        .extend(cases.map(|cases| (report.lease.job, held.attempts, cases)));
                    // The same report once more in the same group is a repetition.
                    reported.insert(report.lease);
                    Finished::Won
                }
                None if reported.contains(&report.lease) => Finished::Already,
                None => Finished::Stale,
            });
        }
        Ok(answers)
    }

    /// Leases whose workers went away: each is a lost attempt. One that an older version claimed
    /// and did not start is given back instead.
    ///
    /// # Errors
    /// A lease cannot be read.
    pub fn lost(&mut self, orphans: &[Orphan], tally: &mut Tally) -> Result<Vec<Rescued>> {
        let mut rescued = Vec::with_capacity(orphans.len());
        for Orphan { held, stdout_end, stderr_end, lost } in orphans {
            let waits = if held.is_started {
                let ran = std::time::Duration::from_millis(number(held.ran_ms.max(0))?);
                let stdout = number(stdout_end.unwrap_or(0))?;
                let stderr = number(stderr_end.unwrap_or(0))?;
                let report = Finish::lost(held.lease(), ran, stdout, stderr);
                let lost = number(lost + 1)?;
                !self.ended(held, &report, lost, tally)?.is_terminal()
            } else {
                self.unstarted.push(held.lease());
                true
            };
            rescued.push(Rescued {
                lease: held.lease(),
                batch: held.batch_id.map(Into::into),
                waits,
            });
        }
        Ok(rescued)
    }

    /// Leases that are given back since their commands were not started. Jobs that were canceled
    /// meanwhile end.
    ///
    /// # Errors
    /// A lease cannot be read.
    pub fn given_back(&mut self, held: &[Held], tally: &mut Tally) -> Result<()> {
        for held in held {
            if held.cancel {
                self.end(held, &Finish::canceled(held.lease()), tally)?;
                continue;
            }
            if held.is_started {
                tally.returned(held.owner_id, held.batch_id)?;
            }
            self.unstarted.push(held.lease());
        }
        Ok(())
    }

    /// As [`ended`](Self::ended), of an attempt that was not lost.
    fn end(&mut self, held: &Held, report: &Finish, tally: &mut Tally) -> Result<Status> {
        self.ended(held, report, 0, tally)
    }

    /// Decides what follows the end of an attempt, and returns the status that its job will have.
    /// `lost` is how many attempts of it were lost, this one included; 0 if it was not.
    fn ended(
        &mut self,
        held: &Held,
        report: &Finish,
        lost: u32,
        tally: &mut Tally,
    ) -> Result<Status> {
        let outcome = &report.outcome;
        let alone = held.alone || lost >= SUSPECT_AFTER;
        let policy: Option<Retry> = held.retry.as_deref().map(parse).transpose()?;
        let history = History {
            attempt: number(held.attempts)?,
            losses: number(held.losses)?,
            max_attempts: number(held.max_attempts)?,
            retry: policy.as_ref(),
            cancel_requested: held.cancel,
            elsewhere: self.elsewhere.contains(&held.job_id),
            salt: held.job_id.as_u64_pair().1,
        };
        let next = retry::next(outcome.reason, outcome.exit_code, history);
        let status = step(Status::Running, next.change)?;
        let skipped = status == Status::Passed && outcome.is_skipped();
        let flaky = status == Status::Passed && !skipped && history.is_flaky();
        let by = (outcome, report.error_line.as_deref());
        self.results.ended(held, status, by, (flaky, skipped));
        self.ends.push(End {
            job: held.job_id,
            token: held.token,
            status: code(outcome.status()),
            exit_code: outcome.exit_code,
            signal: outcome.signal.clone(),
            reason: outcome.reason.map(Reason::as_str),
            error: match status {
                Status::Failed if lost > SUSPECT_AFTER => Some(blamed(lost)),
                _ => outcome.error.clone(),
            },
            duration_ms: millis(outcome.duration),
            stdout_bytes: stored(report.stdout_bytes),
            stderr_bytes: stored(report.stderr_bytes),
            truncated: report.truncated,
            job_status: code(status),
            losses: held.losses + i64::from(next.is_free),
            // What is not due at once waits where suspects do.
            delay_ms: millis(next.delay).max(i64::from(alone)),
            avoid_ms: if history.elsewhere { millis(AVOID) } else { 0 },
            flaky,
            error_line: report.error_line.clone(),
            report: report.report.as_ref().map(|report| render(&report.summary())).transpose()?,
            alone,
        });
        tally.moved(held.owner_id, held.batch_id, Status::Running, status);
        tally.marked(held.batch_id, Marks { flaky, skipped }, 1);
        Ok(status)
    }
}

/// Why a job is given up that has lost its worker so often.
fn blamed(lost: u32) -> String {
    let alone = lost - SUSPECT_AFTER;
    let times = if alone == 1 { "once".to_owned() } else { format!("{alone} of them") };
    format!(
        "lost its worker {lost} times, {times} while it ran alone: most likely its command ends \
         the worker, and it is not started again"
    )
}

/// The jobs of reports that are about the worker and not about the command: another host may be
/// able to run them.
pub fn of_the_worker(reports: impl Iterator<Item = (Uuid, Option<Reason>)>) -> Vec<Uuid> {
    let is_of_worker = |reason: Option<Reason>| reason.is_some_and(retry::is_of_the_worker);
    reports.filter(|(_, why)| is_of_worker(*why)).map(|(job, _)| job).collect()
}

/// A lease as its session's renewal looks at it.
#[derive(Debug, FromRow)]
pub struct SessionLease {
    /// The token.
    pub token: i64,
    /// The leased job.
    pub job_id: Uuid,
    /// Whether the job was canceled.
    pub cancel: bool,
    /// Whether the worker should have heard of the lease by now.
    pub is_old: bool,
}

/// What a renewal tells a worker that knows of the leases `held`, when the store has `leases` of
/// it; and which of them it never heard of, since the answer to its claim was lost: they are to be
/// given back. One that was just claimed may still be on its way.
#[must_use]
pub fn renewal(
    held: &[LeaseRef],
    leases: &[SessionLease],
    drain: bool,
) -> (Renewal, Vec<LeaseRef>) {
    let lease = |of: &SessionLease| LeaseRef { job: of.job_id.into(), token: LeaseToken(of.token) };
    let known: HashMap<LeaseRef, &SessionLease> = leases.iter().map(|of| (lease(of), of)).collect();
    let is_canceled = |lease: &&LeaseRef| known.get(*lease).is_some_and(|known| known.cancel);
    let cancel = held.iter().filter(is_canceled).copied().collect();
    let lost = held.iter().filter(|lease| !known.contains_key(lease)).copied().collect();
    let heard: HashSet<LeaseRef> = held.iter().copied().collect();
    let is_unheard = |lease: &LeaseRef| !heard.contains(lease);
    let unheard = leases.iter().filter(|of| of.is_old).map(lease).filter(is_unheard).collect();
    (Renewal { lost, cancel, drain }, unheard)
}

/// The status of a job that waits and is canceled.
///
/// # Errors
/// The table of transitions does not allow it.
pub fn canceled() -> Result<Status> {
    step(Status::Waiting, Change::Cancel)
}

/// Checks whether a job may be deleted.
///
/// # Errors
/// [`Conflict`](Error::Conflict) while it has not ended.
pub fn check_ended(status: Status) -> Result<()> {
    if status.is_terminal() {
        return Ok(());
    }
    Err(Conflict::JobOpen { status: status.as_str() }.into())
}

/// Checks whether a batch may be deleted.
///
/// # Errors
/// [`Conflict`](Error::Conflict) while one of its jobs has not ended.
pub fn check_all_ended(counts: &Counts) -> Result<()> {
    if counts.all_ended() {
        return Ok(());
    }
    Err(Conflict::BatchOpen.into())
}

/// The status after a change, by the one table of transitions.
pub(super) fn step(from: Status, change: Change) -> Result<Status> {
    from.after(change)
        .ok_or_else(|| Error::internal("a transition", format!("{change:?} of a {from} job")))
}
