use sqlx::SqliteConnection;

use super::{
    clock,
    rows::{CountsRow, code},
    sql, store_error,
};
use crate::Result;
pub(super) use crate::store::tally::Tally;

impl Tally {
    /// Writes the differences. A batch begins with its first job that is started, and ends with its last one.
    pub(in crate::store) async fn write(self, connection: &mut SqliteConnection) -> Result<()> {
        for (owner, [waiting, running, passed, failed, canceled, _]) in self.owners {
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
        for batch in self.started {
            sqlx::query(sql!("batch/begin"))
                .bind(batch)
                .bind(clock::now())
                .execute(&mut *connection)
                .await
                .map_err(store_error)?;
        }
        for (batch, [waiting, running, passed, failed, canceled, flaky]) in self.batches {
            let counts: CountsRow = sqlx::query_as(sql!("count/of_batch"))
                .bind(batch)
                .bind(waiting)
                .bind(running)
                .bind(passed)
                .bind(failed)
                .bind(canceled)
                .bind(flaky)
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
