use sqlx::SqliteConnection;

use super::{clock, sql, store_error};
use crate::{
    Result, Status,
    store::engine::{rows::CountsRow, tally::Tally, values::code},
};

/// Adds the differences to the counts. A batch begins with its first job that is started, and ends
/// with its last one.
pub(super) async fn write(connection: &mut SqliteConnection, tally: Tally) -> Result<()> {
    for (owner, [waiting, running, passed, failed, canceled, ..]) in tally.owners {
        sqlx::query(sql!("count/add_to_owner"))
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
    for batch in tally.started {
        let begin = sqlx::query(sql!("batch/begin")).bind(batch).bind(clock::now());
        begin.execute(&mut *connection).await.map_err(store_error)?;
    }
    for (batch, difference) in tally.batches {
        let add = sqlx::query_as(sql!("count/add_to_batch")).bind(batch);
        let add = difference.into_iter().fold(add, |add, by| add.bind(by));
        let counts: CountsRow = add.fetch_one(&mut *connection).await.map_err(store_error)?;
        let counts = counts.into_counts()?;
        if difference[code(Status::Failed) as usize] > 0 {
            let told = sqlx::query(sql!("delivery/of_failures")).bind(batch).bind(clock::now());
            told.execute(&mut *connection).await.map_err(store_error)?;
        }
        if counts.all_ended() && counts.total > 0 {
            let finished = sqlx::query(sql!("batch/finish"))
                .bind(batch)
                .bind(code(counts.batch_status(true)))
                .bind(clock::now())
                .execute(&mut *connection)
                .await
                .map_err(store_error)?;
            if finished.rows_affected() > 0 {
                let told = sqlx::query(sql!("delivery/of_end")).bind(batch).bind(clock::now());
                told.execute(&mut *connection).await.map_err(store_error)?;
            }
        }
    }
    Ok(())
}
