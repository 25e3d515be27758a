//! The exchange of reports for work.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Connection, append, cases, claim, lease};
use crate::{
    Result,
    job::Reason,
    lease::{Claim, Exchanged, Finish, Finished, LeaseRef},
    store::engine::{
        decide::{Beside, Decision, Held, of_the_worker},
        tally::Tally,
    },
};

/// Records how attempts ended, then claims: what a claim locks is locked for as short as can be.
pub(super) async fn exchange(
    connection: &mut Connection,
    reports: Vec<Finish>,
    next: Option<Claim>,
) -> Result<(Exchanged, Tally)> {
    let mut tally = Tally::default();
    let finished = finish(connection, &reports, &mut tally).await?;
    let leased = match next {
        Some(next) => claim::claim(connection, next, &mut tally).await?,
        None => Vec::new(),
    };
    Ok((Exchanged { finished, leased }, tally))
}

/// Records how attempts ended, and returns an answer for each report.
async fn finish(
    connection: &mut Connection,
    reports: &[Finish],
    tally: &mut Tally,
) -> Result<Vec<Finished>> {
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    let leases: Vec<LeaseRef> = reports.iter().map(|report| report.lease).collect();
    let held = lease::held(connection, &leases).await?;
    let known: HashSet<LeaseRef> = held.iter().map(Held::lease).collect();
    let unheld: Vec<LeaseRef> = leases.into_iter().filter(|lease| !known.contains(lease)).collect();
    let reported = match unheld.is_empty() {
        true => HashSet::new(),
        false => lease::reported(connection, &unheld).await?,
    };
    let ended = reports.iter().filter(|report| known.contains(&report.lease));
    let ended = ended.map(|report| (report.lease.job.as_uuid(), report.outcome.reason));
    let mut decision = decision(connection, ended).await?;
    let mut beside = Beside::default();
    let answers = decision.reported(reports, held, reported, &mut beside, tally)?;
    append::append(connection, beside.output).await?;
    cases::insert(connection, beside.cases).await?;
    let named = std::mem::take(&mut decision.results.cases);
    lease::end(connection, decision).await?;
    if !named.is_empty() {
        cases::name(connection, named).await?;
    }
    Ok(answers)
}

/// Nothing decided yet, knowing which of these jobs that end another host could take.
pub(super) async fn decision(
    connection: &mut Connection,
    ended: impl Iterator<Item = (Uuid, Option<Reason>)>,
) -> Result<Decision> {
    let jobs = of_the_worker(ended);
    if jobs.is_empty() {
        return Ok(Decision::default());
    }
    lease::elsewhere(connection, jobs).await.map(Decision::knowing)
}
