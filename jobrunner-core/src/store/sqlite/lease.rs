//! What is read and written of leases, all of a group by a few statements.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{bind, clock, sql, steps, store_error};
use crate::{
    Result,
    lease::{LeaseRef, LeaseToken},
    store::engine::{
        decide::{Decision, Held, Orphan},
        results::Results,
        values::render,
    },
    verdict::FailureCause,
};

/// Those of the leases that are held.
pub(super) async fn held(
    connection: &mut SqliteConnection,
    leases: &[LeaseRef],
) -> Result<Vec<Held>> {
    let held = sqlx::query_as(sql!("lease/held")).bind(list(leases)?).bind(clock::now());
    held.fetch_all(connection).await.map_err(store_error)
}

/// Those of the leases that a report was accepted of before.
pub(super) async fn reported(
    connection: &mut SqliteConnection,
    leases: &[LeaseRef],
) -> Result<HashSet<LeaseRef>> {
    let reported = sqlx::query_as(sql!("attempt/reported")).bind(list(leases)?);
    let found: Vec<(Uuid, i64)> = reported.fetch_all(connection).await.map_err(store_error)?;
    Ok(found.into_iter().map(|(job, token)| lease(job, token)).collect())
}

/// Those of the leased jobs that a worker on another host could take.
pub(super) async fn elsewhere(
    connection: &mut SqliteConnection,
    jobs: Vec<Uuid>,
) -> Result<Vec<Uuid>> {
    let jobs = bind::ids(jobs)?;
    let elsewhere = sqlx::query_scalar(sql!("lease/elsewhere")).bind(jobs).bind(clock::uptime());
    elsewhere.fetch_all(connection).await.map_err(store_error)
}

/// A group of the leases of sessions that are gone, or of all leases.
pub(super) async fn orphans(connection: &mut SqliteConnection, all: bool) -> Result<Vec<Orphan>> {
    let orphans = sqlx::query_as(sql!("lease/orphans")).bind(all).bind(clock::now());
    orphans.fetch_all(connection).await.map_err(store_error)
}

/// Writes what was decided, but for the counts.
pub(super) async fn end(connection: &mut SqliteConnection, decision: Decision) -> Result<()> {
    if !decision.ends.is_empty() {
        let statements = match decision.ends.iter().any(|end| end.job_status == 0) {
            true => {
                steps!("attempt/insert", "lease/end", "lease/retry", "lease/defer", "lease/drop")
            }
            false => steps!("attempt/insert", "lease/end", "lease/drop"),
        };
        results(connection, &decision.results).await?;
        let end = sqlx::query(statements).bind(render(&decision.ends)?).bind(clock::now());
        end.execute(&mut *connection).await.map_err(store_error)?;
    }
    if !decision.unstarted.is_empty() {
        let leases = list(&decision.unstarted)?;
        let put_back =
            sqlx::query(steps!("lease/return", "lease/return_suspects", "lease/drop")).bind(leases);
        put_back.execute(connection).await.map_err(store_error)?;
    }
    Ok(())
}

/// Writes what became of tests whose jobs end.
async fn results(connection: &mut SqliteConnection, results: &Results) -> Result<()> {
    if !results.causes.is_empty() {
        #[derive(Serialize)]
        struct Cause<'a> {
            no: i64,
            #[serde(flatten)]
            cause: &'a FailureCause,
        }
        let causes = results.causes.iter().map(|(no, cause)| Cause { no: *no, cause });
        let causes = render(&causes.collect::<Vec<_>>())?;
        let known = sqlx::query(sql!("cause/insert")).bind(causes);
        known.execute(&mut *connection).await.map_err(store_error)?;
    }
    if !results.rows.is_empty() {
        let rows = sqlx::query(sql!("result/insert")).bind(render(&results.rows)?);
        let written = rows.bind(clock::day()).execute(connection).await;
        written.map_err(store_error)?;
    }
    Ok(())
}

fn lease(job: Uuid, token: i64) -> LeaseRef {
    LeaseRef { job: job.into(), token: LeaseToken(token) }
}

/// Leases as the JSON array that statements take.
fn list(leases: &[LeaseRef]) -> Result<String> {
    #[derive(Serialize)]
    struct Lease {
        #[serde(with = "uuid::serde::simple")]
        job: Uuid,
        token: i64,
    }
    let lease = |lease: &LeaseRef| Lease { job: lease.job.as_uuid(), token: lease.token.0 };
    render(&leases.iter().map(lease).collect::<Vec<_>>())
}
