//! What is read and written of the tests of a run that are more than passed.

use std::collections::HashSet;

use super::{
    Connection, notable,
    run::{RunRow, Window},
    sql, store_error,
};
use crate::{
    BatchId, Result,
    page::PageRequest,
    store::engine::verdict::{ClassifiedRow, Judged, MissingRow, NotedRow, code},
    verdict::Class,
};

/// Tests of a run that may be more than passed, and how many it has.
pub(super) async fn noted(
    connection: &mut Connection,
    run: &RunRow,
    window: &Window,
) -> Result<Vec<NotedRow>> {
    sqlx::query_as(sql!("verdict/notable"))
        .bind(run.no)
        .bind(run.day())
        .bind(notable::numbers(&window.runs)?)
        .bind(window.day)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// Adds the tests of a run that passed at once and are not among those that are noted.
pub(super) async fn note_plain(
    connection: &mut Connection,
    run: &RunRow,
    noted: &mut Vec<NotedRow>,
) -> Result<()> {
    let mut known: HashSet<i64> = noted.iter().filter_map(|row| row.test_no).collect();
    let plain: Vec<NotedRow> = sqlx::query_as(sql!(both "verdict/plain"))
        .bind(run.no)
        .bind(run.day())
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    noted.extend(plain.into_iter().filter(|row| row.test_no.is_some_and(|no| known.insert(no))));
    Ok(())
}

/// Tests of the runs before that are not in this one.
pub(super) async fn missing(
    connection: &mut Connection,
    run: &RunRow,
    window: &Window,
    batch: BatchId,
) -> Result<Vec<MissingRow>> {
    sqlx::query_as(sql!("verdict/missing"))
        .bind(run.no)
        .bind(run.day())
        .bind(notable::numbers(&window.runs)?)
        .bind(window.day)
        .bind((!run.is_ended).then(|| batch.as_uuid()))
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// A page of those of an ended run that are stored, one more than is asked for.
pub(super) async fn stored(
    connection: &mut Connection,
    run: &RunRow,
    class: Class,
    page: PageRequest,
) -> Result<Vec<ClassifiedRow>> {
    sqlx::query_as(sql!(both "verdict/stored", both "verdict/details"))
        .bind(run.no)
        .bind(code(class))
        .bind(ClassifiedRow::place(page.after, -1))
        .bind(i64::from(page.limit) + 1)
        .bind(run.series_no)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// A page of those that passed and nothing else is to be said of, one more than is asked for;
/// `told` are those of which something is to be said and is not stored yet.
pub(super) async fn passed(
    connection: &mut Connection,
    run: &RunRow,
    told: Vec<i64>,
    page: PageRequest,
) -> Result<Vec<ClassifiedRow>> {
    sqlx::query_as(sql!("verdict/passed", both "verdict/details"))
        .bind(run.no)
        .bind(ClassifiedRow::place(page.after, i64::MIN))
        .bind(i64::from(page.limit) + 1)
        .bind(run.day())
        .bind(run.series_no)
        .bind(notable::numbers(&told)?)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// A page of those of a run that goes on, one more than is asked for.
pub(super) async fn live(
    connection: &mut Connection,
    run: &RunRow,
    judged: &Judged,
    (class, page): (Class, PageRequest),
) -> Result<Vec<ClassifiedRow>> {
    let behind = judged.behind(class, ClassifiedRow::place(page.after, -1));
    let rows: Vec<_> = behind.take(page.limit as usize + 1).collect();
    notable::details(connection, run.series_no, &rows).await
}

/// Stores those of a run that has ended.
pub(super) async fn insert(connection: &mut Connection, run: i64, judged: &Judged) -> Result<()> {
    /// How many one statement stores.
    const GROUP: usize = 5000;
    for group in judged.placed().chunks(GROUP) {
        notable::insert(connection, run, group).await?;
    }
    Ok(())
}
