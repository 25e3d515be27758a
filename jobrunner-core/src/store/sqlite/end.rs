//! Writes ends of attempts, all of a group by a few statements.

use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    clock,
    ends::{Ends, of_the_worker},
    rows::{id_list, render},
    sql, store_error,
};
use crate::{Result, job::Reason, lease::LeaseRef};

/// No ends yet, knowing which of these reports are of jobs that another host could take.
pub(super) async fn ends(
    connection: &mut SqliteConnection,
    reports: impl Iterator<Item = (Uuid, Option<Reason>)>,
) -> Result<Ends> {
    let jobs = of_the_worker(reports);
    if jobs.is_empty() {
        return Ok(Ends::default());
    }
    let found: Vec<Uuid> = sqlx::query_scalar(sql!("lease/elsewhere"))
        .bind(id_list(jobs)?)
        .bind(clock::uptime())
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    Ok(Ends::knowing(found.into_iter().collect()))
}

/// Writes the ends, but for the counts.
pub(super) async fn write(connection: &mut SqliteConnection, ends: &Ends) -> Result<()> {
    if ends.rows.is_empty() {
        return Ok(());
    }
    let mut statements = vec![sql!("attempt/insert"), sql!("lease/end")];
    if ends.rows.iter().any(|end| end.job_status == 0) {
        statements.extend([sql!("lease/retry"), sql!("lease/defer")]);
    }
    let (rows, now) = (render(&ends.rows)?, clock::now());
    for statement in statements {
        let query = sqlx::query(statement).bind(&rows).bind(now);
        query.execute(&mut *connection).await.map_err(store_error)?;
    }
    let dropped = sqlx::query(sql!("lease/drop")).bind(rows).execute(connection).await;
    dropped.map(|_| ()).map_err(store_error)
}

/// Leases as the JSON array that statements take.
pub(super) fn lease_list(leases: impl Iterator<Item = LeaseRef>) -> Result<String> {
    #[derive(Serialize)]
    struct Lease {
        #[serde(with = "uuid::serde::simple")]
        job: Uuid,
        token: i64,
    }
    let lease = |lease: LeaseRef| Lease { job: lease.job.as_uuid(), token: lease.token.0 };
    render(&leases.map(lease).collect::<Vec<_>>())
}
