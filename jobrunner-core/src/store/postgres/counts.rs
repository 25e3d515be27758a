use std::collections::BTreeMap;

use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use super::{
    rows::{CountsRow, code},
    sql, store_error,
    tally::{Difference, FLAKY, Tally},
};
use crate::Result;

/// Adds the differences to the counts of this process, batches before owners and each in order.
pub(super) async fn write(connection: &mut PgConnection, slot: i16, tally: &Tally) -> Result<()> {
    add(connection, sql!("count/of_batches"), slot, &tally.batches, Counted::WithFlaky).await?;
    add(connection, sql!("count/of_owners"), slot, &tally.owners, Counted::Statuses).await
}

/// What a table counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Statuses,
    WithFlaky,
}

async fn add(
    connection: &mut PgConnection,
    sql: &'static str,
    slot: i16,
    differences: &BTreeMap<Uuid, Difference>,
    counted: Counted,
) -> Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = differences.keys().copied().collect();
    let by = |place: usize| -> Vec<i64> { differences.values().map(|by| by[place]).collect() };
    let mut query = sqlx::query(sql)
        .bind(ids)
        .bind(by(0))
        .bind(by(1))
        .bind(by(2))
        .bind(by(3))
        .bind(by(4))
        .bind(slot);
    if counted == Counted::WithFlaky {
        query = query.bind(by(FLAKY));
    }
    query.execute(connection).await.map(|_| ()).map_err(store_error)
}

#[derive(FromRow)]
struct Ended {
    id: Uuid,
    #[sqlx(flatten)]
    counts: CountsRow,
}

/// Ends those of the batches whose jobs have all ended, each once.
pub(super) async fn end_batches(pool: &PgPool, batches: &[Uuid]) -> Result<()> {
    if batches.is_empty() {
        return Ok(());
    }
    let ended: Vec<Ended> = sqlx::query_as(sql!("batch/ended"))
        .bind(batches)
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    for batch in ended {
        let status = batch.counts.into_counts()?.batch_status(true);
        sqlx::query(sql!("batch/finish"))
            .bind(batch.id)
            .bind(code(status) as i16)
            .execute(pool)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

/// Ends every batch whose last job ended when its writer died.
pub(super) async fn end_forgotten(pool: &PgPool) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let open: Vec<Uuid> = sqlx::query_scalar(sql!("batch/open"))
            .bind(after)
            .fetch_all(pool)
            .await
            .map_err(store_error)?;
        let Some(last) = open.last() else { return Ok(()) };
        after = *last;
        end_batches(pool, &open).await?;
    }
}
