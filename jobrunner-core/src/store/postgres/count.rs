use std::collections::BTreeMap;

use sqlx::{PgConnection, PgPool, Postgres, postgres::PgArguments, query::Query};
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{both::verdict, change::in_transaction, sql, store_error};
use crate::{
    Result,
    store::engine::{
        rows::CountsRow,
        tally::{Difference, STATUSES, Tally},
        values::code,
    },
};

/// Adds the differences to the counts of this process, batches before owners and each in order, and
/// begins the batches whose first job was started.
pub(super) async fn write(connection: &mut PgConnection, slot: i16, tally: &Tally) -> Result<()> {
    if tally.owners.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(sql!("count/add"));
    let query = bind(query, &tally.batches, Difference::default().len());
    let query = bind(query, &tally.owners, STATUSES).bind(slot);
    let started: Vec<Uuid> = tally.started.iter().copied().collect();
    query.bind(started).execute(&mut *connection).await.map_err(store_error)?;
    let failed = tally.failed();
    if !failed.is_empty() {
        let told = sqlx::query(sql!("delivery/of_failures")).bind(failed);
        told.execute(connection).await.map_err(store_error)?;
    }
    Ok(())
}

type Statement = Query<'static, Postgres, PgArguments>;

/// Binds the ids and the first `counted` differences of each.
fn bind(query: Statement, differences: &BTreeMap<Uuid, Difference>, counted: usize) -> Statement {
    let ids: Vec<Uuid> = differences.keys().copied().collect();
    (0..counted).fold(query.bind(ids), |query, place| {
        let column: Vec<i64> = differences.values().map(|by| by[place]).collect();
        query.bind(column)
    })
}

#[derive(FromRow)]
struct Ended {
    id: Uuid,
    #[sqlx(flatten)]
    counts: CountsRow,
}

/// Ends those of the batches whose jobs have all ended, each once, with its verdict. What that
/// takes is planned as lists are: it looks at all tests of a run.
pub(super) async fn end_batches(pool: &PgPool, lists: &PgPool, batches: &[Uuid]) -> Result<()> {
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
        let id = batch.id;
        in_transaction(lists.clone(), move |connection| {
            Box::pin(async move {
                let asked: Option<bool> = sqlx::query_scalar(sql!("batch/finish"))
                    .bind(id)
                    .bind(code(status))
                    .fetch_optional(&mut *connection)
                    .await
                    .map_err(store_error)?;
                verdict::finish(&mut *connection, id).await?;
                if asked == Some(true) {
                    let told = sqlx::query(sql!("delivery/of_end")).bind(id);
                    told.execute(connection).await.map_err(store_error)?;
                }
                Ok(())
            })
        })
        .await?;
    }
    Ok(())
}

/// Ends every batch whose last job ended when its writer died.
pub(super) async fn end_forgotten(pool: &PgPool, lists: &PgPool) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let open: Vec<Uuid> = sqlx::query_scalar(sql!("batch/open"))
            .bind(after)
            .fetch_all(pool)
            .await
            .map_err(store_error)?;
        let Some(last) = open.last() else { return Ok(()) };
        after = *last;
        end_batches(pool, lists, &open).await?;
    }
}
