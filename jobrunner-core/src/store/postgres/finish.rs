use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{end, ends::Held, log, sql, store_error, tally::Tally};
use crate::{
    Result,
    lease::{Finish, Finished, LeaseRef, LeaseToken},
};

/// Records how attempts ended, and returns an answer for each report.
pub(super) async fn finish(
    connection: &mut PgConnection,
    reports: &[Finish],
    tally: &mut Tally,
) -> Result<Vec<Finished>> {
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    let leases: Vec<LeaseRef> = reports.iter().map(|report| report.lease).collect();
    let mut held: HashMap<LeaseRef, Held> =
        held(connection, &leases).await?.into_iter().map(|held| (held.lease(), held)).collect();
    let unheld: Vec<LeaseRef> =
        leases.iter().filter(|lease| !held.contains_key(lease)).copied().collect();
    let mut reported = reported(connection, &unheld).await?;

    let ended = reports.iter().filter(|report| held.contains_key(&report.lease));
    let ended = ended.map(|report| (report.lease.job.as_uuid(), report.outcome.reason));
    let mut ends = end::ends(connection, ended).await?;
    let mut output = Vec::new();
    let mut answers = Vec::with_capacity(reports.len());
    for report in reports {
        answers.push(match held.remove(&report.lease) {
            Some(held) => {
                ends.add(&held, report, tally)?;
                let chunk = |chunk| (report.lease.job, held.attempts, chunk);
                output.extend(report.output.iter().map(chunk));
                // The same report once more in the same group is a repetition.
                reported.insert(report.lease);
                Finished::Won
            }
            None if reported.contains(&report.lease) => Finished::Already,
            None => Finished::Stale,
        });
    }
    log::append(connection, output.into_iter()).await?;
    end::write(connection, ends).await?;
    Ok(answers)
}

async fn held(connection: &mut PgConnection, leases: &[LeaseRef]) -> Result<Vec<Held>> {
    let (jobs, tokens) = columns(leases);
    sqlx::query_as(sql!("lease/held"))
        .bind(jobs)
        .bind(tokens)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// Those of the leases that a report was accepted of before.
async fn reported(connection: &mut PgConnection, leases: &[LeaseRef]) -> Result<HashSet<LeaseRef>> {
    if leases.is_empty() {
        return Ok(HashSet::new());
    }
    let (jobs, tokens) = columns(leases);
    let found: Vec<(Uuid, i64)> = sqlx::query_as(sql!("attempt/reported"))
        .bind(jobs)
        .bind(tokens)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let lease = |(job, token): (Uuid, i64)| LeaseRef { job: job.into(), token: LeaseToken(token) };
    Ok(found.into_iter().map(lease).collect())
}

/// Leases as the two arrays that statements take.
pub(super) fn columns(leases: &[LeaseRef]) -> (Vec<Uuid>, Vec<i64>) {
    leases.iter().map(|lease| (lease.job.as_uuid(), lease.token.0)).unzip()
}
