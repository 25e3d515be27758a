//! Counts kept up to date in the transaction that changes what they count.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    clock,
    rows::{CountsRow, code},
    sql, store_error,
};
use crate::{Result, Status};

/// Differences by status, in the order of [`Status::ALL`].
type Difference = [i64; 5];

/// The differences that a change makes, gathered so that each count is written once.
#[derive(Debug, Default)]
pub(super) struct Tally {
    batches: BTreeMap<Uuid, Difference>,
    owners: BTreeMap<Uuid, Difference>,
}

impl Tally {
    /// A job passes from one status to another.
    pub(super) fn moved(&mut self, owner: Uuid, batch: Option<Uuid>, from: Status, to: Status) {
        self.add(owner, batch, from, -1);
        self.add(owner, batch, to, 1);
    }

    /// So many jobs more, or fewer, with a status.
    pub(super) fn add(&mut self, owner: Uuid, batch: Option<Uuid>, status: Status, jobs: i64) {
        let place = code(status) as usize;
        self.owners.entry(owner).or_default()[place] += jobs;
        if let Some(batch) = batch {
            self.batches.entry(batch).or_default()[place] += jobs;
        }
    }

    /// Writes the differences; a batch whose last job has ended ends with it.
    pub(super) async fn write(self, connection: &mut SqliteConnection) -> Result<()> {
        for (owner, [waiting, running, passed, failed, canceled]) in self.owners {
            sqlx::query(sql!("count/of_owner"))
                .bind(owner)
                .bind(waiting)
                .bind(running)
                .bind(passed)
                .bind(failed)
                .bind(canceled)
                .execute(&mut *connection)
                .await
                .map_err(store_error)?;
        }
        for (batch, [waiting, running, passed, failed, canceled]) in self.batches {
            let counts: CountsRow = sqlx::query_as(sql!("count/of_batch"))
                .bind(batch)
                .bind(waiting)
                .bind(running)
                .bind(passed)
                .bind(failed)
                .bind(canceled)
                .fetch_one(&mut *connection)
                .await
                .map_err(store_error)?;
            let counts = counts.into_counts()?;
            if counts.all_ended() && counts.total > 0 {
                sqlx::query(sql!("batch/finish"))
                    .bind(batch)
                    .bind(code(counts.batch_status(true)))
                    .bind(clock::now())
                    .execute(&mut *connection)
                    .await
                    .map_err(store_error)?;
            }
        }
        Ok(())
    }
}
