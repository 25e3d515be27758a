use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    clock,
    rows::{code, number},
    sql, store_error,
    tally::Tally,
};
use crate::{Result, Status, UserId, status::Change, store::Canceled};

/// Cancels all that is open, of one owner or of everybody, by as many statements as there are kinds of rows.
pub(super) async fn cancel_all(
    connection: &mut SqliteConnection,
    owner: Option<UserId>,
) -> Result<Canceled> {
    let owner = owner.map(UserId::as_uuid);
    let stopping = execute(connection, sql!("open/tell"), owner).await?;
    let open: Vec<(Uuid, Option<Uuid>, i64)> = sqlx::query_as(sql!("open/count"))
        .bind(owner)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let canceled = super::step(Status::Waiting, Change::Cancel)?;
    sqlx::query(sql!("open/end"))
        .bind(owner)
        .bind(code(canceled))
        .bind(clock::now())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    for withdraw in
        [sql!("open/withdraw_ready"), sql!("open/withdraw_deferred"), sql!("open/withdraw_leases")]
    {
        execute(connection, withdraw, owner).await?;
    }
    let mut ended = 0;
    let mut tally = Tally::default();
    for (owner, batch, jobs) in open {
        ended += number::<u64>(jobs)?;
        tally.add(owner, batch, Status::Waiting, -jobs);
        tally.add(owner, batch, canceled, jobs);
    }
    tally.write(connection).await?;
    Ok(Canceled { ended, stopping })
}

/// Carries out a statement about what is open; answers how many rows it changed.
async fn execute(
    connection: &mut SqliteConnection,
    sql: &'static str,
    owner: Option<Uuid>,
) -> Result<u64> {
    let done = sqlx::query(sql).bind(owner).execute(connection).await.map_err(store_error)?;
    Ok(done.rows_affected())
}
