//! Leases that end without a report: those of workers that went away, and those that a worker gives back.

use std::{collections::HashMap, time::Duration};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    PostgresStore, end,
    ends::{Ends, Held},
    finish::columns,
    rows::number,
    sql, store_error,
    tally::Tally,
};
use crate::{
    Result,
    job::Reason,
    lease::{Finish, LeaseRef, Rescue, Rescued},
};

/// Reclaims the leases of sessions that no longer exist, or all leases, group by group.
pub(super) async fn orphans(store: &PostgresStore, which: Rescue) -> Result<Vec<Rescued>> {
    let mut rescued = Vec::new();
    loop {
        let group = store.counted(move |c| Box::pin(orphaned(c, which == Rescue::All))).await?;
        if group.is_empty() {
            return Ok(rescued);
        }
        rescued.extend(group);
    }
}

/// Gives back leases whose commands were not started: no attempt is charged. Jobs that were canceled
/// meanwhile end.
pub(super) async fn give_back(
    connection: &mut PgConnection,
    leases: Vec<LeaseRef>,
) -> Result<((), Tally)> {
    let (jobs, tokens) = columns(&leases);
    let held: Vec<Held> = sqlx::query_as(sql!("lease/held"))
        .bind(jobs)
        .bind(tokens)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let (canceled, unstarted): (Vec<Held>, Vec<Held>) =
        held.into_iter().partition(|held| held.cancel);
    let (mut ends, mut tally) = (Ends::default(), Tally::default());
    for held in &canceled {
        ends.add(held, &Finish::canceled(held.lease()), &mut tally)?;
    }
    end::write(&mut *connection, ends).await?;
    put_back(connection, &unstarted, &mut tally).await?;
    Ok(((), tally))
}

/// Reclaims a group of leases: each is a lost attempt. One that an older version claimed and did not
/// start goes back instead.
async fn orphaned(connection: &mut PgConnection, all: bool) -> Result<(Vec<Rescued>, Tally)> {
    let held: Vec<Held> = sqlx::query_as(sql!("lease/orphans"))
        .bind(all)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let (started, unstarted): (Vec<Held>, Vec<Held>) =
        held.into_iter().partition(|held| held.is_started);
    let stored = stored_ends(connection, &started).await?;

    let (mut rescued, mut tally) = (Vec::new(), Tally::default());
    let lost = started.iter().map(|held| (held.job_id, Some(Reason::WorkerLost)));
    let mut ends = end::ends(connection, lost).await?;
    for held in &started {
        let [stdout, stderr] = stored.get(&held.job_id).copied().unwrap_or_default();
        let ran = Duration::from_millis(number(held.ran_ms.max(0))?);
        let report = Finish::lost(held.lease(), ran, stdout, stderr);
        let waits = !ends.add(held, &report, &mut tally)?.is_terminal();
        rescued.push(Rescued { lease: held.lease(), batch: held.batch_id.map(Into::into), waits });
    }
    end::write(&mut *connection, ends).await?;
    put_back(connection, &unstarted, &mut tally).await?;
    for held in &unstarted {
        let batch = held.batch_id.map(Into::into);
        rescued.push(Rescued { lease: held.lease(), batch, waits: true });
    }
    Ok((rescued, tally))
}

async fn put_back(
    connection: &mut PgConnection,
    unstarted: &[Held],
    tally: &mut Tally,
) -> Result<()> {
    if unstarted.is_empty() {
        return Ok(());
    }
    for held in unstarted.iter().filter(|held| held.is_started) {
        tally.returned(held.owner_id, held.batch_id)?;
    }
    let leases: Vec<LeaseRef> = unstarted.iter().map(Held::lease).collect();
    let (jobs, tokens) = columns(&leases);
    sqlx::query(sql!("lease/return"))
        .bind(jobs)
        .bind(tokens)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// How far the two streams of the running attempts are stored, by job.
async fn stored_ends(
    connection: &mut PgConnection,
    held: &[Held],
) -> Result<HashMap<Uuid, [u64; 2]>> {
    if held.is_empty() {
        return Ok(HashMap::new());
    }
    let (jobs, attempts): (Vec<Uuid>, Vec<i64>) =
        held.iter().map(|held| (held.job_id, held.attempts)).unzip();
    let rows: Vec<(Uuid, i64, Option<i64>)> = sqlx::query_as(sql!("log/ends"))
        .bind(jobs)
        .bind(attempts)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let mut ends: HashMap<Uuid, [u64; 2]> = HashMap::new();
    for (job, stream, end) in rows {
        let place = usize::from(stream == 2);
        ends.entry(job).or_default()[place] = number(end.unwrap_or(0))?;
    }
    Ok(ends)
}
