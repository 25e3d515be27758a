use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    clock,
    end::{self, lease_list},
    ends::Held,
    log,
    rows::number,
    sql, store_error,
    tally::Tally,
};
use crate::{
    Result,
    lease::{Finish, Finished, LeaseRef, LeaseToken},
};

/// Records how attempts ended, and returns an answer for each report.
pub(super) async fn finish(
    connection: &mut SqliteConnection,
    reports: &[Finish],
    tally: &mut Tally,
) -> Result<Vec<Finished>> {
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    let leases = reports.iter().map(|report| report.lease);
    let held = held(connection, leases.clone()).await?;
    let mut held: HashMap<LeaseRef, Held> =
        held.into_iter().map(|held| (held.lease(), held)).collect();
    let unheld: Vec<LeaseRef> = leases.filter(|lease| !held.contains_key(lease)).collect();
    let mut reported = reported(connection, &unheld).await?;

    let ended = reports.iter().filter(|report| held.contains_key(&report.lease));
    let ended = ended.map(|report| (report.lease.job.as_uuid(), report.outcome.reason));
    let mut ends = end::ends(connection, ended).await?;
    let mut answers = Vec::with_capacity(reports.len());
    for report in reports {
        answers.push(match held.remove(&report.lease) {
            Some(held) => {
                ends.add(&held, report, tally)?;
                let attempt = number(held.attempts)?;
                log::append(connection, report.lease, attempt, &report.output).await?;
                // The same report once more in the same group is a repetition.
                reported.insert(report.lease);
                Finished::Won
            }
            None if reported.contains(&report.lease) => Finished::Already,
            None => Finished::Stale,
        });
    }
    end::write(connection, &ends).await?;
    Ok(answers)
}

pub(super) async fn held(
    connection: &mut SqliteConnection,
    leases: impl Iterator<Item = LeaseRef>,
) -> Result<Vec<Held>> {
    sqlx::query_as(sql!("lease/held"))
        .bind(lease_list(leases)?)
        .bind(clock::now())
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// Those of the leases that a report was accepted of before.
async fn reported(
    connection: &mut SqliteConnection,
    leases: &[LeaseRef],
) -> Result<HashSet<LeaseRef>> {
    if leases.is_empty() {
        return Ok(HashSet::new());
    }
    let found: Vec<(Uuid, i64)> = sqlx::query_as(sql!("attempt/reported"))
        .bind(lease_list(leases.iter().copied())?)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let lease = |(job, token): (Uuid, i64)| LeaseRef { job: job.into(), token: LeaseToken(token) };
    Ok(found.into_iter().map(lease).collect())
}
