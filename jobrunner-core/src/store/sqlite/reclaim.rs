//! Leases that end without a report: those of workers that went away, and those that a worker gives back.

use std::time::Duration;

use sqlx::SqliteConnection;

use super::{
    clock,
    end::{self, lease_list},
    ends::{Ends, Held},
    finish, log,
    rows::number,
    sql, store_error,
    tally::Tally,
};
use crate::{
    Result,
    job::Reason,
    lease::{Finish, LeaseRef, Rescued},
    log::Stream,
};

/// Gives back leases whose commands were not started: no attempt is charged. Jobs that were canceled
/// meanwhile end.
pub(super) async fn give_back(
    connection: &mut SqliteConnection,
    leases: Vec<LeaseRef>,
) -> Result<()> {
    if leases.is_empty() {
        return Ok(());
    }
    let held = finish::held(connection, leases.into_iter()).await?;
    let (canceled, unstarted): (Vec<Held>, Vec<Held>) =
        held.into_iter().partition(|held| held.cancel);
    let (mut ends, mut tally) = (Ends::default(), Tally::default());
    for held in &canceled {
        ends.add(held, &Finish::canceled(held.lease()), &mut tally)?;
    }
    end::write(connection, &ends).await?;
    put_back(connection, &unstarted, &mut tally).await?;
    tally.write(connection).await
}

/// Reclaims the leases of sessions that no longer exist, or all leases: each is a lost attempt. One that an
/// older version claimed and did not start goes back instead.
pub(super) async fn orphans(connection: &mut SqliteConnection, all: bool) -> Result<Vec<Rescued>> {
    let held: Vec<Held> = sqlx::query_as(sql!("lease/orphans"))
        .bind(all)
        .bind(clock::now())
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let (started, unstarted): (Vec<Held>, Vec<Held>) =
        held.into_iter().partition(|held| held.is_started);
    let (mut rescued, mut tally) = (Vec::new(), Tally::default());
    let lost = started.iter().map(|held| (held.job_id, Some(Reason::WorkerLost)));
    let mut ends = end::ends(connection, lost).await?;
    for held in &started {
        let (lease, attempt) = (held.lease(), number(held.attempts)?);
        let stdout = log::stored_end(connection, lease.job, attempt, Stream::Stdout).await?;
        let stderr = log::stored_end(connection, lease.job, attempt, Stream::Stderr).await?;
        let ran = Duration::from_millis(number(held.ran_ms)?);
        let report = Finish::lost(lease, ran, stdout, stderr);
        let waits = !ends.add(held, &report, &mut tally)?.is_terminal();
        rescued.push(Rescued { lease, batch: held.batch_id.map(Into::into), waits });
    }
    end::write(connection, &ends).await?;
    put_back(connection, &unstarted, &mut tally).await?;
    for held in &unstarted {
        let batch = held.batch_id.map(Into::into);
        rescued.push(Rescued { lease: held.lease(), batch, waits: true });
    }
    tally.write(connection).await?;
    Ok(rescued)
}

async fn put_back(
    connection: &mut SqliteConnection,
    unstarted: &[Held],
    tally: &mut Tally,
) -> Result<()> {
    if unstarted.is_empty() {
        return Ok(());
    }
    for held in unstarted.iter().filter(|held| held.is_started) {
        tally.returned(held.owner_id, held.batch_id)?;
    }
    let leases = lease_list(unstarted.iter().map(Held::lease))?;
    for sql in [sql!("lease/return"), sql!("lease/drop")] {
        sqlx::query(sql).bind(&leases).execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(())
}
